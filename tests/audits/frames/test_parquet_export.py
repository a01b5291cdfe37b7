"""`tlsaudit export --parquet`, as a person meets it."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from audits.frames import FRAMES
from tests.demo_history import demo_history
from tests.environments import ROOT


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return str(demo_history(tmp_path_factory))


def export(*words, hidden=""):
    """The command in a process of its own; `hidden` is a package that is not installed there."""
    blind = f"import sys; sys.modules[{hidden!r}] = None; " if hidden else ""
    script = f"{blind}import sys; from audits.cli import main; main()"
    command = [sys.executable, "-W", "error", "-c", script, "export", *words]
    env = os.environ | {"COLUMNS": "300"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_run_becomes_a_folder_of_frames(store, tmp_path):
    folder = tmp_path / "out"
    done = export("2026-11-08T02-30-00", "--store", store, "--parquet", str(folder))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert {path.stem for path in folder.iterdir()} == set(FRAMES)
    assert f"{folder / 'changes'}.parquet: 120 rows" in done.stderr
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    assert set(frames["domains"]["run"]) == {"2026-11-08T02-30-00"}
    assert len(frames["domains"]) == len(frames["grades"]) == 300
    again = export("--store", store, "--parquet", str(folder))
    assert again.returncode == 2
    assert "replace it with --force" in again.stderr


def test_wrong_words_are_told(store, tmp_path):
    for words, told in (
        ((), "say what to write: --evidence DIR, --parquet DIR"),
        (("nope", "--parquet", str(tmp_path / "x")), "there is no run 'nope'"),
        (("--parquet", str(tmp_path / "no" / "x")), "No such file or directory"),
    ):
        done = export(*words, "--store", store)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    done = export("--parquet", str(tmp_path / "x"), "--store", str(tmp_path / "none.db"))
    assert (done.returncode, "`tlsaudit scan` makes it" in done.stderr) == (4, True)
    assert list(tmp_path.iterdir()) == []


def test_without_pandas_it_says_how_to_install_it(store, tmp_path):
    done = export("--store", store, "--parquet", str(tmp_path / "x"), hidden="pyarrow")
    assert done.returncode == 4
    assert "pipx install 'tlsaudit[frames]'" in done.stderr

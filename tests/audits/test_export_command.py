"""`tlsaudit export` as people run it."""

import pytest
from click.testing import CliRunner

from audits.cli import cli
from tests.audits.evidence.pack_factory import filled_store


def run(*words):
    return CliRunner().invoke(cli, [*words])


@pytest.fixture
def store(tmp_path):
    opened, _ = filled_store(tmp_path / "s.db")
    opened.close()
    return str(tmp_path / "s.db")


def test_a_pack_is_judged_as_its_store_is(store, tmp_path):
    folder = tmp_path / "pack"
    result = run("export", "latest", "--store", store, "--evidence", str(folder))
    assert result.exit_code == 0, result.output
    assert "3 domains" in result.output
    assert "not those of the run" in result.output
    words = ("judge", "latest", "--baseline", "mozilla-intermediate", "--format", "findings")
    packed, stored = run(*words, "--evidence", str(folder)), run(*words, "--store", store)
    assert packed.exit_code == 0
    assert packed.stdout == stored.stdout
    assert "MOZ-INTER" in packed.stdout


def test_wrong_use_is_told(store, tmp_path):
    assert "say what to write" in run("export", "--store", store).output
    again = run("export", "--store", store, "--evidence", str(tmp_path))
    assert (again.exit_code, "exists already" in again.output) == (2, True)
    none = run("export", "norun", "--store", store, "--evidence", str(tmp_path / "p"))
    assert none.exit_code == 2
    (tmp_path / "empty").mkdir()
    empty = run("judge", "--evidence", str(tmp_path / "empty"))
    assert (empty.exit_code, "no evidence pack" in empty.output) == (2, True)

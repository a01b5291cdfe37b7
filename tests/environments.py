"""Wheel, sdist and virtual environments for the tests of what a user installs: each made once in a test run.

Workers of pytest-xdist share them through a lock. pip asks the index that it is set up for; where it reaches none the
tests fail with a sentence, because an untested wheel is a gap.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec import Struct

ROOT = Path(__file__).parent.parent
_DEBRIS = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "bench-results", "tlsaudit.db*")


class Distributions(Struct, frozen=True):
    """What `python -m build` made of the clean sources."""

    sources: Path
    wheel: Path
    sdist: Path


class Environment(Struct, frozen=True):
    """A virtual environment in which tlsaudit is installed."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    def run(self, *command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Runs one of its programs, as a user's shell would: nothing of this test run's Python shines through."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "COV"))}
        return subprocess.run(
            [str(self.programs / command[0]), *command[1:]],
            cwd=cwd,
            env=kept | {"VIRTUAL_ENV": str(self.folder), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def versions(self, cwd: Path) -> dict[str, str]:
        """Distribution -> version, as pip knows them; names in lower case."""
        listed = self.run("python", "-m", "pip", "list", "--format", "freeze", cwd=cwd).stdout
        return dict(line.lower().split("==") for line in listed.splitlines() if "==" in line)


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills, by whichever worker of this test run comes first."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".made").exists():
            make(folder)
            (folder / ".made").touch()
    return folder


def distributions(factory: pytest.TempPathFactory) -> Distributions:
    """Wheel and sdist, built by `python -m build` from a copy of what git tracks: what lies about is not seen."""

    def make(folder: Path) -> None:
        copy_sources(folder / "sources")
        command = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "sources")]
        _pip_like(command, "`python -m build` failed")

    folder = once(factory, "distributions", make)
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    return Distributions(folder / "sources", wheel, sdist)


def environment(factory: pytest.TempPathFactory, name: str, requirements: Sequence[str]) -> Environment:
    """An empty environment, and in it the wheel with these arguments for pip."""
    built = distributions(factory)

    def make(folder: Path) -> None:
        venv.create(folder / "venv", with_pip=True, symlinks=True)
        pip = [
            str(folder / "venv" / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        _pip_like([*pip, str(built.wheel), *requirements], f"pip cannot install {built.wheel.name} and what it needs")

    return Environment(once(factory, name, make) / "venv")


def _pip_like(command: Sequence[str], failed: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        pytest.fail(f"{failed}. Does pip reach the package index it is set up for? It said:\n{last}", pytrace=False)


def copy_sources(target: Path) -> None:
    """The tracked files as they are now; without git (an unpacked sdist) everything but debris."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        shutil.copytree(ROOT, target, ignore=_DEBRIS)
        return
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)

"""The demo history, made once in a test run by its committed script."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments import ROOT, once

NAME = "demo-history"


def demo_history(factory: pytest.TempPathFactory) -> Path:
    """The store with the fourteen nights."""
    return once(factory, NAME, lambda folder: made(folder / "history.db")) / "history.db"


def made(file: Path) -> None:
    """Runs the script as a user would."""
    script = str(ROOT / "data" / "make_demo_history.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", script, str(file)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{file}\n"

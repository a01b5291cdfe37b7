"""Python and `tlsaudit` for the tests of the lab that run many commands, to their ends."""

import subprocess
import sys
from pathlib import Path

import click
from click.testing import CliRunner

from audits.cli import cli

from .scanning import ROOT


def python(*words: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def tlsaudit(*words: str) -> tuple[int, str, str]:
    """How a command ends, and what it says; here in this process, because many are run."""
    done = CliRunner().invoke(cli, words)
    error = done.exception
    assert error is None or isinstance(error, (SystemExit, click.ClickException)), done.exc_info
    return done.exit_code, done.stdout, done.stderr

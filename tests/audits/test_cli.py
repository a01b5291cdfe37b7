"""The root command: what it knows, how it ends, and that each command is imported only when it is called."""

import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from audits.cli import COMMANDS, EXIT_FAILURE, CommandFailed, cli
from tests.environments import ROOT


def python(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_lists_every_command_with_its_line():
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    for name, (_, words) in COMMANDS.items():
        assert any(line.split()[:1] == [name] and words.split()[0] in line for line in shown.stdout.splitlines())
    assert CliRunner().invoke(cli, ["-h"]).stdout == shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_has_help(name):
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, click.Command)
    assert command.help
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0
    assert f"{name} " in shown.stdout.splitlines()[0]


def test_the_version_is_that_of_the_project():
    told = CliRunner().invoke(cli, ["--version"])
    assert told.stdout.split()[-1] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("arguments", [["no-such-command"], ["--no-such-flag"], ["show"]])
def test_wrong_use_is_exit_2(arguments):
    done = CliRunner().invoke(cli, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Usage: " in done.stderr


def test_what_failed_on_our_side_is_exit_4():
    assert CommandFailed("x").exit_code == EXIT_FAILURE == 4


def test_our_own_bug_is_told_in_full_and_is_no_missed_gate():
    done = python(
        "import sys, audits.cli\n"
        "def broken(self, ctx): raise KeyError('a bug')\n"
        "audits.cli.cli.invoke = broken.__get__(audits.cli.cli)\n"
        "sys.argv = ['tlsaudit', 'runs']\n"
        "audits.cli.main()"
    )
    assert done.returncode == EXIT_FAILURE
    assert "Traceback" in done.stderr
    assert "KeyError: 'a bug'" in done.stderr


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        ("KeyboardInterrupt", 130, "stopped\n"),
        ("BrokenPipeError(errno.EPIPE, 'x')", 4, ""),
        ("OSError(errno.ENOSPC, 'No space left')", 4, "Error: the results cannot be written: No space left\n"),
    ],
)
def test_ends_that_are_no_missed_gate(trouble, code, words):
    done = python(
        "import errno, sys, audits.cli, audits.show_command\n"
        f"def ended(*_, **__): raise {trouble}\n"
        "audits.show_command.runs.callback = ended\n"
        "sys.argv = ['tlsaudit', 'runs']\n"
        "audits.cli.main()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", words)


@pytest.mark.parametrize("arguments", [["rules"], ["schema"], ["baselines"]])
def test_a_full_disk_is_told_in_one_line(arguments):
    command = [sys.executable, "-m", "audits.cli", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (EXIT_FAILURE, 1)
    assert done.stderr.startswith("Error: the results cannot be written: ")


def test_a_foreign_package_of_our_name_is_noticed():
    done = python("import scanner, audits.cli; scanner.DISTRIBUTION = 'other'; audits.cli.main()")
    assert done.returncode != 0
    assert "another Python distribution has overwritten" in done.stderr


def test_the_console_script_is_the_entry_point():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"tlsaudit": "audits.cli:main"}

"""The log of a run: stderr or a file, lines or JSON lines."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audits.output import OutputError, OutputLostError
from audits.run_log import opened_log

CLOCK = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)


def clock() -> datetime:
    return CLOCK


def test_on_stderr_a_line_stands_as_it_is(capsys):
    with opened_log(None, as_json=False, clock=clock) as say:
        say("hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_as_json_it_has_its_time(capsys):
    with opened_log(None, as_json=True, clock=clock) as say:
        say('"quoted"\nline')
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {"time": "2026-11-21T06:30:00Z", "message": '"quoted"\nline'}


def test_later_nights_are_added_to_a_file(tmp_path):
    file = tmp_path / "log"
    for word in ("one", "two \udcff"):
        with opened_log(file, as_json=False, clock=clock) as say:
            say(word)
    assert file.read_text() == "2026-11-21T06:30:00Z one\n2026-11-21T06:30:00Z two \\udcff\n"


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    with (
        pytest.raises(OutputError, match=r"--log-file .*: No such file"),
        opened_log(tmp_path / "no" / "log", as_json=False),
    ):
        pass


def test_a_disk_that_is_full_is_told_as_the_trouble_of_the_log():
    """The results may lie on another disk."""
    with (
        pytest.raises(OutputLostError, match="the log /dev/full cannot be written: No space left"),
        opened_log(Path("/dev/full"), as_json=False) as say,
    ):
        say("hello")

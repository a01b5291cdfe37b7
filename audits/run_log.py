"""Where a run says what it does: stderr for people, or a file that later nights are added to; lines or JSON lines."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from audits.output import OutputError, OutputLostError

Say = Callable[[str], None]


def now() -> datetime:
    """The clock of the log, in UTC."""
    return datetime.now(UTC)


@contextmanager
def opened_log(file: Path | None, *, as_json: bool, clock: Callable[[], datetime] = now) -> Iterator[Say]:
    """A function that writes one line; `OutputError` where the file cannot be opened, `OutputLostError` later.

    On stderr a line stands as it is, in a file behind its time. As JSON it is an object of `time` and `message`.
    """
    if file is None:
        yield lambda line: _write(sys.stderr, _json(clock(), line) if as_json else line)
        return
    try:
        stream = file.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise OutputError(f"--log-file {file}: {error.strerror}") from None
    with stream:
        yield lambda line: _add(file, stream, _json(clock(), line) if as_json else f"{_time(clock())} {line}")


def _write(stream: TextIO, line: str) -> None:
    print(line, file=stream, flush=True)


def _add(file: Path, stream: TextIO, line: str) -> None:
    try:
        _write(stream, line)
    except OSError as error:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - else closing the stream would fail in the same way
            os.dup2(nowhere.fileno(), stream.fileno())
        raise OutputLostError(f"the log {file} cannot be written: {error.strerror}; what is done is stored") from None


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _json(at: datetime, line: str) -> str:
    return json.dumps({"time": _time(at), "message": line})

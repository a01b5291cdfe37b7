"""Configuration text from a file: bounded, without NUL bytes, cut into logical lines (postconf(5), postmap(1)).

Postfix reads C strings of any length. A file that needs more than the limits below is not a configuration file, and
a NUL byte would silently cut the line for Postfix, so both are errors here. Bytes that are no UTF-8 survive as
surrogates ("surrogateescape"), because Postfix itself decides line by line what to do with them.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from audits.postfix.errors import ConfigError

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A table of a million destinations has some 40 MB."""
MAX_LINE_BYTES = 64 * 1024
"""Real lines have some kilobytes, even a long access list in main.cf."""

SPACE = " \t\n\v\f\r"
"""What isspace(3) accepts in the C locale; str.isspace() accepts far more."""


class LogicalLine(msgspec.Struct, frozen=True):
    """A line with its continuations joined; `number` and `last` count physical lines from 1.

    `orphan` is true for text that starts with white space although nothing precedes it: Postfix warns and ignores it.
    """

    number: int
    last: int
    text: str
    orphan: bool = False


def read_source(path: str) -> str:
    """The text of a file; raises ConfigError where it cannot be read, has NUL bytes or is unreasonably large."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(path, 0, f"cannot be read: {reason}") from error
    return checked_source(data, path)


def checked_source(data: bytes, path: str) -> str:
    """Bytes as text, within the limits; `path` is only named in the error."""
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(
            path, 0, f"is larger than {MAX_FILE_BYTES // (1024 * 1024)} MB, so it is no configuration file"
        )
    for number, line in enumerate(data.split(b"\n"), start=1):
        if len(line) > MAX_LINE_BYTES:
            raise ConfigError(path, number, f"line of {len(line)} bytes; at most {MAX_LINE_BYTES} are read")
        if b"\0" in line:
            raise ConfigError(path, number, "NUL byte in the line; is this a text file?")
    return data.decode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """Text that is safe to print: as in Postfix's log "?" stands for no UTF-8 and for control characters."""
    return "".join(char if char.isprintable() else "?" for char in text)


def is_utf8(text: str) -> bool:
    """False when the source of the text held bytes that are no UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Lines as Postfix joins them: one that begins with white space continues the line before.

    Comment lines and empty lines vanish wherever they stand, also between a line and its continuation.
    """
    pieces: list[str] = []
    first = last = 0
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.lstrip(SPACE)
        if not stripped or stripped.startswith("#"):
            continue
        if pieces and line[0] not in SPACE:
            yield _joined(pieces, first, last)
            pieces = []
        if not pieces:
            first = number
        pieces.append(line)
        last = number
    if pieces:
        yield _joined(pieces, first, last)


def _joined(pieces: list[str], first: int, last: int) -> LogicalLine:
    return LogicalLine(number=first, last=last, text="".join(pieces), orphan=pieces[0][0] in SPACE)

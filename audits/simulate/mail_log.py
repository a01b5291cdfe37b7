"""A Postfix mail log: how many messages left the queue for each domain, and how each TLS connection was called.

Plain text or gzip, read as a stream. A log is foreign text: lines are bounded, and so is what is kept of them.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import msgspec

from audits.postfix.errors import ConfigError

MAX_LINE_BYTES = 64 * 1024
"""Postfix cuts its own lines at 2,000 bytes; syslog adds little."""
MAX_NAMES = 1_000_000
"""Domains, and TLS connections of one kind, that are told apart."""
_Key = TypeVar("_Key")
_GZIP = b"\x1f\x8b"
_LEFT = re.compile(
    r"/smtp\[\d+\]: [0-9A-Za-z]{5,20}: to=<[^<>]*@(?P<domain>[^<>@]{1,255})>, [^()]{1,4000} status=(?:sent|bounced) "
)
_TLS = re.compile(
    r"/(?:smtp|tlsproxy)\[\d+\]: (?:[0-9A-Za-z]{5,20}: )?(?P<word>Anonymous|Untrusted|Trusted|Verified) TLS connection "
    r"established to (?P<host>[^\s\[]{1,255})\[(?P<address>[0-9A-Fa-f:.]{2,45})\](?::(?P<port>\d{1,5}))?: "
)


class Connection(msgspec.Struct, frozen=True):
    """A TLS connection as the log names it."""

    host: str
    address: str
    port: int
    word: str


class MailLog(msgspec.Struct):
    """What a log tells: messages that left the queue by domain, and TLS connections with their number."""

    deliveries: dict[str, int] = msgspec.field(default_factory=dict)
    connections: dict[Connection, int] = msgspec.field(default_factory=dict)
    lines: int = 0


def read_mail_log(path: str) -> MailLog:
    """Read a log; raises ConfigError where it cannot be read, or is no mail log of Postfix."""
    log = MailLog()
    try:
        with _opened(path) as stream:
            for line in _lines(stream):
                log.lines += 1
                _read(log, line)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or "the file ends too early"
        raise ConfigError(path, log.lines, f"cannot be read: {reason}") from error
    if not log.deliveries and not log.connections:
        raise ConfigError(path, 0, "no line tells of a delivery by Postfix's smtp: is this its mail log?")
    return log


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    with Path(path).open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if packed:
            with gzip.open(raw) as stream:
                yield cast(BinaryIO, stream)
        else:
            yield raw


def _lines(stream: BinaryIO) -> Iterator[str]:
    """The lines, those too long cut off."""
    while raw := stream.readline(MAX_LINE_BYTES):
        complete = raw.endswith(b"\n")
        yield raw.decode("latin-1")
        while not complete and (rest := stream.readline(MAX_LINE_BYTES)):
            complete = rest.endswith(b"\n")


def _read(log: MailLog, line: str) -> None:
    if "TLS connection established to" in line:
        if match := _TLS.search(line):
            port = int(match["port"] or 25)
            found = Connection(match["host"].lower(), match["address"].lower(), port, match["word"])
            _add(log.connections, found)
    elif "status=" in line and (match := _LEFT.search(line)):
        _add(log.deliveries, match["domain"].lower().rstrip("."))


def _add(counts: dict[_Key, int], key: _Key) -> None:
    if key in counts or len(counts) < MAX_NAMES:
        counts[key] = counts.get(key, 0) + 1

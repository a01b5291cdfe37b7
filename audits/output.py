"""Where records go: JSON lines and CSV as they come, the table at the end; a file appears whole or not at all."""

import csv
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec

from audits.reasons import Cause
from audits.records import DomainRecord
from audits.tables import expiry
from audits.verdicts import Grade

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet; foreign text is disarmed by an apostrophe."""

COLUMNS = (
    "domain", "domain_unicode", "grade", "some_mx_grade", "today", "sustained", "unknown", "reason", "detail",
    "remedy", "mx_host", "address", "port", "asked", "answered", "required", "compliant", "expires",
)  # fmt: skip


class OutputError(Exception):
    """The output file cannot be made; the message says why."""


class Tally:
    """Counts what the exit code depends on."""

    def __init__(self) -> None:
        self.grades: Counter[Grade] = Counter()
        self.missed = 0
        self.open = 0

    def take(self, records: Sequence[DomainRecord]) -> None:
        for record in records:
            self.grades[record.grade] += 1
            self.missed += record.compliant is False
            left_alone = record.binding is not None and record.binding.reason == Cause.NOT_ASKED
            self.open += record.grade is Grade.INCONCLUSIVE and not left_alone

    @property
    def open_share(self) -> float:
        """The share of the domains that stayed inconclusive although they were asked."""
        return self.open / max(1, self.grades.total())


def jsonl_writer(stream: TextIO) -> Callable[[Sequence[DomainRecord]], None]:
    """One JSON object a line."""

    def write(records: Sequence[DomainRecord]) -> None:
        for record in records:
            stream.write(msgspec.json.encode(record).decode() + "\n")
        stream.flush()

    return write


def csv_writer(stream: TextIO) -> Callable[[Sequence[DomainRecord]], None]:
    """One row a domain (RFC 4180), with a header."""
    rows = csv.writer(stream)
    rows.writerow(COLUMNS)

    def write(records: Sequence[DomainRecord]) -> None:
        rows.writerows([_disarmed(cell) for cell in _cells(record)] for record in records)
        stream.flush()

    return write


def _cells(record: DomainRecord) -> list[str]:
    bound = record.binding
    where = (
        [bound.reason, bound.detail, bound.remedy, bound.mx_host, bound.address, str(bound.port)] if bound else [""] * 6
    )
    compliant = "" if record.compliant is None else str(record.compliant).lower()
    return [
        record.domain,
        record.domain_unicode,
        record.grade.value,
        record.some_mx_grade.value,
        record.today.value,
        " ".join(record.sustained),
        " ".join(record.unknown),
        *where,
        str(record.coverage.asked),
        str(record.coverage.answered),
        record.required.value if record.required else "",
        compliant,
        expiry(record),
    ]


def _disarmed(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


@contextmanager
def opened_output(path: Path | None) -> Iterator[TextIO]:
    """The file that results go to, standard output without a path. A file replaces an older one only when whole."""
    if path is None:
        yield sys.stdout
        return
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputError(f"--output {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

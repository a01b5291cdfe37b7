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

from audits.cliffs import next_cliff
from audits.findings import Verdict
from audits.gate import Gate
from audits.json_text import json_text
from audits.published import PublishedVerdict
from audits.reasons import Cause
from audits.records import DomainRecord
from audits.tables import expiry
from audits.verdicts import Grade
from scanner.domain_name import printable
from scanner.facts import Fact

_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so is a formula to a spreadsheet, in full width too; an apostrophe disarms it."""

_CELL = 4000
"""Characters of a cell; longer than any reply we keep whole on a terminal, shorter than what spreadsheets take."""

COLUMNS = (
    "domain", "domain_unicode", "grade", "some_mx_grade", "today", "sustained", "unknown", "reason", "detail",
    "remedy", "mx_host", "address", "port", "asked", "answered", "required", "compliant", "expires",
    "must_by", "dane", "mta_sts", "next_cliff",
)  # fmt: skip


_REASONS = 100
"""Reasons kept for one domain that misses the gate."""


class OutputError(Exception):
    """The output file cannot be made; the message says why."""


class OutputLostError(Exception):
    """Results can no longer be written: the reader has gone, or the disk is full."""


class Tally:
    """Counts what the exit code depends on. `not_passed`: domain -> why it misses the gate.

    `failed`, `warned`: domains with such findings.
    """

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate or Gate()
        self.not_passed: dict[str, tuple[str, ...]] = {}
        self.grades: Counter[Grade] = Counter()
        self.missed = 0
        self.open = 0
        self.failed = 0
        self.warned = 0

    def take(self, records: Sequence[DomainRecord]) -> None:
        for record in records:
            self.grades[record.grade] += 1
            self.missed += record.compliant is False
            left_alone = record.binding is not None and record.binding.reason == Cause.NOT_ASKED
            self.open += record.grade is Grade.INCONCLUSIVE and not left_alone
            verdicts = {finding.verdict for finding in record.findings}
            self.failed += Verdict.FAIL in verdicts
            self.warned += Verdict.WARN in verdicts
            if reasons := self._gate.missed_by(record):
                self.not_passed[record.domain] = reasons[:_REASONS]

    @property
    def is_gated(self) -> bool:
        """Whether somebody said what must not happen (--fail-on)."""
        return self._gate != Gate()

    @property
    def open_share(self) -> float:
        """The share of the domains that stayed inconclusive although they were asked."""
        return self.open / max(1, self.grades.total())


def jsonl_writer(stream: TextIO) -> Callable[[Sequence[DomainRecord]], None]:
    """One JSON object a line."""

    def write(records: Sequence[DomainRecord]) -> None:
        with _losses_told(stream):
            stream.writelines(json_text(msgspec.json.encode(record)) + "\n" for record in records)
            stream.flush()

    return write


def csv_writer(stream: TextIO) -> Callable[[Sequence[DomainRecord]], None]:
    """One row a domain (RFC 4180), with a header."""
    rows = csv.writer(stream)
    with _losses_told(stream):
        rows.writerow(COLUMNS)

    def write(records: Sequence[DomainRecord]) -> None:
        with _losses_told(stream):
            rows.writerows([disarmed(cell) for cell in _cells(record)] for record in records)
            stream.flush()

    return write


@contextmanager
def _losses_told(stream: TextIO) -> Iterator[None]:
    """Turns what the system says while we write into a sentence; what is still buffered goes nowhere."""
    try:
        yield
    except OSError as error:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - else closing the stream would fail in the same way
            os.dup2(nowhere.fileno(), stream.fileno())
        gone = isinstance(error, BrokenPipeError)
        what = "the reader of the results has gone" if gone else f"the results cannot be written: {error.strerror}"
        raise OutputLostError(f"{what}; what is done is stored") from None


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
        *_published_cells(record.published),
    ]


def _published_cells(published: PublishedVerdict | None) -> list[str]:
    """How MUST knows its names, the levels of DANE that are sustained, the state of MTA-STS, the next cliff."""
    if published is None:
        return [""] * 4
    dane, sts, cliff = published.dane, published.mta_sts, next_cliff(published.cliffs)
    levels = [("dane", dane.dane), ("dane-only", dane.dane_only)] if dane else []
    return [
        " ".join(published.must_by),
        " ".join(level for level, fact in levels if fact is Fact.YES),
        sts.state.value if sts else "",
        f"{cliff.at:%Y-%m-%d} {cliff.what}" if cliff else "",
    ]


def disarmed(cell: str) -> str:
    """Foreign text that is neither a formula to a spreadsheet nor a command to a terminal."""
    shown = printable(cell, _CELL)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_STARTS) else shown


@contextmanager
def opened_output(path: Path | None) -> Iterator[TextIO]:
    """The stream that results go to, standard output without a path.

    A file replaces an older one only when the block ends well. A pipe or device is written as it is: there is nothing
    to replace.
    """
    if path is None:
        yield sys.stdout
        return
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            handle, name = os.open(target, os.O_WRONLY), None
        else:
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        if name is None:
            yield stream
        else:
            yield from _whole_or_absent(stream, Path(name), target)


def _whole_or_absent(stream: TextIO, written: Path, target: Path) -> Iterator[TextIO]:
    """Lets the stream be written, then puts the file in the place of `target`."""
    try:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        written.chmod(0o666 & ~mask)
        written.replace(target)
    except BaseException:
        written.unlink(missing_ok=True)
        raise

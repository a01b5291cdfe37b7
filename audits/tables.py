"""Text for people: the table of a run and its summary line. Every foreign string is escaped before it is shown."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from rich.console import Console
from rich.table import Table
from rich.text import Text

from audits.records import DomainRecord
from audits.verdicts import Grade
from scanner.domain_name import printable

COLOURS = {
    Grade.MUST: "green",
    Grade.MUST_NOPEERMATCH: "cyan",
    Grade.MAY: "yellow",
    Grade.NONE: "red",
    Grade.INCONCLUSIVE: "magenta",
    Grade.NO_MAIL: "bright_black",
}
ROWS_AT_ONCE = 1000
"""Rows that share their column widths; a longer table streams in such pieces."""


def print_table(console: Console, records: Iterable[DomainRecord]) -> None:
    """One row a domain: grade, what caps it, MX hosts, and when the first certificate expires."""
    rows = iter(records)
    while piece := list(islice(rows, ROWS_AT_ONCE)):
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("domain", overflow="fold", ratio=3)
        table.add_column("grade", no_wrap=True)
        table.add_column("why not more", overflow="fold", ratio=5)
        table.add_column("MX", overflow="fold", ratio=3)
        table.add_column("expires", no_wrap=True)
        for record in piece:
            table.add_row(*_row(record))
        console.print(table)


def _row(record: DomainRecord) -> Iterator[Text]:
    required = f" ({record.required} required)" if record.compliant is False else ""
    yield Text(printable(record.domain_unicode, 80))
    yield Text(record.grade.value + required, style=COLOURS[record.grade])
    known = ", ".join(record.published.must_by) if record.published and record.binding is None else ""
    yield Text("; ".join(filter(None, (known, why(record)))))
    yield Text(hosts(record))
    yield Text(expiry(record))


def why(record: DomainRecord) -> str:
    """The binding constraint in one sentence; for a full grade what was not heard of."""
    coverage = record.coverage
    missing = coverage.asked - coverage.answered
    silent = f"{missing} of {coverage.asked} addresses gave no answer" if missing and coverage.answered else ""
    bound = record.binding
    if bound is None:
        return silent
    words = bound.reason + (f": {printable(bound.detail, 90)}" if bound.detail and bound.detail != bound.reason else "")
    several = len({e.mx_host for e in record.endpoints if e.use == "mail"}) > 1
    where = f" at {printable(bound.mx_host, 60)}" if bound.mx_host and several else ""
    return words + where + (f"; {silent}" if silent else "")


def hosts(record: DomainRecord) -> str:
    """The MX hosts by name, the first few."""
    names = list(dict.fromkeys(e.mx_host for e in record.endpoints if e.use == "mail"))
    more = f" +{len(names) - 2}" if len(names) > 2 else ""
    return printable(", ".join(names[:2]), 90) + more


def expiry(record: DomainRecord) -> str:
    """The day on which the first leaf certificate of a mail endpoint expires."""
    ends = [e.leaf.not_after for e in record.endpoints if e.leaf and e.leaf.not_after and e.use == "mail"]
    return f"{min(ends):%Y-%m-%d}" if ends else ""


def summary(grades: Counter[Grade], targets: int, seconds: float) -> str:
    """The last line of a run: how many domains have which grade."""
    counted = ", ".join(f"{grades[grade]} {grade.value}" for grade in Grade if grades[grade])
    return f"{domains(targets)} in {duration(seconds)}: {counted or ('no result yet' if targets else 'nothing to do')}"


def domains(number: int) -> str:
    """A number of domains, in words."""
    return "1 domain" if number == 1 else f"{number} domains"


def duration(seconds: float) -> str:
    """Seconds as people say them: 12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def moment(time: datetime | None) -> str:
    """A time as a log writes it."""
    return f"{time:%Y-%m-%d %H:%M:%S}Z" if time else "-"

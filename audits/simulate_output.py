"""The simulation for people (text) and for programs (CSV rows, JSON): every foreign string is escaped in the text."""

import csv
import io
from collections.abc import Iterator, Sequence

from audits.output import disarmed
from audits.simulate.log_check import LogCheck, LogVerdict
from audits.simulate.outcomes import Kind, Outcome
from audits.simulate.simulation import DomainSimulation, HostResult
from audits.simulate.summary import DomainReport, Ends, Summary, ranked
from scanner.domain_name import printable

COLUMNS = (
    *("domain", "deliveries", "when", "transport", "next_hop", "mx_host", "address", "port", "level", "at_host"),
    *("word", "host_cause", "host_detail", "end", "end_cause", "if_as_scanned"),
)
"""The columns of the CSV form; the last three repeat for each host of a domain."""
DETAIL_CHARACTERS = 90


def text_lines(report: DomainReport) -> Iterator[str]:
    """A domain with its end, and a line for each host; under the change only what differs is said again."""
    weight = f"  ({report.deliveries} deliveries)" if report.deliveries is not None else ""
    ends = _end(report.today)
    if report.changed is not None:
        ends += f"  ->  {_end(report.changed)}" if report.differs else "  (unchanged)"
    yield f"{printable(report.domain)}: {ends}{weight}"
    yield from _hosts("today", report.today)
    if report.changed is not None and _rows(report.changed) != _rows(report.today):
        yield from _hosts("what if", report.changed)


def _end(simulation: DomainSimulation) -> str:
    first = simulation.possible[0]
    words = simulation.words + (f" [{printable(_cause(first), DETAIL_CHARACTERS)}]" if first.cause else "")
    if simulation.as_scanned:
        again = " or ".join(dict.fromkeys(map(str, simulation.as_scanned)))
        words += "" if again == simulation.words else f" (as during the scan: {again})"
    return words


def _cause(outcome: Outcome) -> str:
    return f"{outcome.cause}: {outcome.detail}" if outcome.detail else str(outcome.cause)


def _hosts(when: str, simulation: DomainSimulation) -> Iterator[str]:
    for host in simulation.hosts:
        address = f"[{host.address}]:{host.port}" if host.address else "(no address)"
        yield (
            f"    {when:8} {printable(host.mx_host, 60)} {address}  {host.level}: {host.outcome}{_beside(host)}"
        ).rstrip()


def _beside(host: HostResult) -> str:
    """Why the mail does not arrive here, and what the log says of TLS nevertheless."""
    outcome = host.outcome
    words = f"  {printable(_cause(outcome), DETAIL_CHARACTERS)}" if outcome.cause else ""
    return words + (f"  ({host.word} TLS)" if host.word and outcome.kind is not Kind.TLS else "")


def _rows(simulation: DomainSimulation) -> list[tuple[object, ...]]:
    return [(h.next_hop, h.mx_host, h.address, h.port, h.level, h.outcome, h.word) for h in simulation.hosts]


def csv_rows(report: DomainReport) -> Iterator[str]:
    """One row for each host, and one for a domain without any."""
    for when, simulation in (("today", report.today), ("what-if", report.changed)):
        if simulation is None:
            continue
        end = [simulation.words, simulation.possible[0].cause, " or ".join(map(str, simulation.as_scanned))]
        weight = "" if report.deliveries is None else report.deliveries
        begin = [report.domain, weight, when, simulation.transport]
        for host in simulation.hosts:
            there = [host.next_hop, host.mx_host, host.address, host.port, host.level, host.outcome, host.word]
            yield _csv([*begin, *there, host.outcome.cause, host.outcome.detail, *end])
        if not simulation.hosts:
            yield _csv([*begin, *[""] * 9, *end])


def csv_header() -> str:
    """The first line."""
    return _csv(list(COLUMNS))


def _csv(cells: list[object]) -> str:
    """One line of RFC 4180, which is no formula to a spreadsheet."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([disarmed(str(cell)) for cell in cells])
    return line.getvalue()


def summary_lines(summary: Summary) -> Iterator[str]:
    """The counts, most frequent first."""
    yield f"{summary.domains} domains"
    yield from _ends("today", summary.today)
    if summary.changed is not None:
        yield from _ends("under the change", summary.changed)
        yield (
            f"{summary.differing} domains change: {summary.newly_lost} would be deferred or bounced, "
            f"{summary.rescued} no longer"
        )


def _ends(when: str, ends: Ends) -> Iterator[str]:
    yield f"{when}: " + ", ".join(f"{number} {word}" for word, number in ranked(ends.outcomes))
    if ends.deliveries:
        yield "    deliveries: " + ", ".join(f"{number} {word}" for word, number in ranked(ends.deliveries))
    for what, causes in (("deferred or bounced by", ends.lost_by_cause), ("unknown by", ends.unknown_by_cause)):
        if causes:
            yield f"    {what}: " + ", ".join(f"{cause} {number}" for cause, number in ranked(causes))


def log_lines(checks: Sequence[LogCheck]) -> Iterator[str]:
    """What the mail log says of TLS connections, beside what the facts say; contradictions one by one."""
    if not checks:
        return
    counts: dict[str, int] = {}
    for check in checks:
        counts[check.verdict] = counts.get(check.verdict, 0) + check.connections
    yield "TLS connections of the mail log: " + ", ".join(f"{number} {word}" for word, number in ranked(counts))
    for check in checks:
        if check.verdict is LogVerdict.CONTRADICTED:
            expected = " or ".join(check.expected) or "no TLS"
            yield (
                f"    contradicted: {printable(check.host, 60)}[{printable(check.address, 45)}]:{check.port}: the log "
                f"says {check.word} ({check.connections} times), the facts say {expected}"
            )

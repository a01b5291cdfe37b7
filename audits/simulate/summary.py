"""How many domains come to which end, by which cause, today and under a change; with deliveries as weights."""

from collections import Counter

import msgspec

from audits.simulate.outcomes import Kind
from audits.simulate.simulation import DomainSimulation

BY_CHANCE = "varies"
"""Ends that depend on the order in which equal hosts are tried."""
LOST = (Kind.DEFERRED, Kind.BOUNCED, Kind.DISCARDED)


class DomainReport(msgspec.Struct, frozen=True):
    """One domain: its ends today and under the change, and how many deliveries the mail log tells of."""

    domain: str
    today: DomainSimulation
    changed: DomainSimulation | None = None
    deliveries: int | None = None

    @property
    def differs(self) -> bool:
        """Whether the change changes what becomes of the mail."""
        return self.changed is not None and _ends(self.changed) != _ends(self.today)


def _ends(simulation: DomainSimulation) -> set[tuple[Kind, str]]:
    return {(outcome.kind, str(outcome.word or "")) for outcome in simulation.possible}


class Ends(msgspec.Struct):
    """Counts under one configuration. Every dict goes from a word to the number of domains, or of deliveries."""

    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    deliveries: dict[str, int] = msgspec.field(default_factory=dict)
    lost_by_cause: dict[str, int] = msgspec.field(default_factory=dict)
    unknown_by_cause: dict[str, int] = msgspec.field(default_factory=dict)


class Summary(msgspec.Struct):
    """What the whole comes to. `newly_lost` and `rescued` name the first domains of that kind."""

    domains: int = 0
    today: Ends = msgspec.field(default_factory=Ends)
    changed: Ends | None = None
    differing: int = 0
    newly_lost: int = 0
    rescued: int = 0
    differing_domains: list[str] = msgspec.field(default_factory=list)


NAMED = 1000
"""Domains that the summary names; a longer list is in the rows."""


def end_of(simulation: DomainSimulation) -> str:
    """One word for the summary."""
    return str(simulation.outcome) if simulation.outcome else BY_CHANCE


def is_lost(simulation: DomainSimulation) -> bool:
    """Whether the mail does not arrive, however equal hosts are tried."""
    return all(outcome.kind in LOST for outcome in simulation.possible)


class Tally:
    """Counts reports as they come; a class because a list may be too long to be kept."""

    def __init__(self, with_change: bool) -> None:
        self.summary = Summary(changed=Ends() if with_change else None)

    def add(self, report: DomainReport) -> None:
        summary = self.summary
        summary.domains += 1
        _count(summary.today, report.today, report.deliveries or 0)
        if summary.changed is None or report.changed is None:
            return
        _count(summary.changed, report.changed, report.deliveries or 0)
        if not report.differs:
            return
        summary.differing += 1
        before, after = is_lost(report.today), is_lost(report.changed)
        summary.newly_lost += after and not before
        summary.rescued += before and not after
        if len(summary.differing_domains) < NAMED:
            summary.differing_domains.append(report.domain)


def _count(ends: Ends, simulation: DomainSimulation, deliveries: int) -> None:
    end = end_of(simulation)
    _add(ends.outcomes, end, 1)
    if deliveries:
        _add(ends.deliveries, end, deliveries)
    causes = {outcome.cause for outcome in simulation.possible if outcome.cause}
    if is_lost(simulation):
        for cause in causes:
            _add(ends.lost_by_cause, str(cause), 1)
    elif any(outcome.kind is Kind.UNKNOWN for outcome in simulation.possible):
        for cause in {outcome.cause for outcome in simulation.possible if outcome.kind is Kind.UNKNOWN}:
            _add(ends.unknown_by_cause, str(cause), 1)


def _add(counts: dict[str, int], word: str, number: int) -> None:
    counts[word] = counts.get(word, 0) + number


def ranked(counts: dict[str, int]) -> list[tuple[str, int]]:
    """The most frequent first."""
    return Counter(counts).most_common()

"""One message of the simulation's tests: what was predicted, what happened, and whether the two agree."""

from collections.abc import Sequence

from msgspec import Struct

from audits.simulate.outcomes import Kind, Outcome, Word
from audits.simulate.simulation import DomainSimulation

from .simulate_draws import Draw
from .simulate_sender import End


class Case(Struct, frozen=True):
    """One message: what was predicted, and what happened."""

    draw: Draw
    domain: str
    predicted: DomainSimulation
    end: End

    def __str__(self) -> str:
        hosts = [f"    {h.next_hop} {h.mx_host} {h.level}: {h.outcome} {h.word}" for h in self.predicted.hosts]
        lines = [f"{self.draw.label} {self.domain}: predicted {self.predicted.words}, happened {shown(self.end)}"]
        named = (self.domain, *(name for host in self.predicted.hosts for name in (host.next_hop, host.mx_host)))
        entries = [f"    {line}" for text in self.draw.files.values() for line in text.splitlines()]
        lines += [entry for entry in entries if any(name in entry.lower() for name in (*named, "/", ".test "))]
        return "\n".join([*lines, f"    {self.draw.settings} {self.draw.next_hop}", *hosts, *self.end.evidence])


def shown(end: End) -> str:
    return f"{end.status} {end.arrived} {end.word}{' late' if end.late else ''}"


def agrees(outcome: Outcome, end: End) -> bool:
    """Whether an end is the predicted one. An unknown word of TLS agrees with each."""
    match outcome.kind:
        case Kind.CLEAR:
            return (end.status, end.arrived, end.late) == ("sent", "clear", False)
        case Kind.THEN_CLEAR:
            return (end.status, end.arrived, end.late) == ("sent", "clear", True)
        case Kind.TLS:
            words = (end.word,) if outcome.word is Word.UNKNOWN else (outcome.word,)
            return (end.status, end.arrived, end.late) == ("sent", "tls", outcome.late) and end.word in words
        case Kind.BOUNCED:
            return (end.status, end.late) == ("bounced", outcome.late)
        case _:
            return end.status == outcome.kind


def is_open(simulation: DomainSimulation) -> bool:
    return any(map(unsettled, simulation.possible))


def unsettled(outcome: Outcome) -> bool:
    return outcome.kind is Kind.UNKNOWN or outcome.word is Word.UNKNOWN


def wrong(cases: Sequence[Case], as_scanned: bool) -> list[Case]:
    ends = [(case, case.predicted.as_scanned if as_scanned else case.predicted.possible) for case in cases]
    return [case for case, possible in ends if not any(agrees(outcome, case.end) for outcome in possible)]

"""The words of a mail log beside the facts: is "Verified TLS connection established" what the scan lets expect?"""

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import ip_address

import msgspec

from audits.simulate.mail_log import Connection
from audits.simulate.outcomes import Kind, Word
from audits.simulate.simulation import DomainSimulation, HostResult

_Place = tuple[str, int]


class LogVerdict(StrEnum):
    """What the facts say of a line of the log."""

    CONFIRMED = "confirmed"
    OTHER_LEVEL = "confirmed for another level than today's"
    CONTRADICTED = "contradicted"
    OPEN = "not known"
    """The run has the host, but not the fact."""
    NOT_SEEN = "not in the run"


class LogCheck(msgspec.Struct, frozen=True):
    """One kind of connection of the log; `expected` are the words under today's configuration."""

    host: str
    address: str
    port: int
    word: str
    connections: int
    verdict: LogVerdict
    expected: tuple[str, ...] = ()


class Expected:
    """The words that today's configuration gives at each endpoint; a class because domains come one by one."""

    def __init__(self) -> None:
        self._words: dict[_Place, set[str]] = {}
        self._at_other_levels: dict[_Place, set[str]] = {}

    def add(self, simulation: DomainSimulation, others: Iterable[DomainSimulation] = ()) -> None:
        """Today's simulation of a domain, and those with other levels, which the log may be older than."""
        for host in simulation.hosts:
            self._words.setdefault((host.address, host.port), set()).add(_word(host))
        for other in others:
            for host in other.hosts:
                self._at_other_levels.setdefault((host.address, host.port), set()).add(_word(host))

    def check(self, connections: Iterable[tuple[Connection, int]]) -> tuple[LogCheck, ...]:
        """Each connection with its verdict, the most frequent first."""
        checked = [self._checked(connection, number) for connection, number in connections]
        return tuple(sorted(checked, key=lambda check: -check.connections))

    def _checked(self, seen: Connection, number: int) -> LogCheck:
        place = (_normal(seen.address), seen.port)
        words, others = self._words.get(place), self._at_other_levels.get(place, set())
        if words is None:
            verdict = LogVerdict.NOT_SEEN
        elif seen.word in words:
            verdict = LogVerdict.CONFIRMED
        elif Word.UNKNOWN in words:
            verdict = LogVerdict.OPEN
        elif seen.word in others:
            verdict = LogVerdict.OTHER_LEVEL
        else:
            verdict = LogVerdict.OPEN if Word.UNKNOWN in others else LogVerdict.CONTRADICTED
        expected = tuple(sorted(filter(None, words or ())))
        return LogCheck(seen.host, seen.address, seen.port, seen.word, number, verdict, expected)


def _word(host: HostResult) -> str:
    is_open = host.outcome.kind is Kind.UNKNOWN and not host.word
    return Word.UNKNOWN if is_open else host.word


def _normal(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return address

"""Where tlsaudit and the real Postfix disagree: pure functions from both answers to disagreements with their evidence.

Three questions. For a domain with one host, or with odd DNS: are the sustained levels those that delivered? For one
with several hosts: are they those that every answering host delivers when it stands alone, and did they deliver? And
for every domain: is the "some MX" grade the strongest level that delivered? A level that tlsaudit leaves open
(`unknown`) is no disagreement as long as nothing was delivered and Postfix, too, saw only what may pass.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from .outcomes import Outcome
from .sender import LEVELS

Report = Mapping[str, Any]
Deliveries = Mapping[str, Mapping[str, Outcome]]
PASSING = re.compile(
    r"lost connection|timed out|refused to talk to me: [45]|said: 4|Connection refused|No route to host|try again"
    r"|refused to start TLS: 4|handshake failure|reset by peer|in reply to (EHLO|HELO)|Name service error"
)
"""What Postfix writes of a failure that says nothing about TLS: a look at another time may show something else."""


ANSWERED = frozenset({"ok", "inconclusive"})
"""States of an endpoint that took part in a dialogue, to its end or not; the others lower the coverage only."""


class Disagreement(Struct, frozen=True):
    """One domain on which the two do not agree: what each says, and why."""

    domain: str
    what: str
    delivered: tuple[str, ...]
    report: Report
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.domain}: {self.what}", f"  Postfix delivers at: {' '.join(self.delivered) or 'no level'}"]
        lines += [f"    {line}" for line in self.evidence]
        lines.append(
            f"  tlsaudit: {self.report['grade']}, some MX {self.report['some_mx_grade']}, "
            f"sustained {self.report['sustained']}, unknown {self.report['unknown']}, binding {self.report['binding']}"
        )
        lines += [
            f"    {each['mx_host']} {each['address']}: {each['state']} {each['sustained']} unknown {each['unknown']}"
            f" {each['reasons']} {each['detail']}"
            for each in self.report["endpoints"]
        ]
        return "\n".join(lines)


class Case(Struct, frozen=True):
    """A domain with both answers."""

    domain: str
    report: Report
    outcomes: Mapping[str, Outcome]

    @property
    def delivered(self) -> tuple[str, ...]:
        return tuple(level for level in LEVELS if self.outcomes[level].delivered)

    def differs(self, what: str, *levels: str) -> Disagreement:
        """A disagreement, with the last lines of the log about these levels."""
        evidence = [f"{level}: {line}" for level in levels for line in self.outcomes[level].evidence[-4:]]
        return Disagreement(self.domain, what, self.delivered, self.report, tuple(evidence))


def alone(case: Case) -> list[Disagreement]:
    """A domain whose sustained levels must be exactly those that delivered."""
    found = []
    for level in LEVELS:
        delivered, sustained = case.outcomes[level].delivered, level in case.report["sustained"]
        if delivered != sustained:
            found.append(case.differs(f"{level} is {'delivered' if delivered else 'lost'}", level))
    return found


def needlessly_open(case: Case) -> list[Disagreement]:
    """A level left open although Postfix, too, met something that no later attempt would change."""
    levels = [level for level in LEVELS if level in case.report["unknown"] and not passing(case.outcomes[level])]
    return [case.differs(f"{level} is left open, but Postfix settles it", level) for level in levels]


def passing(outcome: Outcome) -> bool:
    """Whether the last attempt failed for a reason that may pass."""
    attempts = [line for line in outcome.evidence if "status=" in line and "status=expired" not in line]
    return not attempts or bool(PASSING.search(attempts[-1]))


def together(case: Case, deliveries: Deliveries, reports: Mapping[str, Report]) -> list[Disagreement]:
    """A domain with several hosts; each has a domain of its own too: `mx.NAME.test` stands alone as `NAME.test`."""
    found = []
    hosts = [each["mx_host"].removeprefix("mx.") for each in case.report["endpoints"] if each["state"] in ANSWERED]
    for level in LEVELS:
        each_delivers = bool(hosts) and all(deliveries[host][level].delivered for host in hosts)
        open_for_one = any(level in reports[host]["unknown"] for host in hosts)
        sustained, unknown = level in case.report["sustained"], level in case.report["unknown"]
        if sustained != each_delivers and not (unknown and open_for_one):
            does = "delivers" if each_delivers else "does not deliver"
            found.append(case.differs(f"{level}: every answering host alone {does}", level))
    return found


def sound(case: Case) -> list[Disagreement]:
    """What is called sustained must have been delivered."""
    lost = [level for level in LEVELS if level in case.report["sustained"] and level not in case.delivered]
    return [case.differs(f"sustained, and lost: {lost}", *lost)] if lost else []


def some_mx(case: Case, *, at_most: bool = False) -> list[Disagreement]:
    """The "some MX" grade against the strongest level that delivered; open where a host left that level open."""
    grade, best = case.report["some_mx_grade"], strength(case.delivered)
    if grade == "INCONCLUSIVE":
        endpoints = case.report["endpoints"]
        settled = endpoints and all(each["state"] == "ok" and not each["unknown"] for each in endpoints)
        return [case.differs("some MX is inconclusive although all is known", *LEVELS)] if settled else []
    said = strength(() if grade == "NO_MAIL" else (grade,))
    if said == best or (at_most and said <= best):
        return []
    return [case.differs(f"some MX is {grade}", *LEVELS)]


def strength(levels: tuple[str, ...]) -> int:
    """0 for none, then the levels in order."""
    return max((LEVELS.index(level) + 1 for level in levels), default=0)


def today(case: Case, arrived: str | None) -> list[Disagreement]:
    """How mail arrived at MAY, by the receiver, against what tlsaudit says mail gets today."""
    said = case.report["today"]
    right = {"tls": {"encrypted", "authenticated"}, "clear": {"clear"}, None: {"lost"}}[arrived]
    return [] if said in right or said == "unknown" else [case.differs(f"today {said}, arrived {arrived}", "MAY")]

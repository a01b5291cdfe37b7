"""The "some MX" grade: the strongest level at which mail still gets through by one of the hosts.

smtp(8) tries hosts in order of preference, and equal ones in random order. The walk below takes the worst order that
chance can give, so what it calls sustained is sustained in every order.
"""

from collections.abc import Iterable
from itertools import groupby

from audits.verdicts import EndpointVerdict, Grade, State
from scanner.facts import Fact, Level

ADDRESS_LIMIT = 5
"""smtp_mx_address_limit."""
SESSION_LIMIT = 2
"""smtp_mx_session_limit: sessions that got past EHLO and STARTTLS."""


def some_mx_grade(endpoints: Iterable[EndpointVerdict]) -> Grade:
    """The strongest level that delivers through some host; INCONCLUSIVE where an open question hides it."""
    hosts = sorted(endpoints, key=lambda verdict: verdict.ref.preference)
    if not any(verdict.answers for verdict in hosts):
        return Grade.INCONCLUSIVE
    for level in reversed(Level):
        match _delivers(level, hosts):
            case Fact.YES:
                return Grade(level.value)
            case Fact.INCONCLUSIVE:
                return Grade.INCONCLUSIVE
    return Grade.NO_MAIL


def _delivers(level: Level, hosts: list[EndpointVerdict]) -> Fact:
    """One walk over the hosts at one level: bounce, success, or no host left."""
    tried = sessions = 0
    open_question = False
    for verdict in _worst_order(level, hosts):
        if tried == ADDRESS_LIMIT or sessions == SESSION_LIMIT:
            break
        tried += 1
        answer = verdict.answer(level)
        if answer is None:
            continue
        if answer.sustained is Fact.YES:
            return Fact.YES
        if answer.bounces and answer.sustained is Fact.NO:
            break
        open_question |= answer.sustained is Fact.INCONCLUSIVE
        sessions += _gets_past_starttls(verdict)
    return Fact.INCONCLUSIVE if open_question else Fact.NO


def _worst_order(level: Level, hosts: list[EndpointVerdict]) -> Iterable[EndpointVerdict]:
    for _, equal in groupby(hosts, key=lambda verdict: verdict.ref.preference):
        yield from sorted(equal, key=lambda verdict: _badness(level, verdict))


def _badness(level: Level, verdict: EndpointVerdict) -> int:
    """Bouncing hosts first, then those that use up a session, then the others, and last the one that delivers."""
    answer = verdict.answer(level)
    if answer is None:
        return 2
    if answer.sustained is Fact.YES:
        return 3
    if answer.bounces and answer.sustained is Fact.NO:
        return 0
    return 1 if _gets_past_starttls(verdict) else 2


def _gets_past_starttls(verdict: EndpointVerdict) -> bool:
    """Whether a session with this host counts against the limit: it got through EHLO inside TLS."""
    return verdict.state is State.OK and verdict.seen is not None and verdict.seen.tls0 is Fact.YES

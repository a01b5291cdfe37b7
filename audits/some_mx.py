"""The "some MX" grade: the strongest level at which mail still gets through by one of the hosts.

smtp(8) tries hosts in order of preference, and equal ones in random order. The walk below takes the worst order that
chance can give, so what it calls sustained is sustained in every order. A host whose level is open is taken for what it
did: it let the mail go on to the next one. Hosts that did not answer count neither for nor against a level, but as
Postfix spends its attempts on them too, a walk that ends on their account ends without a result.
"""

from collections.abc import Iterable
from itertools import groupby

from audits.levels import LevelAnswer
from audits.verdicts import EndpointVerdict, Grade
from scanner.facts import Fact, Level

ADDRESS_LIMIT = 5
"""smtp_mx_address_limit."""
SESSION_LIMIT = 2
"""smtp_mx_session_limit: sessions that failed behind EHLO and STARTTLS; one that fails before them does not count."""


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
    """One walk over the hosts at one level: success, bounce, a limit, or no host left."""
    answers = _in_worst_order(level, hosts)
    tried, hidden = answers[:ADDRESS_LIMIT], answers[ADDRESS_LIMIT:]
    is_open = False
    sessions = 0
    for answer in tried:
        if answer is None:
            continue
        if answer.sustained is Fact.YES:
            return Fact.YES
        is_open |= answer.sustained is Fact.INCONCLUSIVE
        sessions += answer.late
        if answer.bounces or sessions == SESSION_LIMIT:
            break
    else:
        is_open |= None in tried and any(answer and answer.sustained is not Fact.NO for answer in hidden)
    return Fact.INCONCLUSIVE if is_open else Fact.NO


def _in_worst_order(level: Level, hosts: list[EndpointVerdict]) -> list[LevelAnswer | None]:
    groups = groupby(hosts, key=lambda verdict: verdict.ref.preference)
    return [a for _, equal in groups for a in sorted((verdict.answer(level) for verdict in equal), key=_goodness)]


def _goodness(answer: LevelAnswer | None) -> int:
    """First what fails for certain, then what is open, last what delivers; among equals the order changes nothing."""
    if answer is None:
        return 2
    return {Fact.NO: 0, Fact.YES: 3}.get(answer.sustained, 1)

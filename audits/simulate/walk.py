"""One message over all hosts of its next-hops: which ends are possible (smtp_connect.c, smtp_connect_inet).

Hosts are tried in order of preference, equal ones in any order. At most smtp_mx_address_limit addresses are tried for
one next-hop, and smtp_mx_session_limit sessions that got past EHLO and STARTTLS. A 5xx ends it at once; everything else
goes on to the next host, then to the next next-hop (a comma list, smtp_fallback_relay), and then the mail waits. When
it is old enough, a host whose TLS broke at the level may is tried again in clear.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from audits.reasons import Cause
from audits.simulate.outcomes import Kind, Outcome, Step, Why
from audits.simulate.sender import Limits

Group = tuple[Step, ...]
"""The hosts of one preference."""


class Hop(msgspec.Struct, frozen=True):
    """One next-hop: its hosts by preference, or the end that it comes to without any (`failure`).

    `failure` BOUNCED is for a domain that does not exist, and a later next-hop is tried all the same.
    """

    groups: tuple[Group, ...] = ()
    failure: Outcome | None = None


class _State(msgspec.Struct, frozen=True):
    """A walk so far: `last` is the trouble that the log will give for the deferral; `silent` that a host was mute."""

    tried: int = 0
    sessions: int = 0
    last: Why | None = None
    silent: bool = False


def possible_outcomes(hops: Sequence[Hop], limits: Limits) -> tuple[Outcome, ...]:
    """All ends that chance allows, sorted; one in nearly every case."""
    first = _first_attempts(tuple(hops), limits)
    found = {outcome for outcome in first if outcome.kind is not Kind.DEFERRED}
    waiting = first - found
    if waiting:
        # Every attempt draws the order of equal hosts anew, so the mail waits only until some order delivers it.
        why = min(waiting, key=repr)
        again = {end for end in _first_attempts(_in_clear(hops), limits) if end.kind is not Kind.DEFERRED}
        found |= {_late(end, why) for end in again} or waiting
    return tuple(sorted(found, key=repr))


def as_scanned(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """The hosts as they behaved during the scan: what was silent stays silent, what said 4xx says it again."""
    return tuple(
        Hop(tuple(tuple(map(_as_scanned, group)) for group in hop.groups), _failed_again(hop.failure)) for hop in hops
    )


def _as_scanned(step: Step) -> Step:
    return msgspec.structs.replace(step, kind=step.seen or step.kind, silent=False)


def _failed_again(failure: Outcome | None) -> Outcome | None:
    unanswered = failure is not None and failure.cause == Cause.DNS_UNANSWERED
    return msgspec.structs.replace(failure, kind=Kind.DEFERRED) if failure and unanswered else failure


def _in_clear(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """The hops as a later attempt meets them: where TLS breaks, the same host at once in clear."""
    return tuple(
        msgspec.structs.replace(hop, groups=tuple(tuple(step.later or step for step in group) for group in hop.groups))
        for hop in hops
    )


def _late(outcome: Outcome, first: Outcome) -> Outcome:
    """An end behind a deferral. In clear it has a word of its own; why it waited is told by the first attempt."""
    if outcome.kind is Kind.CLEAR:
        return Outcome(Kind.THEN_CLEAR, None, first.cause, first.detail, late=True)
    return msgspec.structs.replace(outcome, late=True)


def _first_attempts(hops: tuple[Hop, ...], limits: Limits) -> set[Outcome]:
    """The ends of one attempt over all next-hops."""
    ends: set[Outcome] = set()
    states: set[_State] = {_State()}
    for hop in hops:
        reached: set[_State] = set()
        for state in states:
            if hop.failure is not None:
                ends_here, passed = _without_hosts(hop.failure, state, hop is hops[-1])
            else:
                ends_here, passed = _over(hop.groups, limits, state)
            ends |= ends_here
            reached |= passed
        states = reached
    return ends | {_left_over(state) for state in states}


def _without_hosts(failure: Outcome, state: _State, is_last: bool) -> tuple[set[Outcome], set[_State]]:
    """A next-hop without hosts: what it comes to is the end only where no other is left."""
    if is_last or failure.kind is Kind.UNKNOWN:
        return {failure}, set()
    return set(), {msgspec.structs.replace(state, last=Why(failure.cause, failure.detail))}


def _left_over(state: _State) -> Outcome:
    """Nobody took it: deferred, unless a host that was mute during the scan may take it another day."""
    kind = Kind.UNKNOWN if state.silent else Kind.DEFERRED
    return Outcome(kind, None, state.last.cause if state.last else "", state.last.detail if state.last else "")


def _over(groups: tuple[Group, ...], limits: Limits, state: _State) -> tuple[set[Outcome], set[_State]]:
    """Ends over the hosts of one next-hop, and the states in which the next next-hop is tried."""
    ends: set[Outcome] = set()
    passed: set[_State] = set()

    @cache
    def visit(at: int, left: Group, state: _State) -> None:
        while not left:
            at += 1
            if at == len(groups):
                passed.add(state)
                return
            left = _sorted(groups[at])
        for place, step in enumerate(left):
            if place and step == left[place - 1]:
                continue
            end, after = _after(step, state, limits)
            if end is not None:
                ends.add(end)
            elif _is_over(after, limits):
                passed.add(_closed(after, (*left[:place], *left[place + 1 :], *_rest(groups, at))))
            else:
                visit(at, (*left[:place], *left[place + 1 :]), after)

    visit(-1, (), msgspec.structs.replace(state, tried=0, sessions=0))
    return ends, passed


def _sorted(group: Group) -> Group:
    return tuple(sorted(group, key=repr))


def _rest(groups: tuple[Group, ...], at: int) -> Iterable[Step]:
    return (step for group in groups[at + 1 :] for step in group)


def _after(step: Step, state: _State, limits: Limits) -> tuple[Outcome | None, _State]:
    cause = (step.why.cause, step.why.detail) if step.why else ("", "")
    if step.kind in (Kind.CLEAR, Kind.TLS):
        return Outcome(step.kind, step.word, *cause), state
    if step.kind in (Kind.BOUNCED, Kind.UNKNOWN):
        return Outcome(step.kind, None, *cause), state
    return None, _State(
        state.tried + 1, state.sessions + step.late, step.why or state.last, state.silent or step.silent
    )


def _is_over(state: _State, limits: Limits) -> bool:
    return state.tried == limits.addresses or state.sessions == limits.sessions > 0


def _closed(state: _State, unseen: Iterable[Step]) -> _State:
    """A limit was met. Mute hosts spend the attempts of others; what those would have done stays open."""
    return msgspec.structs.replace(state, silent=state.silent and any(unseen))

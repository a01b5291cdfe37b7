"""What the sessions with one endpoint establish together: clear text, STARTTLS, TLS at the two security levels.

Each answer is yes, no or inconclusive. A "no" about TLS needs two sessions that say so, one of them with the small
classic hello; sessions that contradict each other establish nothing. Postfix runs MAY and MUST_NOPEERMATCH at OpenSSL's
security level 0 and MUST at level 1, so "does TLS work" is two questions.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from scanner.facts import EndpointFacts, Fact, SessionFacts, Transport
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.tls_facts import LEVEL1_VERSIONS, OTHER_CHAINS, HandshakeFacts, HelloStyle


class Starttls(StrEnum):
    """What a server does about STARTTLS, as Postfix tells it apart."""

    ACCEPTED = "accepted"
    IMPLICIT = "implicit"
    """TLS begins at once (port 465), so that nobody asks for it."""
    NOT_OFFERED = "not-offered"
    REFUSED = "refused"
    """Neither 2xx nor 4xx to the command, and the session goes on: MAY delivers in clear, MUST bounces at once."""
    REFUSED_AND_CLOSED = "refused-and-closed"
    """5xx to the command, and the connection ends with it: MAY has nowhere to go on, MUST bounces at once."""
    DEFERRED = "deferred"
    """4xx to the command, or to EHLO and not to HELO, and the session goes on: MAY delivers in clear, MUST waits."""
    UNSETTLED = "unsettled"


class _Inside(StrEnum):
    """How a session went on in which TLS was started."""

    WORKS = "works"
    REFUSED = "refused"
    """A 5xx inside TLS: the mail comes back at every level above NONE."""
    BROKEN = "broken"
    """The handshake failed or the connection ended, without a reply."""
    SILENT = "silent"
    """Nothing came in time, or nothing that can be read."""
    OPEN = "open"
    """A 4xx: the server's mood, which says nothing."""


_VOTES = {_Inside.WORKS: Fact.YES, _Inside.REFUSED: Fact.NO, _Inside.BROKEN: Fact.NO}
"""Whether TLS works, by one session; silence and 4xx replies do not say."""


class Observed(msgspec.Struct, frozen=True):
    """What is established about an endpoint.

    `answered`: a reply to EHLO or HELO was read. `clear`: mail in clear text is taken (as far as was asked). `tls0` and
    `tls1`: a whole session inside TLS works at security level 0 and 1. `handshake`: some handshake was completed.
    `breaks`: TLS is lost without a reply, in two sessions at least; no where one works, or all are ended by a 5xx.
    `differ`: two sessions contradict each other. `deciding` is the session whose chain decides MUST. `failure` is the
    last one seen; the three troubles are what kept mail from going on in clear, at STARTTLS and inside TLS.
    """

    answered: bool
    clear: Fact
    starttls: Starttls
    handshake: bool
    tls0: Fact
    tls1: Fact
    breaks: Fact
    differ: bool = False
    deciding: SessionFacts | None = None
    failure: ProbeFailure | None = None
    clear_trouble: ProbeFailure | None = None
    starttls_trouble: ProbeFailure | None = None
    tls_trouble: ProbeFailure | None = None


def observed(facts: EndpointFacts) -> Observed:
    """Reads the sessions of an endpoint."""
    sessions = tuple(session for session in facts.sessions if session.hello not in OTHER_CHAINS)
    inside = [(session, _inside(session)) for session in sessions if _tls_started(session)]
    handshakes = [session for session in sessions if session.handshake]
    whole = [session for session, outcome in inside if outcome is _Inside.WORKS]
    strong = [session for session in whole if session.hello is not HelloStyle.CLASSIC]
    implicit = facts.endpoint.transport is Transport.IMPLICIT
    clear = {_clear(session) for session in _asked_in_clear(sessions)} - {None}
    starttls = {_starttls_of(session) for session in sessions} - {None, Starttls.UNSETTLED}
    return Observed(
        answered=any(_answered(session) for session in sessions),
        clear=_clear_on_tls_port(handshakes) if implicit else _agreed(clear),
        starttls=Starttls.IMPLICIT if implicit else _starttls(sessions),
        handshake=bool(handshakes),
        tls0=_tls_at_level0(inside),
        tls1=_tls_at_level1(inside),
        breaks=_breaks(inside),
        differ=len(starttls) > 1 or {Fact.YES, Fact.NO} <= clear,
        deciding=next(iter(strong or whole or handshakes), None),
        failure=facts.failure or next((s.failure for s in reversed(sessions) if s.failure), None),
        clear_trouble=_most_telling(map(_trouble_in_clear, sessions)),
        starttls_trouble=_most_telling(map(_trouble_at_starttls, sessions)),
        tls_trouble=_most_telling(map(_trouble_inside, sessions)),
    )


def _ok(*replies: SmtpReply | None) -> bool:
    return any(reply is not None and reply.severity == 2 for reply in replies)


def _answered(session: SessionFacts) -> bool:
    return any(reply is not None for reply in (session.ehlo, session.helo, session.ehlo_tls, session.helo_tls))


def _tls_started(session: SessionFacts) -> bool:
    return _ok(session.starttls) or session.handshake is not None


def _fails_at(session: SessionFacts, stage: Stage) -> bool:
    return session.failure is not None and session.failure.stage is stage


# --- in clear ------------------------------------------------------------------------------------------------------


def _asked_in_clear(sessions: tuple[SessionFacts, ...]) -> tuple[SessionFacts, ...]:
    """The sessions that put the question furthest: where one says MAIL in clear, those without it prove nothing."""
    asked = tuple(s for s in sessions if s.mail_clear is not None or _fails_at(s, Stage.MAIL))
    return asked or sessions


def _clear(session: SessionFacts) -> Fact | None:
    """Whether this session shows that mail in clear text is taken; None where it did not come so far.

    A refused EHLO and HELO is as open as a refused greeting: servers say so to a client whose name or address they
    dislike, and those were ours.
    """
    if not _ok(session.ehlo, session.helo):
        return None
    if session.mail_clear is not None:
        return {2: Fact.YES, 4: Fact.INCONCLUSIVE}.get(session.mail_clear.severity, Fact.NO)
    return Fact.INCONCLUSIVE if _fails_at(session, Stage.MAIL) else Fact.YES


def _agreed(answers: set[Fact | None]) -> Fact:
    """The common answer; inconclusive where none was given or two contradict each other."""
    given = answers - {Fact.INCONCLUSIVE}
    return (given.pop() if len(given) == 1 else None) or Fact.INCONCLUSIVE


def _clear_on_tls_port(handshakes: list[SessionFacts]) -> Fact:
    return Fact.NO if handshakes else Fact.INCONCLUSIVE


# --- STARTTLS ------------------------------------------------------------------------------------------------------


def _starttls(sessions: tuple[SessionFacts, ...]) -> Starttls:
    """What all sessions say that came so far; what is not ACCEPTED counts only when two say it.

    A session that breaks off at STARTTLS says nothing of its own, and takes nothing from one that was accepted.
    """
    states = [state for session in sessions if (state := _starttls_of(session)) is not None]
    if set(states) - {Starttls.UNSETTLED} == {Starttls.ACCEPTED}:
        return Starttls.ACCEPTED
    return states[0] if len(states) >= 2 and len(set(states)) == 1 else Starttls.UNSETTLED


def _starttls_of(session: SessionFacts) -> Starttls | None:
    if not _ok(session.ehlo, session.helo):
        return None
    failure = session.failure
    if session.starttls is None:
        if failure is not None and failure.stage is Stage.MAIL:
            return None
        if failure is not None and failure.stage is Stage.STARTTLS:
            return Starttls.UNSETTLED
        return Starttls.DEFERRED if _ehlo_delayed(session) else Starttls.NOT_OFFERED
    if _ok(session.starttls):
        return Starttls.ACCEPTED
    if failure is None or failure.reply != session.starttls:
        return Starttls.REFUSED_AND_CLOSED if _closed_on(session.starttls, failure) else Starttls.UNSETTLED
    return Starttls.DEFERRED if session.starttls.severity == 4 else Starttls.REFUSED


def _closed_on(refusal: SmtpReply, failure: ProbeFailure | None) -> bool:
    return refusal.severity == 5 and failure is not None and failure.kind in (Kind.CLOSED, Kind.RESET)


def _ehlo_delayed(session: SessionFacts) -> bool:
    """4xx to EHLO, then HELO was taken: what EHLO would have shown remains open."""
    return session.ehlo is not None and session.ehlo.severity == 4


# --- inside TLS ----------------------------------------------------------------------------------------------------


def _inside(session: SessionFacts) -> _Inside:
    """A reply to MAIL decides: what happens at our RSET behind it never happens to a delivery."""
    failure = session.failure
    if failure is not None and failure.kind is Kind.PERMANENT:
        return _Inside.REFUSED
    if session.mail_tls is not None:
        return {2: _Inside.WORKS, 4: _Inside.OPEN}.get(session.mail_tls.severity, _Inside.REFUSED)
    if failure is None:
        return _Inside.WORKS
    if failure.reply is not None or not failure.asked:
        return _Inside.OPEN
    return _Inside.BROKEN if failure.kind in (Kind.TLS, Kind.CLOSED, Kind.RESET) else _Inside.SILENT


def _is_confirmed(inside: list[tuple[SessionFacts, _Inside]]) -> bool:
    """Two sessions, one of them with the small hello: what fails for both fails for everybody.

    The small hello names one curve. Where TLS itself refuses it, that says nothing of a session that failed in another
    way, perhaps by chance: then two of those are needed.
    """
    small = [session for session, _ in inside if session.hello is HelloStyle.CLASSIC]
    others = [session for session, _ in inside if session.hello is not HelloStyle.CLASSIC]
    if any(not session.is_refused_by_tls for session in small):
        return len(inside) >= 2
    return bool(small) and (len(others) >= 2 or any(session.is_refused_by_tls for session in others))


def _tls_at_level0(inside: list[tuple[SessionFacts, _Inside]]) -> Fact:
    """What works at level 1 works at level 0, whose offer contains the other."""
    votes = {_VOTES.get(outcome, Fact.INCONCLUSIVE) for _, outcome in inside}
    if Fact.YES in votes:
        return Fact.YES
    return Fact.NO if votes == {Fact.NO} and _is_confirmed(inside) else Fact.INCONCLUSIVE


def _breaks(inside: list[tuple[SessionFacts, _Inside]]) -> Fact:
    outcomes = {outcome for _, outcome in inside}
    if _Inside.WORKS in outcomes or outcomes == {_Inside.REFUSED}:
        return Fact.NO
    lost = _is_confirmed(inside) and outcomes <= {_Inside.BROKEN, _Inside.SILENT}
    return Fact.YES if lost else Fact.INCONCLUSIVE


def _tls_at_level1(inside: list[tuple[SessionFacts, _Inside]]) -> Fact:
    """No, where two sessions at level 1 failed, or one did and the session at level 0 shows that it had to.

    Unless level 0 fails too, level 1 must have failed by TLS itself: a connection that was only lost may have been lost
    by chance, every other one say. What level 0 got in TLS 1.3 level 1 allows as well, so that the two contradict each
    other.
    """
    votes = [_VOTES.get(outcome, Fact.INCONCLUSIVE) for session, outcome in inside if _is_level1(session)]
    if Fact.YES in votes:
        return Fact.YES
    if not votes or Fact.INCONCLUSIVE in votes:
        return Fact.INCONCLUSIVE
    had_to = _tls_at_level0(inside) is Fact.NO or any(
        outcome is _Inside.WORKS and session.handshake and _is_too_weak(session.handshake, inside)
        for session, outcome in inside
    )
    by_chance = any(_is_level1(session) and _was_lost(session) for session, _ in inside) or any(
        outcome is _Inside.WORKS and session.handshake and session.handshake.version == "TLSv1.3"
        for session, outcome in inside
    )
    return Fact.NO if had_to or (len(votes) >= 2 and not by_chance) else Fact.INCONCLUSIVE


def _was_lost(session: SessionFacts) -> bool:
    return session.failure is not None and session.failure.kind in (Kind.CLOSED, Kind.RESET)


def _is_level1(session: SessionFacts) -> bool:
    return session.hello is not HelloStyle.CLASSIC


def _is_too_weak(handshake: HandshakeFacts, inside: list[tuple[SessionFacts, _Inside]]) -> bool:
    """Whether a handshake at level 0 explains why one at level 1 failed.

    An anonymous suite alone does not: Postfix prefers it although it has a certificate, and the classic hello offers it
    first. Together with a TLS error at level 1 it does; a connection that was only lost may have been lost by chance.
    """
    if handshake.version not in LEVEL1_VERSIONS:
        return True
    alerts = (s.failure for s, _ in inside if _is_level1(s) and s.handshake is None and s.failure)
    return not handshake.chain and any(failure.kind is Kind.TLS for failure in alerts)


# --- what went wrong, in the server's words ------------------------------------------------------------------------


def _trouble_in_clear(session: SessionFacts) -> ProbeFailure | None:
    if session.mail_clear is not None and not _ok(session.mail_clear):
        return _refusal(Stage.MAIL, session.mail_clear)
    failure = session.failure
    before = (Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.MAIL)
    return failure if failure is not None and failure.stage in before else None


def _trouble_at_starttls(session: SessionFacts) -> ProbeFailure | None:
    if session.starttls is not None and not _ok(session.starttls):
        return _refusal(Stage.STARTTLS, session.starttls)
    if session.ehlo is not None and _ehlo_delayed(session) and _ok(session.helo):
        return _refusal(Stage.EHLO, session.ehlo)
    failure = session.failure
    before = (Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.STARTTLS)
    return failure if failure is not None and failure.stage in before else None


def _trouble_inside(session: SessionFacts) -> ProbeFailure | None:
    if session.mail_tls is not None and not _ok(session.mail_tls):
        return _refusal(Stage.MAIL_TLS, session.mail_tls)
    return session.failure if _tls_started(session) else None


def _refusal(stage: Stage, reply: SmtpReply) -> ProbeFailure:
    return ProbeFailure(stage, Kind.TEMPORARY if reply.severity == 4 else Kind.PERMANENT, reply=reply)


def _most_telling(troubles: Iterable[ProbeFailure | None]) -> ProbeFailure | None:
    """The first 5xx, which is an answer; else the last trouble."""
    known = [trouble for trouble in troubles if trouble is not None]
    permanent = [trouble for trouble in known if trouble.kind is Kind.PERMANENT]
    return next(iter(permanent or reversed(known)), None)

"""What the sessions with one endpoint establish together: clear text, STARTTLS, TLS at the two security levels.

Each answer is yes, no or inconclusive. A "no" about TLS needs two sessions that say so; sessions that contradict each
other establish nothing. Postfix runs MAY and MUST_NOPEERMATCH at OpenSSL's security level 0 and MUST at level 1, so
"does TLS work" is two questions.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from scanner.facts import EndpointFacts, Fact, SessionFacts, Transport
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.tls_facts import HelloStyle

_TLS_ENDED = frozenset({Kind.TLS, Kind.CLOSED, Kind.RESET, Kind.PROTOCOL, Kind.PERMANENT})
"""Ways in which a session behind STARTTLS ends that say no; silence and 4xx replies say nothing."""


class Starttls(StrEnum):
    """What a server does about STARTTLS, as Postfix tells it apart."""

    ACCEPTED = "accepted"
    NOT_OFFERED = "not-offered"
    REFUSED = "refused"
    """5xx to the command, and the session goes on: MAY delivers in clear, MUST bounces at once."""
    DEFERRED = "deferred"
    """4xx to the command, and the session goes on: MAY delivers in clear, MUST waits."""
    UNSETTLED = "unsettled"


class Observed(msgspec.Struct, frozen=True):
    """What is established about an endpoint.

    `answered`: a reply to EHLO or HELO was read. `clear`: mail in clear text is taken (as far as was asked). `tls0` and
    `tls1`: a whole session inside TLS works at security level 0 and 1. `handshake`: some handshake was completed.
    `breaks`: two sessions or more were lost behind STARTTLS, and none was ended by a reply. `deciding` is the session whose chain decides MUST. `failure` is the most telling failure seen.
    """

    answered: bool
    clear: Fact
    starttls: Starttls
    handshake: Fact
    tls0: Fact
    tls1: Fact
    breaks: bool = False
    deciding: SessionFacts | None = None
    failure: ProbeFailure | None = None
    clear_reply: SmtpReply | None = None


def observed(facts: EndpointFacts) -> Observed:
    """Reads the sessions of an endpoint."""
    sessions = facts.sessions
    failure = facts.failure or next((s.failure for s in reversed(sessions) if s.failure), None)
    votes = [(session, _inside(session)) for session in sessions if _tls_started(session)]
    completed = [session for session, vote in votes if vote is Fact.YES]
    strong = [session for session in completed if session.hello is not HelloStyle.CLASSIC]
    handshakes = [session for session in sessions if session.handshake]
    return Observed(
        answered=any(_answered(session) for session in sessions),
        clear=_agreed(_clear(session) for session in sessions),
        starttls=_starttls(facts),
        handshake=Fact.YES if handshakes else _settled([vote for _, vote in votes]),
        tls0=_tls_at_level0(votes),
        tls1=_tls_at_level1(votes, strong),
        breaks=len(votes) >= 2 and all(_breaks(session) for session, _ in votes),
        deciding=next(iter(strong or completed or handshakes), None),
        failure=failure,
        clear_reply=next((s.mail_clear for s in sessions if s.mail_clear and s.mail_clear.severity != 2), None),
    )


def _ok(*replies: SmtpReply | None) -> bool:
    return any(reply is not None and reply.severity == 2 for reply in replies)


def _answered(session: SessionFacts) -> bool:
    return any(reply is not None for reply in (session.ehlo, session.helo, session.ehlo_tls, session.helo_tls))


def _tls_started(session: SessionFacts) -> bool:
    return _ok(session.starttls) or session.handshake is not None


def _clear(session: SessionFacts) -> Fact | None:
    """Whether this session shows that mail in clear text is taken; None where it did not come so far."""
    failure = session.failure
    if not _ok(session.ehlo, session.helo):
        refused = failure is not None and failure.stage is Stage.EHLO and failure.kind is Kind.PERMANENT
        return Fact.NO if refused else None
    if session.mail_clear is not None:
        return {2: Fact.YES, 5: Fact.NO}.get(session.mail_clear.severity, Fact.INCONCLUSIVE)
    return Fact.INCONCLUSIVE if failure is not None and failure.stage is Stage.MAIL else Fact.YES


def _agreed(answers: Iterable[Fact | None]) -> Fact:
    """The common answer; inconclusive where none was given or two contradict each other."""
    given = {answer for answer in answers if answer is not None}
    if len(given) > 1:
        given.discard(Fact.INCONCLUSIVE)
    return given.pop() if len(given) == 1 else Fact.INCONCLUSIVE


def _starttls(facts: EndpointFacts) -> Starttls:
    if facts.endpoint.transport is Transport.IMPLICIT:
        return Starttls.ACCEPTED
    seen = [_starttls_of(session) for session in facts.sessions]
    settled = [state for state in seen if state is not None]
    if Starttls.ACCEPTED in settled:
        return Starttls.ACCEPTED if len(set(settled)) == 1 else Starttls.UNSETTLED
    alike = len(settled) >= 2 and len(set(settled)) == 1
    return settled[0] if alike else Starttls.UNSETTLED


def _starttls_of(session: SessionFacts) -> Starttls | None:
    if not _ok(session.ehlo, session.helo):
        return None
    if session.starttls is None:
        silent = session.failure is not None and session.failure.stage is Stage.STARTTLS
        mute = session.failure is not None and session.failure.stage is Stage.MAIL
        return Starttls.UNSETTLED if silent else None if mute else Starttls.NOT_OFFERED
    if _ok(session.starttls):
        return Starttls.ACCEPTED
    if session.failure is None or session.failure.reply != session.starttls:
        return Starttls.UNSETTLED
    return Starttls.REFUSED if session.starttls.severity == 5 else Starttls.DEFERRED


def _inside(session: SessionFacts) -> Fact:
    """Whether this session, in which TLS was started, would have taken mail inside TLS."""
    failure = session.failure
    if failure is not None:
        return Fact.NO if failure.kind in _TLS_ENDED else Fact.INCONCLUSIVE
    if session.mail_tls is None:
        return Fact.YES
    return {2: Fact.YES, 5: Fact.NO}.get(session.mail_tls.severity, Fact.INCONCLUSIVE)


def _breaks(session: SessionFacts) -> bool:
    """Whether the connection was lost behind STARTTLS, without a reply that says why."""
    failure = session.failure
    return failure is not None and failure.reply is None and failure.kind is not Kind.PERMANENT


def _settled(votes: list[Fact]) -> Fact:
    """No, where two sessions say no and none says yes."""
    if Fact.YES in votes:
        return Fact.YES
    return Fact.NO if votes.count(Fact.NO) >= 2 and Fact.INCONCLUSIVE not in votes else Fact.INCONCLUSIVE


def _tls_at_level0(votes: list[tuple[SessionFacts, Fact]]) -> Fact:
    """What works at level 1 works at level 0, whose offer contains the other."""
    return _settled([vote for _, vote in votes])


def _tls_at_level1(votes: list[tuple[SessionFacts, Fact]], strong: list[SessionFacts]) -> Fact:
    if strong:
        return Fact.YES
    refusals = [vote for session, vote in votes if session.hello is not HelloStyle.CLASSIC]
    classic = [session for session, vote in votes if session.hello is HelloStyle.CLASSIC and vote is Fact.YES]
    if Fact.NO in refusals and any(session.handshake and not session.handshake.fits_level1 for session in classic):
        return Fact.NO
    return _settled(refusals if classic else [vote for _, vote in votes])

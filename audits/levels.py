"""Which Postfix levels an endpoint sustains, as far as is known: a set, not a ladder (ARCHITECTURE section 5).

For each level the question is put as Postfix would experience it. A level is sustained, or unknown, or neither: then
there is a reason. Nothing unknown ever lowers a level.
"""

from collections.abc import Iterable

import msgspec

from audits.reasons import Cause, Reason
from audits.sessions import Observed, Starttls
from scanner.facts import Fact, Level
from scanner.failures import Kind, ProbeFailure, Stage

LEVELS = (Level.NONE, Level.MAY, Level.MUST_NOPEERMATCH, Level.MUST)

DELAYED_THEN_CLEAR = "delayed-then-clear"
"""At MAY TLS fails, and Postfix 3 delivers in clear once the message is minimal_backoff_time old.

That is so for a failed handshake, and for a connection lost inside TLS, but not for a reply inside TLS that refuses.
"""


class Authentication(msgspec.Struct, frozen=True):
    """Whether the deciding chain is trusted and names the host; `reason` where it is not."""

    verified: Fact
    reason: Reason | None = None


class LevelAnswer(msgspec.Struct, frozen=True):
    """One level of one endpoint: sustained or not, and why not or why unknown.

    `bounces` is true where Postfix returns the mail at once instead of trying the next host.
    """

    level: Level
    sustained: Fact
    reason: Reason | None = None
    bounces: bool = False
    remark: str = ""


def level_answers(seen: Observed, authentication: Authentication) -> tuple[LevelAnswer, ...]:
    """The answers for the four levels, weakest first."""
    return (
        _none(seen),
        _may(seen),
        _encrypt(Level.MUST_NOPEERMATCH, seen, seen.tls0),
        _must(seen, authentication),
    )


def both(answers: Iterable[Fact]) -> Fact:
    """All of these must hold: no where one is no, else inconclusive where one is open, else yes."""
    given = set(answers)
    if Fact.NO in given:
        return Fact.NO
    return Fact.YES if given == {Fact.YES} else Fact.INCONCLUSIVE


def _none(seen: Observed) -> LevelAnswer:
    if seen.clear is Fact.YES:
        return LevelAnswer(Level.NONE, Fact.YES)
    if seen.clear is Fact.INCONCLUSIVE:
        return LevelAnswer(Level.NONE, Fact.INCONCLUSIVE, open_reason(seen))
    reply = seen.clear_reply
    words = reply.text if reply else str(seen.failure or "")
    cause = Cause.TLS_REQUIRED if reply is not None and reply.code == 530 else Cause.MAIL_REFUSED
    return LevelAnswer(Level.NONE, Fact.NO, Reason(cause, words), bounces=True)


def _may(seen: Observed) -> LevelAnswer:
    """MAY: TLS where it is offered; clear text where it is not, is refused, or (after a delay) is broken."""
    none = _none(seen)
    in_clear = LevelAnswer(Level.MAY, none.sustained, none.reason, none.bounces)
    if seen.starttls in (Starttls.NOT_OFFERED, Starttls.REFUSED, Starttls.DEFERRED):
        return in_clear
    if seen.starttls is Starttls.UNSETTLED:
        return LevelAnswer(Level.MAY, Fact.INCONCLUSIVE, open_reason(seen))
    if seen.tls0 is not Fact.YES and seen.breaks:
        return msgspec.structs.replace(in_clear, remark=DELAYED_THEN_CLEAR)
    return _encrypt(Level.MAY, seen, seen.tls0)


def _encrypt(level: Level, seen: Observed, tls: Fact) -> LevelAnswer:
    """A level at which a session inside TLS must work."""
    match seen.starttls:
        case Starttls.NOT_OFFERED:
            return LevelAnswer(level, Fact.NO, Reason(Cause.STARTTLS_NOT_SUPPORTED, "EHLO shows no STARTTLS"))
        case Starttls.REFUSED:
            return LevelAnswer(level, Fact.NO, Reason(Cause.STARTTLS_REFUSED, _words(seen)), bounces=True)
        case Starttls.DEFERRED | Starttls.UNSETTLED:
            return LevelAnswer(level, Fact.INCONCLUSIVE, open_reason(seen))
        case Starttls.ACCEPTED if tls is Fact.INCONCLUSIVE:
            return LevelAnswer(level, tls, open_reason(seen))
        case Starttls.ACCEPTED if tls is Fact.NO:
            return LevelAnswer(level, tls, _tls_reason(seen), bounces=_bounces_inside(seen))
    return LevelAnswer(level, Fact.YES)


def _must(seen: Observed, authentication: Authentication) -> LevelAnswer:
    encrypted = _encrypt(Level.MUST, seen, seen.tls1)
    if seen.tls0 is Fact.YES and encrypted.sustained is Fact.NO:
        return msgspec.structs.replace(encrypted, reason=_too_weak(seen))
    if encrypted.sustained is not Fact.YES:
        return encrypted
    return LevelAnswer(Level.MUST, authentication.verified, authentication.reason)


def _too_weak(seen: Observed) -> Reason:
    handshake = seen.deciding.handshake if seen.deciding else None
    if handshake is None:
        return Reason(Cause.HANDSHAKE_TOO_WEAK, _words(seen))
    if not handshake.chain:
        return Reason(Cause.NO_CERTIFICATE, f"the server offers only anonymous suites ({handshake.openssl_suite})")
    return Reason(Cause.HANDSHAKE_TOO_WEAK, f"only {handshake.version} with {handshake.openssl_suite} below level 1")


def _tls_reason(seen: Observed) -> Reason:
    if seen.handshake is Fact.YES:
        return Reason(Cause.TLS_SESSION_FAILED, _words(seen))
    return Reason(Cause.HANDSHAKE_FAILED, _words(seen))


def _bounces_inside(seen: Observed) -> bool:
    """A 5xx inside TLS returns the mail; a broken connection goes to the next host."""
    session = seen.deciding
    if session is None:
        return False
    refused = session.failure is not None and session.failure.kind is Kind.PERMANENT
    return refused or (session.mail_tls is not None and session.mail_tls.severity == 5)


def _words(seen: Observed) -> str:
    session = seen.deciding
    if session is not None and session.mail_tls is not None and session.mail_tls.severity != 2:
        return session.mail_tls.text
    return str(seen.failure or "")


def open_reason(seen: Observed) -> Reason:
    """Why a question stayed open."""
    failure = seen.failure
    if failure is None:
        reply = seen.clear_reply
        return Reason(Cause.THROTTLED, reply.text) if reply else Reason(Cause.CONTRADICTORY, "the sessions differ")
    return Reason(cause_of_failure(failure), str(failure))


def cause_of_failure(failure: ProbeFailure) -> Cause:
    """The word for a probe that got no answer."""
    if not failure.asked:
        return Cause.NOT_ASKED
    if failure.stage is Stage.DNS:
        return Cause.DNS_UNANSWERED
    if failure.kind is Kind.TEMPORARY or (failure.stage is Stage.GREETING and failure.kind is not Kind.PROTOCOL):
        return Cause.THROTTLED if failure.kind is not Kind.TIMEOUT else Cause.UNANSWERED
    return Cause.UNREACHABLE if failure.stage is Stage.CONNECT else Cause.UNANSWERED

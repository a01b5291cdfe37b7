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
from scanner.tls_facts import LEVEL1_VERSIONS

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

    `bounces`: a 5xx was seen, at which Postfix returns the mail at once instead of trying the next host. `late`: what
    went wrong stands behind EHLO and STARTTLS, so that the session counts against smtp_mx_session_limit. Both are false
    where the level is sustained.
    """

    level: Level
    sustained: Fact
    reason: Reason | None = None
    bounces: bool = False
    late: bool = False
    remark: str = ""


def level_answers(seen: Observed, authentication: Authentication) -> tuple[LevelAnswer, ...]:
    """The answers for the four levels, weakest first."""
    return (
        _in_clear(Level.NONE, seen),
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


def _in_clear(level: Level, seen: Observed) -> LevelAnswer:
    """A level at which the mail goes in clear text."""
    if seen.clear is Fact.YES:
        return LevelAnswer(level, Fact.YES)
    if seen.clear is Fact.INCONCLUSIVE:
        return _open(level, seen, seen.clear_trouble)
    return _not_sustained(level, _clear_reason(seen), seen.clear_trouble)


def _may(seen: Observed) -> LevelAnswer:
    """MAY: TLS where it is offered; clear text where it is not, is refused, or (after a delay) is broken."""
    if seen.starttls in (Starttls.NOT_OFFERED, Starttls.REFUSED, Starttls.DEFERRED):
        return _in_clear(Level.MAY, seen)
    if seen.starttls is Starttls.REFUSED_AND_CLOSED:
        return LevelAnswer(Level.MAY, Fact.NO, Reason(Cause.STARTTLS_REFUSED, str(seen.starttls_trouble or "")))
    if seen.starttls is Starttls.ACCEPTED and seen.breaks is Fact.YES:
        in_clear = _in_clear(Level.MAY, seen)
        delivers = in_clear.sustained is Fact.YES
        return msgspec.structs.replace(in_clear, remark=DELAYED_THEN_CLEAR) if delivers else in_clear
    lost_or_refused = seen.tls0 is Fact.NO and seen.breaks is Fact.INCONCLUSIVE
    return _encrypt(Level.MAY, seen, Fact.INCONCLUSIVE if lost_or_refused else seen.tls0)


def _encrypt(level: Level, seen: Observed, tls: Fact) -> LevelAnswer:
    """A level at which a session inside TLS must work."""
    match seen.starttls:
        case Starttls.NOT_OFFERED:
            return LevelAnswer(level, Fact.NO, Reason(Cause.STARTTLS_NOT_SUPPORTED, "EHLO shows no STARTTLS"))
        case Starttls.REFUSED | Starttls.REFUSED_AND_CLOSED:
            reason = Reason(Cause.STARTTLS_REFUSED, str(seen.starttls_trouble or ""))
            return _not_sustained(level, reason, seen.starttls_trouble)
        case Starttls.DEFERRED | Starttls.UNSETTLED:
            return _open(level, seen, seen.starttls_trouble)
    if tls is Fact.INCONCLUSIVE:
        return _open(level, seen, seen.tls_trouble)
    if tls is Fact.NO:
        cause = Cause.TLS_SESSION_FAILED if seen.handshake else Cause.HANDSHAKE_FAILED
        return _not_sustained(level, Reason(cause, str(seen.tls_trouble or "")), seen.tls_trouble)
    return LevelAnswer(level, Fact.YES)


def _must(seen: Observed, authentication: Authentication) -> LevelAnswer:
    """The certificate is looked at first: where it is not trusted, nothing that is said inside TLS is ever heard."""
    handshake = seen.deciding.handshake if seen.deciding else None
    inside = seen.tls_trouble is not None and seen.tls_trouble.stage in (Stage.EHLO_TLS, Stage.MAIL_TLS)
    if inside and handshake is not None and handshake.fits_level1 and authentication.verified is Fact.NO:
        return LevelAnswer(Level.MUST, Fact.NO, authentication.reason)
    encrypted = _encrypt(Level.MUST, seen, seen.tls1)
    if seen.tls0 is Fact.YES and encrypted.sustained is Fact.NO and encrypted.reason is not None:
        return msgspec.structs.replace(encrypted, reason=_too_weak(seen) or encrypted.reason)
    if encrypted.sustained is not Fact.YES:
        return encrypted
    return LevelAnswer(Level.MUST, authentication.verified, authentication.reason)


# --- answers and their reasons -------------------------------------------------------------------------------------


def _not_sustained(level: Level, reason: Reason, trouble: ProbeFailure | None) -> LevelAnswer:
    return LevelAnswer(level, Fact.NO, reason, _bounces(trouble), _is_late(trouble))


def _open(level: Level, seen: Observed, trouble: ProbeFailure | None) -> LevelAnswer:
    return LevelAnswer(level, Fact.INCONCLUSIVE, _open_reason(seen, trouble), _bounces(trouble), _is_late(trouble))


def _bounces(trouble: ProbeFailure | None) -> bool:
    """Whether a 5xx reply was read. Postfix takes one in the greeting for a reason to try the next host."""
    return trouble is not None and trouble.kind is Kind.PERMANENT and trouble.stage is not Stage.GREETING


def _is_late(trouble: ProbeFailure | None) -> bool:
    return trouble is not None and trouble.stage in (Stage.MAIL, Stage.MAIL_TLS)


def _clear_reason(seen: Observed) -> Reason:
    trouble = seen.clear_trouble
    if trouble is None or seen.starttls is Starttls.IMPLICIT:
        return Reason(Cause.TLS_REQUIRED, "TLS begins at once on this port")
    demands_tls = seen.tls0 is Fact.YES or (trouble.reply is not None and trouble.reply.code == 530)
    return Reason(Cause.TLS_REQUIRED if demands_tls else Cause.MAIL_REFUSED, str(trouble))


def _too_weak(seen: Observed) -> Reason | None:
    """Why level 1 fails where level 0 works, if it is the handshake that fails."""
    handshake = seen.deciding.handshake if seen.deciding else None
    if handshake is None or seen.tls_trouble is None or seen.tls_trouble.stage is not Stage.HANDSHAKE:
        return None
    if not handshake.chain:
        return Reason(Cause.NO_CERTIFICATE, f"the server offers only anonymous suites ({handshake.openssl_suite})")
    words = f"{handshake.version} with {handshake.openssl_suite}"
    if handshake.version not in LEVEL1_VERSIONS:
        return Reason(Cause.HANDSHAKE_TOO_WEAK, f"only {words}")
    return Reason(Cause.HANDSHAKE_TOO_WEAK, f"{words} at level 0, at level 1 {seen.tls_trouble}")


def _open_reason(seen: Observed, trouble: ProbeFailure | None) -> Reason:
    """Why a question stayed open: the server's words if it said any, else the last failure, else a lack of proof."""
    shown = trouble if trouble is not None and trouble.reply is not None else seen.failure or trouble
    if shown is not None and not _is_a_no(shown):
        return Reason(cause_of_failure(shown), str(shown))
    words = str(shown or "")
    if seen.differ:
        return Reason(Cause.CONTRADICTORY, words or "the sessions differ")
    return Reason(Cause.UNCONFIRMED, words or "seen in one session only")


def _is_a_no(failure: ProbeFailure) -> bool:
    """What would be a "no" if a second session said it too. A 5xx to EHLO may be about this client alone."""
    if failure.kind is Kind.PERMANENT:
        return failure.stage not in (Stage.GREETING, Stage.EHLO)
    behind_starttls = failure.stage in (Stage.HANDSHAKE, Stage.EHLO_TLS, Stage.MAIL_TLS)
    return behind_starttls and failure.kind in (Kind.TLS, Kind.CLOSED, Kind.RESET)


def cause_of_failure(failure: ProbeFailure) -> Cause:
    """The word for a probe that got no answer."""
    if not failure.asked:
        return Cause.NOT_ASKED
    if failure.stage is Stage.DNS:
        return Cause.DNSSEC_INVALID if failure.kind is Kind.BOGUS else Cause.DNS_UNANSWERED
    if failure.kind is Kind.TEMPORARY:
        return Cause.THROTTLED
    if failure.kind is Kind.PERMANENT:
        return Cause.CLIENT_REFUSED
    if failure.stage is Stage.GREETING and failure.kind in (Kind.CLOSED, Kind.RESET):
        return Cause.THROTTLED
    return Cause.UNREACHABLE if failure.stage is Stage.CONNECT else Cause.UNANSWERED

"""What smtp(8) does with one host at one resolved level, from the facts about its endpoint (smtp_proto.c, smtp_tls).

Each answer rests on the same sessions as the grade (`audits.levels`), under the sender's own trust anchors, protocols
and ciphers, and in the order of a delivery: STARTTLS, the handshake, the certificate, the session inside TLS. What no
fact settles is UNKNOWN, and says which fact is missing.
"""

import msgspec

from audits.dane import TlsaState
from audits.postfix.resolution import Resolution
from audits.postfix.tls_levels import TlsLevel
from audits.reasons import Cause
from audits.sessions import Starttls
from audits.simulate.certificate import outlived, server_name
from audits.simulate.dane_step import dane_step
from audits.simulate.host import Host, Meeting, lost, why_of
from audits.simulate.offer import Handshake
from audits.simulate.outcomes import Kind, SimulationCause, Step, Why, Word
from audits.simulate.sender import Sender
from audits.verdicts import State
from scanner.facts import Fact, Level, Transport
from scanner.failures import Stage
from scanner.tls_facts import LEVEL1_VERSIONS


def step_at(sender: Sender, resolution: Resolution, meeting: Meeting) -> Step:
    """One attempt to deliver over this host."""
    if resolution.level is TlsLevel.INVALID:
        return Step(Kind.NEXT_MX, why=Why(SimulationCause.POLICY_INVALID, resolution.why[-1].sentence))
    if sender.wrappermode and resolution.level.rank < TlsLevel.ENCRYPT.rank:
        words = "smtp_tls_wrappermode = yes needs encrypt or a stronger level"
        return Step(Kind.NEXT_MX, why=Why(SimulationCause.WRAPPERMODE_LEVEL, words))
    out_of_reach = _out_of_reach(sender, meeting)
    if out_of_reach is not None:
        return out_of_reach
    host = _under_its_name(Host(sender, resolution, meeting))
    if isinstance(host, Step):
        return host
    obstacle = _wrappermode(host)
    return obstacle if obstacle is not None else _with_word(host, _at_level(host, resolution.level))


def _out_of_reach(sender: Sender, meeting: Meeting) -> Step | None:
    """The step at a host that nobody asked, or that gave no answer during the scan."""
    failure = meeting.ref.failure
    if failure is not None and failure.stage is Stage.DNS:
        return Step(Kind.NEXT_MX, why=Why(Cause.DNS_UNANSWERED, str(failure)), silent=True)
    if meeting.facts is None or failure is not None:
        detail = str(failure or "the run has no facts about it")
        return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, detail))
    verdict = sender.judged(meeting.ref, meeting.facts)
    if verdict.seen is None or (not verdict.answers and verdict.state is State.NOT_ASKED):
        return Step(Kind.UNKNOWN, why=why_of(verdict))
    if not verdict.answers or not verdict.seen.answered:
        why = why_of(verdict) if verdict.reason else why_of(verdict.answers[0])
        return Step(Kind.NEXT_MX, why=why, silent=True)
    return None


def _under_its_name(host: Host) -> Host | Step:
    """The host as it shows itself to a client that sends a server name (SNI), where this one does.

    Where TLSA records decide, the name is theirs, whatever main.cf and the policy say.
    """
    meeting, level = host.meeting, host.resolution.level
    by_dane = level.needs_dnssec and meeting.dane is not None and meeting.dane.state is TlsaState.USABLE
    name = server_name(host.sender, host.resolution, (meeting.mx_host, meeting.next_hop))
    if not name or by_dane or level is TlsLevel.NONE or host.seen.starttls is not Starttls.ACCEPTED:
        return host
    named = host.meeting.named.get(name.lower())
    if named is None or not named.sessions:
        words = f"no handshake with the server name {name} was made"
        return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, words))
    return Host(host.sender, host.resolution, msgspec.structs.replace(host.meeting, facts=named))


def _wrappermode(host: Host) -> Step | None:
    """TLS that begins at once on one side and not on the other."""
    implicit = host.facts.endpoint.transport is Transport.IMPLICIT
    if host.sender.wrappermode == implicit:
        return None
    words = "TLS begins at once on this port" if implicit else "the server greets in clear on this port"
    return Step(Kind.NEXT_MX, why=Why(SimulationCause.WRAPPERMODE, words))


def _at_level(host: Host, level: TlsLevel) -> Step:
    match level:
        case TlsLevel.NONE:
            return _in_clear(host, Level.NONE)
        case TlsLevel.MAY:
            return _may(host)
        case TlsLevel.ENCRYPT:
            return _encrypt(host)
        case TlsLevel.DANE | TlsLevel.DANE_ONLY:
            found = dane_step(host, level)
            return found if isinstance(found, Step) else _at_level(host, found)
        case _:
            return _authenticated(host, level)


def _in_clear(host: Host, level: Level) -> Step:
    answer = host.answer(level)
    return Step(Kind.CLEAR) if answer.sustained is Fact.YES else lost(answer)


def _may(host: Host) -> Step:
    """TLS where it is offered; where it breaks, the next host, and later clear text."""
    seen = host.seen
    if seen.starttls is not Starttls.ACCEPTED:
        return _in_clear(host, Level.MAY) if seen.starttls is not Starttls.UNSETTLED else lost(host.answer(Level.MAY))
    shaken = host.handshake(TlsLevel.MAY)
    if seen.breaks is Fact.YES or (shaken.works is Fact.NO and seen.tls0 is not Fact.INCONCLUSIVE):
        return _broken(host, shaken.why or why_of(host.answer(Level.MUST_NOPEERMATCH)))
    if seen.tls0 is not Fact.YES:
        return lost(host.answer(Level.MAY))
    return _delivered(host, shaken) if shaken.works is Fact.YES else _untold(shaken)


def _broken(host: Host, why: Why | None) -> Step:
    later = _in_clear(host, Level.NONE) if host.sender.falls_back_to_clear else None
    return Step(Kind.NEXT_MX, why=why, later=later)


def _encrypt(host: Host) -> Step:
    answer = host.answer(Level.MUST_NOPEERMATCH)
    if not host.begins_tls:
        return lost(answer)
    shaken = host.handshake(TlsLevel.ENCRYPT)
    if shaken.works is Fact.NO and shaken.why is not None:
        return Step(Kind.NEXT_MX, why=shaken.why)
    if answer.sustained is not Fact.YES:
        return lost(answer)
    return _delivered(host, shaken) if shaken.works is Fact.YES else _untold(shaken)


def _authenticated(host: Host, level: TlsLevel) -> Step:
    """verify, secure, fingerprint: a handshake at security level 1, then the certificate, then the session in TLS."""
    encrypted = host.without_certificate()
    if not host.begins_tls:
        return lost(encrypted)
    shaken = host.handshake(level)
    if shaken.works is Fact.NO:
        return Step(Kind.NEXT_MX, why=shaken.why or _too_old(host) or why_of(host.answer(Level.MUST)))
    if shaken.works is not Fact.YES:
        return lost(encrypted) if encrypted.sustained is not Fact.YES else _untold(shaken)
    certificate = host.certificate(shaken)
    if isinstance(certificate, Why):
        return Step(Kind.UNKNOWN, Word.UNKNOWN, certificate)
    fault = host.mismatch(certificate)
    if fault is not None:
        kind = Kind.UNKNOWN if fault.cause == SimulationCause.NOT_SIMULATED else Kind.NEXT_MX
        return Step(kind, Word.UNKNOWN if kind is Kind.UNKNOWN else Word.UNTRUSTED, fault)
    ended = outlived(certificate, host.sender.now) if level.checks_ca else None
    if ended is not None:
        return Step(Kind.UNKNOWN, Word.UNKNOWN, ended)
    return Step(Kind.TLS, Word.VERIFIED) if encrypted.sustained is Fact.YES else lost(encrypted)


def _too_old(host: Host) -> Why | None:
    """A server that was heard to speak nothing newer than TLS 1.1, whatever else is wrong with it."""
    made = host.seen.deciding.handshake if host.seen.deciding else None
    if made is None or made.version in LEVEL1_VERSIONS:
        return None
    words = f"the server speaks {made.version}, and the level {host.resolution.level} needs TLS 1.2 or newer"
    return Why(SimulationCause.NO_COMMON_PROTOCOL, words)


# --- words -----------------------------------------------------------------------------------------------------------


def _delivered(host: Host, shaken: Handshake) -> Step:
    word = host.word(shaken)
    return Step(Kind.TLS, Word.UNKNOWN, word) if isinstance(word, Why) else Step(Kind.TLS, word)


def _with_word(host: Host, step: Step) -> Step:
    """Where the mail is lost behind a handshake that was completed, the log has its word all the same."""
    level = host.resolution.level
    if step.word is not None or step.kind is Kind.CLEAR or level is TlsLevel.NONE or not host.begins_tls:
        return step
    shaken = host.handshake(level)
    if shaken.works is not Fact.YES:
        return step
    return msgspec.structs.replace(step, word=_word_at(host, shaken))


def _word_at(host: Host, shaken: Handshake) -> Word:
    level = host.resolution.level
    if level.rank <= TlsLevel.ENCRYPT.rank:
        word = host.word(shaken)
        return Word.UNKNOWN if isinstance(word, Why) else word
    certificate = host.certificate(shaken)
    if level.needs_dnssec or isinstance(certificate, Why):
        return Word.UNKNOWN
    return Word.UNTRUSTED if host.mismatch(certificate) else Word.VERIFIED


def _untold(shaken: Handshake) -> Step:
    what = f"suites of {shaken.version}" if shaken.version else "protocol versions"
    return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, f"which {what} the server takes (--depth full)"))

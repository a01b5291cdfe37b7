"""What smtp(8) does with one host at one resolved level, from the facts about its endpoint (smtp_proto.c, smtp_tls).

Each answer rests on the same sessions as the grade (`audits.levels`), under the sender's own trust anchors, protocols
and ciphers. What no fact settles is UNKNOWN, and says which fact is missing.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from audits.dane import EndpointDane, TlsaState
from audits.grade import endpoint_verdict
from audits.levels import Authentication, LevelAnswer, level_answers
from audits.postfix.resolution import Resolution
from audits.postfix.tls_levels import TlsLevel
from audits.reasons import Cause
from audits.sessions import Observed, Starttls
from audits.simulate.certificate import Certificate, matched, seen_certificate, server_name
from audits.simulate.offer import Handshake, Offer, handshake_under
from audits.simulate.outcomes import Kind, SimulationCause, Step, Why, Word
from audits.simulate.sender import Sender
from audits.trust import NOT_TRUSTED, ChainVerdict, verify_chain
from audits.verdicts import EndpointVerdict, State
from scanner.facts import EndpointFacts, EndpointRef, Fact, Level, Transport
from scanner.failures import Stage
from scanner.tls_facts import LEVEL1_VERSIONS, OTHER_CHAINS, CertificateFacts, HelloStyle

LEVEL_OF = {TlsLevel.NONE: Level.NONE, TlsLevel.MAY: Level.MAY, TlsLevel.ENCRYPT: Level.MUST_NOPEERMATCH}


class Meeting(msgspec.Struct, frozen=True):
    """A host that the sender meets: how it is reached, what was seen, under the sender's own trust.

    `mx_host` is the name that a certificate must have; `next_hop` the domain, for the level secure; `named` the facts
    of handshakes that sent a server name, by that name; `dane` what the DNS says, where it was asked.
    """

    ref: EndpointRef
    mx_host: str
    next_hop: str
    facts: EndpointFacts | None
    named: dict[str, EndpointFacts] = {}
    dane: EndpointDane | None = None
    mx_secure: Fact = Fact.INCONCLUSIVE


class _Host:
    """One meeting of a sender; a class because every answer needs the same facts."""

    def __init__(self, sender: Sender, resolution: Resolution, meeting: Meeting) -> None:
        self.sender = sender
        self.resolution = resolution
        self.meeting = meeting
        self.verdict = judged(sender, meeting.ref, meeting.facts)
        assert self.verdict.seen is not None
        assert meeting.facts is not None
        self.seen: Observed = self.verdict.seen
        self.facts: EndpointFacts = meeting.facts

    def answer(self, level: Level) -> LevelAnswer:
        found = self.verdict.answer(level)
        assert found is not None
        return found

    def handshake(self, level: TlsLevel) -> Handshake:
        """The handshake of an attempt at this level, whatever comes behind it."""
        works = self._shaken_at_level1() if level.rank > TlsLevel.ENCRYPT.rank else self._shaken_at_level0()
        return handshake_under(self._offer(level), self.seen, self.facts.tls, works)

    def _offer(self, level: TlsLevel) -> Offer:
        """What is offered; TLS 1.0 and 1.1 rest on signatures that OpenSSL's security level 1 forbids."""
        offer = self.sender.offer(self.resolution, level)
        if level.rank <= TlsLevel.ENCRYPT.rank:
            return offer
        return msgspec.structs.replace(offer, versions=offer.versions & set(LEVEL1_VERSIONS))

    def _shaken_at_level0(self) -> Fact:
        return Fact.YES if self.seen.handshake else self.seen.tls0

    def _shaken_at_level1(self) -> Fact:
        weak = {HelloStyle.CLASSIC, *OTHER_CHAINS}
        if any(session.handshake for session in self.facts.sessions if session.hello not in weak):
            return Fact.YES
        return self.seen.tls1


def judged(sender: Sender, ref: EndpointRef, facts: EndpointFacts | None) -> EndpointVerdict:
    """The endpoint under the sender's trust anchors."""

    def verify(chain: Sequence[CertificateFacts], at: datetime) -> ChainVerdict:
        if sender.trust is None:
            return ChainVerdict(trusted=False, result=NOT_TRUSTED, reason="the sender has no trust anchors")
        return verify_chain(sender.trust, chain, at, sender.verify_depth)

    return endpoint_verdict(ref, facts, verify)


def step_at(sender: Sender, resolution: Resolution, meeting: Meeting) -> Step:
    """One attempt to deliver over this host."""
    if resolution.level is TlsLevel.INVALID:
        return Step(Kind.NEXT_MX, why=Why(SimulationCause.POLICY_INVALID, resolution.why[-1].sentence))
    failure = meeting.ref.failure
    if failure is not None and failure.stage is Stage.DNS:
        return Step(Kind.NEXT_MX, why=Why(Cause.DNS_UNANSWERED, str(failure)), silent=True)
    if meeting.facts is None or failure is not None:
        detail = str(failure or "the run has no facts about it")
        return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, detail))
    verdict = judged(sender, meeting.ref, meeting.facts)
    if verdict.seen is None:
        return Step(Kind.UNKNOWN, why=_told(verdict))
    if not verdict.answers or not verdict.seen.answered:
        why = _told(verdict) if verdict.reason else _why(verdict.answers[0])
        if verdict.state is State.NOT_ASKED:
            return Step(Kind.UNKNOWN, why=why)
        return Step(Kind.NEXT_MX, why=why, silent=True)
    name = server_name(sender, resolution)
    if name and resolution.level.rank > TlsLevel.NONE.rank and verdict.seen.starttls is Starttls.ACCEPTED:
        if (named := meeting.named.get(name.lower())) is None or not named.sessions:
            words = f"no handshake with the server name {name} was made"
            return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, words))
        meeting = msgspec.structs.replace(meeting, facts=named)
    host = _Host(sender, resolution, meeting)
    obstacle = _wrappermode(host)
    return obstacle if obstacle is not None else _with_word(host, _at_level(host, resolution.level))


def _at_level(host: _Host, level: TlsLevel) -> Step:
    match level:
        case TlsLevel.NONE:
            return _in_clear(host, Level.NONE)
        case TlsLevel.MAY:
            return _may(host)
        case TlsLevel.ENCRYPT:
            return _encrypt(host)
        case TlsLevel.DANE | TlsLevel.DANE_ONLY:
            return _dane(host, level)
        case _:
            return _authenticated(host, level)


def _wrappermode(host: _Host) -> Step | None:
    """TLS that begins at once on one side and not on the other."""
    implicit = host.facts.endpoint.transport is Transport.IMPLICIT
    if not host.sender.wrappermode and not implicit:
        return None
    if host.sender.wrappermode and host.resolution.level.rank < TlsLevel.ENCRYPT.rank:
        return Step(Kind.NEXT_MX, why=Why(SimulationCause.WRAPPERMODE, "smtp_tls_wrappermode needs the level encrypt"))
    if host.sender.wrappermode and implicit:
        return None
    if host.sender.wrappermode:
        return Step(Kind.NEXT_MX, why=Why(SimulationCause.WRAPPERMODE, "the server greets in clear on this port"))
    return Step(Kind.NEXT_MX, why=Why(SimulationCause.WRAPPERMODE, "TLS begins at once on this port"))


# --- the levels ------------------------------------------------------------------------------------------------------


def _in_clear(host: _Host, level: Level) -> Step:
    answer = host.answer(level)
    return Step(Kind.CLEAR) if answer.sustained is Fact.YES else _lost(answer)


def _may(host: _Host) -> Step:
    """TLS where it is offered; where it breaks, the next host, and later clear text."""
    seen = host.seen
    if seen.starttls is not Starttls.ACCEPTED:
        return _in_clear(host, Level.MAY) if seen.starttls is not Starttls.UNSETTLED else _lost(host.answer(Level.MAY))
    shaken = host.handshake(TlsLevel.MAY)
    if seen.breaks is Fact.YES or (shaken.works is Fact.NO and seen.tls0 is not Fact.INCONCLUSIVE):
        return _broken(host, shaken.why or _why(host.answer(Level.MUST_NOPEERMATCH)))
    if seen.tls0 is not Fact.YES:
        return _lost(host.answer(Level.MAY))
    return _delivered(host, shaken) if shaken.works is Fact.YES else _untold(shaken)


def _broken(host: _Host, why: Why | None) -> Step:
    later = _in_clear(host, Level.NONE) if host.sender.falls_back_to_clear else None
    return Step(Kind.NEXT_MX, why=why, later=later)


def _encrypt(host: _Host) -> Step:
    answer = host.answer(Level.MUST_NOPEERMATCH)
    if not _shakes(host):
        return _lost(answer)
    shaken = host.handshake(TlsLevel.ENCRYPT)
    if shaken.works is Fact.NO and shaken.why is not None:
        return Step(Kind.NEXT_MX, why=shaken.why)
    if answer.sustained is not Fact.YES:
        return _lost(answer)
    return _delivered(host, shaken) if shaken.works is Fact.YES else _untold(shaken)


def _authenticated(host: _Host, level: TlsLevel) -> Step:
    """verify, secure, fingerprint: a handshake at security level 1, then the certificate, then the session in TLS."""
    encrypted = _without_certificate(host)
    if not _shakes(host):
        return _lost(encrypted)
    shaken = host.handshake(level)
    if shaken.works is Fact.NO:
        return Step(Kind.NEXT_MX, why=shaken.why or _why(host.answer(Level.MUST)))
    if shaken.works is not Fact.YES:
        return _lost(encrypted) if encrypted.sustained is not Fact.YES else _untold(shaken)
    certificate = _certificate(host, shaken)
    if isinstance(certificate, Why):
        return Step(Kind.UNKNOWN, Word.UNKNOWN, certificate)
    fault = matched(host.sender, host.resolution, certificate, (host.meeting.mx_host, host.meeting.next_hop))
    if fault is not None:
        kind = Kind.UNKNOWN if fault.cause == SimulationCause.NOT_SIMULATED else Kind.NEXT_MX
        return Step(kind, Word.UNKNOWN if kind is Kind.UNKNOWN else Word.UNTRUSTED, fault)
    return Step(Kind.TLS, Word.VERIFIED) if encrypted.sustained is Fact.YES else _lost(encrypted)


def _dane(host: _Host, level: TlsLevel) -> Step:
    """dane: what the TLSA records demand; without usable ones encryption, and without any what may gives."""
    dane, only = host.meeting.dane, level is TlsLevel.DANE_ONLY
    if dane is None:
        return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, "TLSA records were not looked up (--no-policy)"))
    if dane.state in (TlsaState.INDETERMINATE, TlsaState.LOOKUP_FAILED) and dane.dane is not Fact.NO:
        return Step(Kind.UNKNOWN, why=Why(dane.reason.cause, dane.reason.detail) if dane.reason else None)
    if dane.state is TlsaState.LOOKUP_FAILED:
        return Step(Kind.NEXT_MX, why=Why(dane.reason.cause, dane.reason.detail) if dane.reason else None)
    insecure = _insecure_mx(host, dane, only)
    if insecure is not None:
        return insecure
    if dane.state is not TlsaState.USABLE:
        if only:
            why = Why(dane.reason.cause, dane.reason.detail) if dane.reason else None
            return Step(Kind.NEXT_MX, why=why)
        return _encrypt(host) if dane.state is TlsaState.UNUSABLE else _may(host)
    return _matching(host, dane)


def _insecure_mx(host: _Host, dane: EndpointDane, only: bool) -> Step | None:
    """Host names from unsigned MX records (smtp_tls_dane_insecure_mx_policy, which dane-only does not read)."""
    if host.meeting.mx_secure is Fact.YES:
        return None
    policy = host.sender.main_cf.value("smtp_tls_dane_insecure_mx_policy").lower()
    if not only and policy == "dane":
        return None
    if host.meeting.mx_secure is not Fact.NO:
        return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, "whether the MX records are signed is unknown"))
    if only:
        return Step(Kind.NEXT_MX, why=Why("dane-required", "the MX records are not signed"))
    if dane.state is TlsaState.USABLE and policy == "encrypt":
        return _encrypt(host)
    return _may(host)


def _matching(host: _Host, dane: EndpointDane) -> Step:
    """Usable TLSA records: as verify, but the records are what the certificate must match."""
    why = Why(dane.reason.cause, dane.reason.detail) if dane.reason else None
    if dane.dane is Fact.YES and dane.matched is Fact.YES:
        return Step(Kind.TLS, Word.VERIFIED)
    encrypted = _without_certificate(host)
    if not _shakes(host):
        return _lost(encrypted)
    if dane.matched is Fact.NO:
        return Step(Kind.NEXT_MX, Word.UNTRUSTED, why)
    if encrypted.sustained is not Fact.YES:
        return _lost(encrypted)
    return Step(Kind.NEXT_MX if dane.dane is Fact.NO else Kind.UNKNOWN, why=why)


def _with_word(host: _Host, step: Step) -> Step:
    """Where the mail is lost behind a handshake that was completed, the log has its word all the same."""
    made = host.seen.deciding.handshake if host.seen.deciding else None
    level = host.resolution.level
    if step.word is not None or step.kind is Kind.CLEAR or made is None or level.rank < TlsLevel.MAY.rank:
        return step
    if not _shakes(host) or (level.rank > TlsLevel.ENCRYPT.rank and not made.fits_level1):
        return step
    shaken = host.handshake(level)
    if shaken.works is not Fact.YES:
        return step
    if level.rank <= TlsLevel.ENCRYPT.rank:
        word = _word(host, shaken)
        return msgspec.structs.replace(step, word=Word.UNKNOWN if isinstance(word, Why) else word)
    certificate = _certificate(host, shaken)
    if level.needs_dnssec or isinstance(certificate, Why):
        return msgspec.structs.replace(step, word=Word.UNKNOWN)
    names = (host.meeting.mx_host, host.meeting.next_hop)
    fault = matched(host.sender, host.resolution, certificate, names)
    return msgspec.structs.replace(step, word=Word.UNTRUSTED if fault else Word.VERIFIED)


# --- words and reasons -----------------------------------------------------------------------------------------------


def _delivered(host: _Host, shaken: Handshake) -> Step:
    word = _word(host, shaken)
    return Step(Kind.TLS, Word.UNKNOWN, word) if isinstance(word, Why) else Step(Kind.TLS, word)


def _word(host: _Host, shaken: Handshake) -> Word | Why:
    """Anonymous, Untrusted or Trusted: below verify nobody asks for more. Security level 0 forgives weak signatures."""
    if shaken.anonymous is Fact.YES:
        return Word.ANONYMOUS
    certificate = _certificate(host, shaken)
    if shaken.anonymous is Fact.INCONCLUSIVE:
        words = "whether an anonymous suite is agreed on (--depth standard, or full)"
        return Why(SimulationCause.NOT_SCANNED, words)
    if isinstance(certificate, Why):
        return certificate
    return Word.TRUSTED if certificate.trusted_at_level0 else Word.UNTRUSTED


def _certificate(host: _Host, shaken: Handshake) -> Certificate | Why:
    return seen_certificate(host.sender, host.resolution, host.facts, shaken)


def _without_certificate(host: _Host) -> LevelAnswer:
    """Whether a session inside TLS works at security level 1, whoever the server is."""
    return level_answers(host.seen, Authentication(Fact.YES))[-1]


def _shakes(host: _Host) -> bool:
    return host.seen.starttls in (Starttls.ACCEPTED, Starttls.IMPLICIT)


def _lost(answer: LevelAnswer) -> Step:
    """A level that is not sustained: a 5xx comes back at once, everything else goes to the next host."""
    if answer.sustained is Fact.INCONCLUSIVE:
        seen = Kind.BOUNCED if answer.bounces else Kind.NEXT_MX
        return Step(Kind.UNKNOWN, why=_why(answer), late=answer.late, seen=seen)
    if answer.bounces:
        return Step(Kind.BOUNCED, why=_why(answer))
    return Step(Kind.NEXT_MX, why=_why(answer), late=answer.late)


def _untold(shaken: Handshake) -> Step:
    what = f"suites of {shaken.version}" if shaken.version else "protocol versions"
    return Step(Kind.UNKNOWN, why=Why(SimulationCause.NOT_SCANNED, f"which {what} the server takes (--depth full)"))


def _why(answer: LevelAnswer) -> Why | None:
    return Why(answer.reason.cause, answer.reason.detail) if answer.reason else None


def _told(verdict: EndpointVerdict) -> Why | None:
    return Why(verdict.reason.cause, verdict.reason.detail) if verdict.reason else None

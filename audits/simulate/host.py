"""A host that a sender meets: what was seen of it, and what the sender's handshake and certificate check come to."""

import msgspec

from audits.dane import EndpointDane
from audits.levels import Authentication, LevelAnswer, level_answers
from audits.postfix.resolution import Resolution
from audits.postfix.tls_levels import TlsLevel
from audits.sessions import Observed, Starttls
from audits.simulate.certificate import Certificate, matched, seen_certificate
from audits.simulate.offer import Handshake, handshake_under
from audits.simulate.outcomes import Kind, SimulationCause, Step, Why, Word
from audits.simulate.sender import Sender
from audits.verdicts import EndpointVerdict
from scanner.facts import EndpointFacts, EndpointRef, Fact, Level
from scanner.tls_facts import LEVEL1_VERSIONS, OTHER_CHAINS, HelloStyle


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


class Host:
    """One meeting of a sender at a level; a class because every answer needs the same facts."""

    def __init__(self, sender: Sender, resolution: Resolution, meeting: Meeting) -> None:
        self.sender = sender
        self.resolution = resolution
        self.meeting = meeting
        self.verdict = sender.judged(meeting.ref, meeting.facts)
        assert self.verdict.seen is not None
        assert meeting.facts is not None
        self.seen: Observed = self.verdict.seen
        self.facts: EndpointFacts = meeting.facts

    @property
    def begins_tls(self) -> bool:
        """The handshake begins: STARTTLS is accepted, or not needed."""
        return self.seen.starttls in (Starttls.ACCEPTED, Starttls.IMPLICIT)

    def answer(self, level: Level) -> LevelAnswer:
        found = self.verdict.answer(level)
        assert found is not None
        return found

    def without_certificate(self) -> LevelAnswer:
        """Whether a session inside TLS works at security level 1, whoever the server is."""
        return level_answers(self.seen, Authentication(Fact.YES))[-1]

    def handshake(self, level: TlsLevel) -> Handshake:
        """The handshake of an attempt at this level, whatever comes behind it."""
        strong = level.rank > TlsLevel.ENCRYPT.rank
        offer = self.sender.offer(self.resolution, level)
        if strong:
            # TLS 1.0 and 1.1 rest on signatures that OpenSSL's security level 1 forbids.
            offer = msgspec.structs.replace(offer, versions=offer.versions & set(LEVEL1_VERSIONS))
        works = self._shaken_at_level1() if strong else self._shaken_at_level0()
        return handshake_under(offer, self.seen, self.facts.tls, works)

    def _shaken_at_level0(self) -> Fact:
        return Fact.YES if self.seen.handshake else self.seen.tls0

    def _shaken_at_level1(self) -> Fact:
        weak = {HelloStyle.CLASSIC, *OTHER_CHAINS}
        if any(session.handshake for session in self.facts.sessions if session.hello not in weak):
            return Fact.YES
        return self.seen.tls1

    def certificate(self, shaken: Handshake) -> Certificate | Why:
        return seen_certificate(self.sender, self.resolution, self.facts, shaken)

    def mismatch(self, certificate: Certificate) -> Why | None:
        """Why the certificate does not satisfy verify, secure or fingerprint; None where it does."""
        return matched(self.sender, self.resolution, certificate, (self.meeting.mx_host, self.meeting.next_hop))

    def word(self, shaken: Handshake) -> Word | Why:
        """Anonymous, Untrusted or Trusted: below verify nobody asks for more. Level 0 forgives weak signatures."""
        if shaken.anonymous is Fact.YES:
            return Word.ANONYMOUS
        if shaken.anonymous is Fact.INCONCLUSIVE:
            words = "whether an anonymous suite is agreed on (--depth standard, or full)"
            return Why(SimulationCause.NOT_SCANNED, words)
        certificate = self.certificate(shaken)
        if isinstance(certificate, Why):
            return certificate
        return Word.TRUSTED if certificate.trusted_at_level0 else Word.UNTRUSTED


def lost(answer: LevelAnswer) -> Step:
    """A level that is not sustained: a 5xx comes back at once, everything else goes to the next host."""
    if answer.sustained is Fact.INCONCLUSIVE:
        seen = Kind.BOUNCED if answer.bounces else Kind.NEXT_MX
        return Step(Kind.UNKNOWN, why=why_of(answer), late=answer.late, seen=seen)
    if answer.bounces:
        return Step(Kind.BOUNCED, why=why_of(answer))
    return Step(Kind.NEXT_MX, why=why_of(answer), late=answer.late)


def why_of(answer: LevelAnswer | EndpointVerdict | EndpointDane) -> Why | None:
    """The reason of a judgement."""
    return Why(answer.reason.cause, answer.reason.detail) if answer.reason else None

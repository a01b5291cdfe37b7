"""DANE for SMTP: what a Postfix at level dane or dane-only does at each endpoint of a domain (RFC 7672).

At `dane` a host without secure TLSA records gets what MAY gives, one whose records are all unusable what encryption
gives, and one with a usable record nothing but a match. `dane-only` delivers on a match alone. Words of RFC 8460
section 4.3. The handshake that counts sends the TLSA base name in SNI, as Postfix does there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from audits.levels import Authentication, LevelAnswer, both, level_answers
from audits.reasons import Cause, Reason
from audits.sessions import Observed, observed
from audits.tlsa import DANE_EE, DANE_TA, covers, match_chain, presentation, reaches, unusable, usable
from audits.verdicts import EndpointVerdict
from scanner.dns_facts import Dnssec, TlsaRecord
from scanner.facts import DomainFacts, Endpoint, EndpointFacts, EndpointUse, Fact, Level, RouteStatus
from scanner.failures import Kind, ProbeFailure
from scanner.policy_facts import HostTlsa, TlsaLookup
from scanner.tls_facts import CertificateFacts, HandshakeFacts

Chain = list[CertificateFacts]
"""As received, leaf first."""


class TlsaState(StrEnum):
    """What the DNS says of TLSA records for one host and port."""

    NONE = "none"
    INSECURE = "insecure"
    """There are records, but the answer is not signed: senders must not use them."""
    INDETERMINATE = "indeterminate"
    """There are records, and no validating resolver said whether they are signed."""
    UNUSABLE = "unusable"
    USABLE = "usable"
    LOOKUP_FAILED = "lookup-failed"


class EndpointDane(msgspec.Struct, frozen=True):
    """One endpoint under DANE. `matched` is not-tested where there is nothing to match.

    `remarks` tell of trouble to come: records that match no chain, a second chain that no record matches.
    """

    mx_host: str
    address: str
    port: int
    state: TlsaState
    base: str = ""
    records: tuple[str, ...] = ()
    matched: Fact = Fact.NOT_TESTED
    record: str = ""
    reason: Reason | None = None
    dane: Fact = Fact.INCONCLUSIVE
    dane_only: Fact = Fact.INCONCLUSIVE
    remarks: tuple[str, ...] = ()


class DaneVerdict(msgspec.Struct, frozen=True):
    """A domain under DANE: over every mail endpoint that answered. Submission ports stand beside, with their own."""

    endpoints: tuple[EndpointDane, ...] = ()
    dane: Fact = Fact.INCONCLUSIVE
    dane_only: Fact = Fact.INCONCLUSIVE
    reason: Reason | None = None
    remarks: tuple[str, ...] = ()


class Seen(msgspec.Struct, frozen=True):
    """All that the judgement of one domain rests on."""

    facts: DomainFacts
    endpoints: Mapping[Endpoint, EndpointFacts]
    verdicts: Sequence[EndpointVerdict]

    def mail(self) -> list[EndpointVerdict]:
        """The mail endpoints that answered."""
        return [v for v in self.verdicts if v.ref.use is EndpointUse.MAIL and v.answers]

    def named(self, verdict: EndpointVerdict, sni: str) -> EndpointFacts | None:
        """What the handshakes with this server name showed at the same address and port."""
        return self.endpoints.get(msgspec.structs.replace(verdict.ref.endpoint, sni=sni))


def dane_verdict(seen: Seen) -> DaneVerdict | None:
    """DANE for a domain; None where nobody looked for its TLSA records."""
    if seen.facts.policy is None:
        return None
    answered = seen.mail()
    judged = tuple(_endpoint(verdict, seen) for verdict in answered)
    beside = tuple(_endpoint(v, seen) for v in seen.verdicts if v.ref.use is EndpointUse.SUBMISSION and v.answers)
    if not judged:
        return DaneVerdict()
    hosts = {each.mx_host: each.state for each in judged}
    with_dane = {TlsaState.USABLE, TlsaState.UNUSABLE}
    lacking = sorted(host for host, state in hosts.items() if state not in with_dane)
    some = lacking and any(state in with_dane for state in hosts.values())
    return DaneVerdict(
        (*judged, *(each for each in beside if each.state is not TlsaState.NONE)),
        both(each.dane for each in judged),
        both(each.dane_only for each in judged),
        next((each.reason for each in judged if each.reason and each.dane is not Fact.YES), None),
        (f"no TLSA records for {', '.join(lacking)}, but for other hosts",) if some else (),
    )


# --- one endpoint --------------------------------------------------------------------------------------------------


def tlsa_state(tlsa: HostTlsa | None) -> TlsaState:
    """What the look-ups of a host come to."""
    if tlsa is None or not tlsa.lookups:
        return TlsaState.NONE
    deciding = tlsa.deciding
    if deciding is None:
        found = [look for look in tlsa.lookups if look.found]
        if not found:
            return TlsaState.NONE
        open_ = any(getattr(look.answer, "dnssec", None) is Dnssec.INDETERMINATE for look in found)
        return TlsaState.INDETERMINATE if open_ else TlsaState.INSECURE
    if isinstance(deciding.answer, ProbeFailure):
        return TlsaState.LOOKUP_FAILED
    return TlsaState.USABLE if usable(deciding.records) else TlsaState.UNUSABLE


def _endpoint(verdict: EndpointVerdict, seen: Seen) -> EndpointDane:
    ref = verdict.ref
    assert seen.facts.policy is not None
    tlsa = seen.facts.policy.host(ref.mx_host, ref.endpoint.port)
    state = tlsa_state(tlsa)
    blank = EndpointDane(ref.mx_host, ref.endpoint.address, ref.endpoint.port, state)
    if tlsa is None or tlsa.deciding is None:
        return _without_records(blank, verdict)
    look = tlsa.deciding
    blank = msgspec.structs.replace(blank, base=look.base, records=tuple(map(presentation, look.records)))
    if any(record.usage in (DANE_TA, DANE_EE) and not record.data for record in look.records):
        reason = Reason(Cause.TLSA_INVALID, "a TLSA record without data: Postfix 3.7 aborts on it, and the mail waits")
        return msgspec.structs.replace(blank, reason=reason, dane=Fact.NO, dane_only=Fact.NO)
    match state:
        case TlsaState.LOOKUP_FAILED:
            return _lookup_failed(blank, look)
        case TlsaState.UNUSABLE:
            why = "; ".join(dict.fromkeys(map(unusable, look.records)))
            reason = Reason(Cause.TLSA_INVALID, why)
            answer = verdict.answer(Level.MUST_NOPEERMATCH)
            return msgspec.structs.replace(blank, reason=reason, dane=_fact(answer), dane_only=Fact.NO)
        case _:
            return _with_records(blank, look, verdict, seen)


def _without_records(blank: EndpointDane, verdict: EndpointVerdict) -> EndpointDane:
    """Nothing that a sender may use: `dane` acts as MAY."""
    may = verdict.answer(Level.MAY)
    if blank.state is TlsaState.INDETERMINATE:
        reason = Reason(Cause.UNANSWERED, "TLSA records exist; whether they are signed needs a validating resolver")
        return msgspec.structs.replace(blank, reason=reason)
    words = {TlsaState.INSECURE: "the TLSA records are not signed"}.get(blank.state, "no secure TLSA records")
    reason = Reason(Cause.DANE_REQUIRED, words)
    if may is not None and may.sustained is not Fact.YES and may.reason is not None:
        reason = may.reason
    return msgspec.structs.replace(blank, reason=reason, dane=_fact(may), dane_only=Fact.NO)


def _lookup_failed(blank: EndpointDane, look: TlsaLookup) -> EndpointDane:
    """Senders with DANE defer: they cannot know whether there are records (RFC 7672 section 2.1)."""
    failure = look.answer
    assert isinstance(failure, ProbeFailure)
    if failure.kind is Kind.BOGUS:
        reason = Reason(Cause.DNSSEC_INVALID, str(failure))
        return msgspec.structs.replace(blank, reason=reason, dane=Fact.NO, dane_only=Fact.NO)
    return msgspec.structs.replace(blank, reason=Reason(Cause.DNS_UNANSWERED, str(failure)))


def _with_records(blank: EndpointDane, look: TlsaLookup, verdict: EndpointVerdict, seen: Seen) -> EndpointDane:
    """Usable records: TLS at security level 1, and a chain that matches."""
    beside = verdict.ref.use is EndpointUse.SUBMISSION
    facts = seen.endpoints.get(verdict.ref.endpoint) if beside else seen.named(verdict, look.base)
    watched = observed(facts) if facts and facts.sessions else verdict.seen
    records = usable(look.records)
    names = (look.base,) if beside else _names(look.base, seen.facts)
    authentication, record = _authentication(records, facts, watched, names)
    if watched is None:
        return blank
    authentication = _without_name(authentication) if beside else authentication
    answer = level_answers(watched, authentication)[-1]
    only = answer.sustained if beside else both([answer.sustained, _mx_is_secure(seen.facts)])
    reason = answer.reason
    if reason is None and only is not Fact.YES:
        reason = Reason(Cause.DANE_REQUIRED, "the MX record is not signed, so that dane-only does not trust its names")
    return msgspec.structs.replace(
        blank,
        matched=authentication.verified,
        record=presentation(record) if record else "",
        reason=reason,
        dane=answer.sustained,
        dane_only=only,
        remarks=_remarks(look.records, facts),
    )


def _authentication(
    records: Sequence[TlsaRecord], facts: EndpointFacts | None, watched: Observed | None, names: Sequence[str]
) -> tuple[Authentication, TlsaRecord | None]:
    handshake = watched.deciding.handshake if watched and watched.deciding else None
    if facts is None or not facts.sessions:
        words = "no handshake with the TLSA base name was made"
        return Authentication(Fact.INCONCLUSIVE, Reason(Cause.UNANSWERED, words)), None
    chain = chain_of(handshake, facts)
    if chain is None:
        words = "no complete handshake with the TLSA base name"
        return Authentication(Fact.INCONCLUSIVE, Reason(Cause.UNANSWERED, words)), None
    found = match_chain(records, chain, names, facts.seen_at)
    return Authentication(Fact.YES if found.record else Fact.NO, found.reason), found.record


def _without_name(authentication: Authentication) -> Authentication:
    """Submission ports are asked without a server name; with one they may show a chain that matches."""
    if authentication.verified is not Fact.NO or authentication.reason is None:
        return authentication
    reason = Reason(Cause.UNCONFIRMED, f"without a server name: {authentication.reason.detail}")
    return Authentication(Fact.INCONCLUSIVE, reason)


def chain_of(handshake: HandshakeFacts | None, facts: EndpointFacts) -> list[CertificateFacts] | None:
    """The chain of a handshake, leaf first; None where there was none or its certificates were not kept."""
    known = {certificate.sha256: certificate for certificate in facts.certificates}
    if handshake is None or not known.keys() >= set(handshake.chain):
        return None
    return [known[digest] for digest in handshake.chain]


def _names(base: str, facts: DomainFacts) -> tuple[str, ...]:
    """The reference identifiers for DANE-TA (RFC 7672 section 3.2.2), as Postfix takes them."""
    by_mx = facts.route.status is RouteStatus.MX
    return tuple(dict.fromkeys((base, *((*facts.route.aliases[-1:], facts.target.name) if by_mx else ()))))


def _mx_is_secure(facts: DomainFacts) -> Fact:
    """Whether the names of the hosts are known for sure; without MX records there is nothing to be sure of."""
    if facts.route.status is not RouteStatus.MX:
        return Fact.YES
    return {Dnssec.SECURE: Fact.YES, Dnssec.INDETERMINATE: Fact.INCONCLUSIVE}.get(facts.route.mx_dnssec, Fact.NO)


def _remarks(records: Sequence[TlsaRecord], facts: EndpointFacts | None) -> tuple[str, ...]:
    """What is right today and will go wrong: stale records, a second chain that nothing matches, discouraged forms."""
    if facts is None:
        return ()
    good = usable(records)
    chains = chains_of(facts)
    shown = [certificate for chain in chains for certificate in chain]
    idle = [record for record in good if chains and not any(covers(record, certificate) for certificate in shown)]
    stale = [record for record in idle if not any(reaches(record, chain) for chain in chains)]
    words = [f"matches no chain that is served: {presentation(record)}" for record in stale]
    lost = [chain[0] for chain in chains if not any(_is_for(record, chain) for record in good)]
    if lost and len(lost) < len(chains):
        kinds = ", ".join(dict.fromkeys(leaf.key.algorithm if leaf.key else "other" for leaf in lost))
        words.append(f"no record matches the {kinds} chain, which other senders may get")
    words += [f"unusable: {presentation(record)} ({why})" for record in records if (why := unusable(record))]
    if until := _renewal_with_a_new_key(good, chains):
        words.append(f"a certificate with another key will match no record; the present one expires {until:%Y-%m-%d}")
    if any(record.matching_type == 0 for record in good):
        words.append("matching type 0 is discouraged (RFC 7672 section 3.1.2)")
    return tuple(words)


def _renewal_with_a_new_key(good: Sequence[TlsaRecord], chains: Sequence[Chain]) -> datetime | None:
    """When the leaf expires whose key alone is published: its renewal must keep the key, or a record come first.

    None where an issuer or the next key is published, too, or where nothing matches anyway.
    """
    leaves = [chain[0] for chain in chains]
    held = [record for record in good if any(covers(record, leaf) for leaf in leaves)]
    if not held or held != list(good) or any((r.usage, r.selector) != (DANE_EE, 1) for r in good):
        return None
    return min((leaf.not_after for leaf in leaves if leaf.not_after), default=None)


def _is_for(record: TlsaRecord, chain: Sequence[CertificateFacts]) -> bool:
    eligible = chain[1:] if record.usage == DANE_TA else chain[:1]
    return any(covers(record, certificate) for certificate in eligible) or reaches(record, chain)


def chains_of(facts: EndpointFacts) -> list[Chain]:
    """The different chains that were shown under the base name."""
    shown = [session.handshake for session in facts.sessions if session.handshake and session.handshake.chain]
    distinct = {handshake.chain: handshake for handshake in shown}
    return [chain for handshake in distinct.values() if (chain := chain_of(handshake, facts))]


def _fact(answer: LevelAnswer | None) -> Fact:
    return answer.sustained if answer else Fact.INCONCLUSIVE

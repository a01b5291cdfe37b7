"""Cliff dates: the days on which a grade or a published policy breaks unless somebody acts, and why."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from audits.dane import DaneVerdict, Seen, TlsaState, chain_of
from audits.mta_sts import StsState, StsVerdict
from audits.tlsa import DANE_EE, usable
from scanner.facts import DnsAnswer, EndpointFacts, Level
from scanner.policy_facts import StsMode
from scanner.tls_facts import CertificateFacts

SHOWN = 8


class Cliff(msgspec.Struct, frozen=True, order=True):
    """What breaks, when and where."""

    at: datetime
    what: str
    why: str
    where: str = ""


def cliffs(
    seen: Seen, sustained: tuple[Level, ...], dane: DaneVerdict | None, sts: StsVerdict | None
) -> tuple[Cliff, ...]:
    """The cliffs of a domain, next first; those behind us are no cliffs but findings."""
    found: set[Cliff] = set()
    if Level.MUST in sustained:
        found |= set(_expiries(seen))
    found |= set(_tlsa(seen, dane))
    found |= set(_sts(seen, sts))
    return tuple(sorted(found))[:SHOWN]


def _expiries(seen: Seen) -> Iterator[Cliff]:
    """The end of the leaf, and of an intermediate that ends before it. The anchor is the sender's own business."""
    for verdict in seen.mail():
        facts = seen.endpoints.get(verdict.ref.endpoint)
        chain = (chain_of(verdict.handshake, facts) if facts else None) or []
        for depth, certificate in enumerate(chain):
            if certificate.not_after and not (depth and certificate.self_issued):
                kind = "leaf" if depth == 0 else "intermediate"
                yield Cliff(certificate.not_after, "MUST", f"{kind} certificate expires", verdict.ref.mx_host)


def _tlsa(seen: Seen, dane: DaneVerdict | None) -> Iterator[Cliff]:
    """A record of a whole certificate dies with it, one of a key lives on; signatures of the zone end for all."""
    policy = seen.facts.policy
    if policy is None or dane is None:
        return
    using = {each.mx_host for each in dane.endpoints if each.state is TlsaState.USABLE}
    for tlsa in policy.tlsa:
        if tlsa.mx_host not in using or tlsa.deciding is None:
            continue
        answer = tlsa.deciding.answer
        if isinstance(answer, DnsAnswer) and answer.signed_until:
            yield Cliff(answer.signed_until, "DANE", "signatures of the TLSA records end", tlsa.mx_host)
        records = usable(tlsa.deciding.records)
        if any(record.usage != DANE_EE or record.selector == 0 for record in records):
            yield from _renewals(seen, tlsa.mx_host, tlsa.deciding.base)
    if using and policy.mx_signed_until:
        yield Cliff(policy.mx_signed_until, "DANE", "signatures of the MX record end", seen.facts.target.name)


def _renewals(seen: Seen, mx_host: str, base: str) -> Iterator[Cliff]:
    """When the leaf expires: a renewed certificate no longer matches 3 0 x, and 2 x x looks at dates."""
    for verdict in seen.mail():
        facts = seen.named(verdict, base) if verdict.ref.mx_host == mx_host else None
        ends = [leaf.not_after for leaf in _leaves(facts)] if facts else []
        for end in filter(None, ends):
            yield Cliff(end, "DANE", "the certificate that the TLSA record rests on expires", mx_host)


def _leaves(facts: EndpointFacts) -> list[CertificateFacts]:
    first = {session.handshake.chain[0] for session in facts.sessions if session.handshake and session.handshake.chain}
    return [certificate for certificate in facts.certificates if certificate.sha256 in first]


def _sts(seen: Seen, sts: StsVerdict | None) -> Iterator[Cliff]:
    """The policy host's certificate; and how long senders keep a policy that can no longer be fetched."""
    facts = seen.facts.policy.mta_sts if seen.facts.policy else None
    if facts is None or facts.fetch is None or sts is None or sts.mode not in (StsMode.ENFORCE, StsMode.TESTING):
        return
    leaf = facts.fetch.certificates[0] if facts.fetch.certificates else None
    host = f"mta-sts.{seen.facts.target.name}"
    if sts.state is StsState.VALID and leaf and leaf.not_after:
        yield Cliff(leaf.not_after, "MTA-STS", "certificate of the policy host expires", host)
    if sts.state in (StsState.WEBPKI_INVALID, StsState.FETCH_ERROR) and sts.max_age_s is not None:
        last = facts.fetch.fetched_at + timedelta(seconds=sts.max_age_s)
        yield Cliff(last, "MTA-STS", "the last policy that senders may hold runs out (max_age)", host)

"""Cliff dates: the days on which a grade or a published policy breaks unless somebody acts, and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from audits.dane import DaneVerdict, Seen, TlsaState, chain_of, chains_of
from audits.mta_sts import StsState, StsVerdict
from audits.tlsa import DANE_EE, DANE_TA, covers, usable
from scanner.facts import DnsAnswer, Level, TlsaRecord
from scanner.policy_facts import SignatureEnd, StsMode
from scanner.tls_facts import CertificateFacts

SHOWN = 8


class Cliff(msgspec.Struct, frozen=True, order=True):
    """What breaks, when and where.

    `rolling`: the day moves on with every look as long as all goes well, because the zone is signed anew or the policy
    fetched again; it is a cliff only from the day on which that stops.
    """

    at: datetime
    what: str
    why: str
    where: str = ""
    rolling: bool = False


def next_cliff(found: Sequence[Cliff]) -> Cliff | None:
    """The first for which somebody must act; a rolling one only where there is no other."""
    return next((cliff for cliff in found if not cliff.rolling), found[0] if found else None)


def cliffs(
    seen: Seen, sustained: tuple[Level, ...], dane: DaneVerdict | None, sts: StsVerdict | None
) -> tuple[Cliff, ...]:
    """The cliffs of a domain, next first; those behind us are no cliffs but findings."""
    found: set[Cliff] = set()
    if Level.MUST in sustained:
        found |= set(_expiries(seen))
    using = {each.mx_host for each in dane.endpoints if each.state is TlsaState.USABLE} if dane else set()
    found |= set(_tlsa(seen, using))
    found |= set(_route_signatures(seen, "DANE" if using else "DNSSEC"))
    found |= set(_sts(seen, sts))
    return _shown(sorted(found))


def _shown(found: Sequence[Cliff]) -> tuple[Cliff, ...]:
    """The first, and the first of each kind: days that roll on must not hide the one that does not."""
    first = {(cliff.what, cliff.rolling): cliff for cliff in reversed(found)}
    kept = {*found[:SHOWN], *first.values()}
    return tuple(cliff for cliff in found if cliff in kept)


def _expiries(seen: Seen) -> Iterator[Cliff]:
    """The end of the leaf, and of an intermediate that ends before it. The anchor is the sender's own business.

    What is sent along and is not in the verified chain, an old cross-signed root say, ends without harm.
    """
    for verdict in seen.mail():
        facts = seen.endpoints.get(verdict.ref.endpoint)
        chain = (chain_of(verdict.handshake, facts) if facts else None) or []
        verified = verdict.trust.verified if verdict.trust else ()
        used = [each for each in chain if each is chain[0] or not verified or each.sha256 in verified]
        for at, kind in _ends(used, facts.seen_at if facts else None):
            yield Cliff(at, "MUST", f"{kind} certificate expires", verdict.ref.mx_host)


def _ends(chain: Sequence[CertificateFacts], seen_at: datetime | None) -> Iterator[tuple[datetime, str]]:
    """When the leaf expires, and what does so before it; a root that is sent along counts for nothing.

    Nor does what had expired when it was seen: that all held nevertheless shows that nothing rests on it.
    """
    first = chain[0].not_after if chain else None
    for certificate in chain:
        at = certificate.not_after
        if at is None or (seen_at and at < seen_at):
            continue
        if certificate is chain[0]:
            yield at, "leaf"
        elif not certificate.self_issued and (first is None or at < first):
            yield at, "intermediate"


def _route_signatures(seen: Seen, what: str) -> Iterator[Cliff]:
    """Without valid signatures a validating sender finds neither the MX records nor the hosts: its mail waits."""
    policy = seen.facts.policy
    for end in policy.signatures if policy else ():
        yield _signatures_end(end, what)


def _signatures_end(end: SignatureEnd, what: str) -> Cliff:
    return Cliff(end.signed_until, what, f"signatures of the {end.rdtype} answer end", end.name, rolling=True)


# --- DANE ----------------------------------------------------------------------------------------------------------


def _tlsa(seen: Seen, using: set[str]) -> Iterator[Cliff]:
    """A record of a whole certificate dies with it, one of a key lives on; signatures of the zone end for all."""
    for tlsa in seen.facts.policy.tlsa if seen.facts.policy else ():
        if tlsa.mx_host not in using or tlsa.deciding is None:
            continue
        answer = tlsa.deciding.answer
        if isinstance(answer, DnsAnswer) and answer.signed_until:
            yield _signatures_end(SignatureEnd(answer.name, "TLSA", answer.signed_until), "DANE")
        yield from _renewals(seen, tlsa.mx_host, tlsa.deciding.base, usable(tlsa.deciding.records))


def _renewals(seen: Seen, mx_host: str, base: str, records: Sequence[TlsaRecord]) -> Iterator[Cliff]:
    """Where a match depends on a date: 3 0 x dies with its certificate, below 2 x x every certificate must be valid."""
    for verdict in seen.mail():
        facts = seen.named(verdict, base) if verdict.ref.mx_host == mx_host else None
        for chain in chains_of(facts) if facts else ():
            for at, kind in _ends(_dated(records, chain), facts.seen_at if facts else None):
                yield Cliff(at, "DANE", f"the {kind} certificate that the TLSA record rests on expires", mx_host)


def _dated(records: Sequence[TlsaRecord], chain: Sequence[CertificateFacts]) -> Sequence[CertificateFacts]:
    """The certificates of a chain whose dates count; none where a record of the key matches, whatever the others do."""
    leaf, *issuers = chain
    if any(each.usage == DANE_EE and each.selector == 1 and covers(each, leaf) for each in records):
        return ()
    if any(each.usage == DANE_EE and covers(each, leaf) for each in records):
        return (leaf,)
    anchors = [place for place, issuer in enumerate(issuers) for each in records if covers(each, issuer)]
    return chain[: min(anchors) + 1] if anchors else chain if any(each.usage == DANE_TA for each in records) else ()


# --- MTA-STS -------------------------------------------------------------------------------------------------------


def _sts(seen: Seen, sts: StsVerdict | None) -> Iterator[Cliff]:
    """The policy host's chain, the signatures on the way to it; how long senders keep what can no longer be fetched."""
    facts = seen.facts.policy.mta_sts if seen.facts.policy else None
    if facts is None or facts.fetch is None or sts is None or sts.mode not in (StsMode.ENFORCE, StsMode.TESTING):
        return
    host = f"mta-sts.{seen.facts.target.name}"
    if sts.state is StsState.VALID:
        for at, kind in _ends(facts.fetch.certificates, facts.fetch.fetched_at):
            yield Cliff(at, "MTA-STS", f"{kind} certificate of the policy host expires", host)
        for end in facts.signatures:
            yield _signatures_end(end, "MTA-STS")
    if sts.state in (StsState.WEBPKI_INVALID, StsState.FETCH_ERROR) and sts.max_age_s is not None:
        last = facts.fetch.fetched_at + timedelta(seconds=sts.max_age_s)
        why = "the last policy that senders may hold runs out (max_age)"
        yield Cliff(last, "MTA-STS", why, host, rolling=True)

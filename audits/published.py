"""All that follows from published policy for one domain: DNSSEC, DANE, MTA-STS, TLSRPT, MUST by name, cliff dates."""

import msgspec

from audits.cliffs import Cliff, cliffs
from audits.dane import DaneVerdict, Seen, dane_verdict
from audits.mta_sts import StsVerdict, VerifyChain, sts_verdict
from audits.must_names import MustBy, must_by
from scanner.facts import Dnssec, EndpointUse, Fact, Level
from scanner.policy_facts import TlsRptFacts


class PublishedVerdict(msgspec.Struct, frozen=True):
    """`remarks` tell where only a handshake with a server name verifies, so that `servername=` would help a sender."""

    mx_dnssec: Dnssec
    hosts_dnssec: dict[str, Dnssec]
    dane: DaneVerdict | None
    mta_sts: StsVerdict | None
    tls_rpt: TlsRptFacts | None
    must_by: tuple[MustBy, ...]
    cliffs: tuple[Cliff, ...]
    remarks: tuple[str, ...] = ()


def published_verdict(seen: Seen, sustained: tuple[Level, ...], verify: VerifyChain) -> PublishedVerdict:
    """Judges published policy; `sustained` are the levels of the grade."""
    route, policy = seen.facts.route, seen.facts.policy
    dane = dane_verdict(seen)
    sts = sts_verdict(seen, verify)
    return PublishedVerdict(
        route.mx_dnssec,
        {host.name: host.dnssec for host in route.hosts},
        dane,
        sts,
        policy.tls_rpt if policy else None,
        must_by(seen, sustained, sts),
        cliffs(seen, sustained, dane, sts),
        _sni_remarks(seen),
    )


def _sni_remarks(seen: Seen) -> tuple[str, ...]:
    """The hosts that verify with a server name and not without."""
    with_name = {
        (v.ref.mx_host, v.ref.endpoint.address)
        for v in seen.verdicts
        if v.ref.use is EndpointUse.POLICY and Level.MUST in v.sustained
    }
    without = {
        (v.ref.mx_host, v.ref.endpoint.address)
        for v in seen.mail()
        if any(a.level is Level.MUST and a.sustained is Fact.NO for a in v.answers)
    }
    return tuple(
        f"{host} [{address}] verifies only when the client sends its name (SNI): Postfix needs servername="
        for host, address in sorted(with_name & without)
    )

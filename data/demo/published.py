"""What the domains of the demo publish on each night: DANE behind northlight, MTA-STS behind granite, TLSRPT."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from audits.tlsa import public_key_info
from demo.certificates import DAY, Chain
from demo.nights import FIRST_NIGHT, KEY_ROLLED, QUICK, TLSA_MENDED, operated, operator_hosts, operator_on
from demo.world import GRANITE, NORTHLIGHT, OPERATORS, Domain, Host
from scanner.facts import DnsAnswer, Dnssec, DnsStatus, TlsaRecord
from scanner.mta_sts import sts_policy, sts_record
from scanner.policy_facts import HostTlsa, MtaStsFacts, PolicyFacts, PolicyFetch, TlsaLookup, TlsRptFacts
from scanner.tlsrpt import tls_rpt_record

ENFORCING, TESTING, BECOMING = 14, 10, 6
"""Domains with MTA-STS: at once enforcing; testing; and how many of those enforce from ENFORCE_FROM on."""
ENFORCE_FROM = 9
_MX_PORT = 25


def policy_facts(domain: Domain, place: int, hosts: Sequence[Host], night: int, now: datetime) -> PolicyFacts:
    """All that a domain publishes on a night; `place` is its number among the customers of its operator."""
    operator = operator_on(domain, night)
    signed = operator in OPERATORS and OPERATORS[operator].signed
    tlsa = tuple(_host_tlsa(host, night) if signed else _unsigned(host) for host in hosts)
    sts = _sts(domain, place, night, now) if _has_sts(domain, place) else MtaStsFacts(dnssec=_dnssec(signed))
    return PolicyFacts(tlsa, sts, _rpt(domain, place, signed))


def publishes(policy: PolicyFacts) -> bool:
    """Whether a scan asks the hosts once more, with their names."""
    return any(tlsa.deciding for tlsa in policy.tlsa) or (
        policy.mta_sts is not None and policy.mta_sts.policy is not None
    )


def _dnssec(signed: bool) -> Dnssec:
    return Dnssec.SECURE if signed else Dnssec.INSECURE


def _unsigned(host: Host) -> HostTlsa:
    return HostTlsa(host.name, _MX_PORT, Dnssec.INSECURE)


def _host_tlsa(host: Host, night: int) -> HostTlsa:
    """3 1 1, of the key that the zone believes in: for two nights still the old one."""
    believed = KEY_ROLLED - 1 if KEY_ROLLED <= night < TLSA_MENDED else night
    leaf = operated(NORTHLIGHT, host, believed).chain[0]
    key = public_key_info(leaf.der)
    assert key is not None
    record = TlsaRecord(3, 1, 1, hashlib.sha256(key).digest())
    name = f"_25._tcp.{host.name}"
    answer = DnsAnswer(name, "TLSA", DnsStatus.RECORDS, (record,), dnssec=Dnssec.SECURE)
    return HostTlsa(host.name, _MX_PORT, Dnssec.SECURE, None, (TlsaLookup(host.name, _MX_PORT, answer),))


def _has_sts(domain: Domain, place: int) -> bool:
    return domain.operator == GRANITE and place < ENFORCING + TESTING


def _sts(domain: Domain, place: int, night: int, now: datetime) -> MtaStsFacts:
    enforces = place < ENFORCING or (place < ENFORCING + BECOMING and night >= ENFORCE_FROM)
    mode = "enforce" if enforces else "testing"
    hosts = "".join(f"mx: {host.name}\r\n" for host in operator_hosts(GRANITE))
    body = f"version: STSv1\r\nmode: {mode}\r\n{hosts}max_age: 604800\r\n"
    since = ENFORCE_FROM if enforces and place >= ENFORCING else 0
    record = sts_record([f"v=STSv1; id=202611{since + 1:02d}0000;"])
    fetch = PolicyFetch(now, "203.0.113.200", 200, "text/plain", body, _policy_chain(domain))
    return MtaStsFacts(record, Dnssec.INSECURE, fetch, sts_policy(body))


def _policy_chain(domain: Domain) -> Chain:
    return QUICK.chain((f"mta-sts.{domain.name}",), FIRST_NIGHT - 20 * DAY, 90)


def _rpt(domain: Domain, place: int, signed: bool) -> TlsRptFacts | None:
    wanted = _has_sts(domain, place) or (signed and place % 2 == 0)
    return tls_rpt_record([f"v=TLSRPTv1; rua=mailto:tls-reports@{domain.name}"]) if wanted else None

"""Published policy of one domain with one host, for the tests of its judgement."""

import hashlib
from collections.abc import Sequence

import msgspec

from audits.dane import Seen
from audits.grade import domain_verdict
from audits.tlsa import public_key_info
from scanner.facts import (
    DnsAnswer,
    Dnssec,
    DnsStatus,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    Lookup,
    RouteStatus,
    TlsaRecord,
)
from scanner.policy_facts import HostTlsa, MtaStsFacts, PolicyFacts, TlsaLookup
from scanner.tls_facts import CertificateFacts
from tests.audits.session_factory import GOOD, MX, Server, asked, domain_facts, handshake, reference, trusting

MATCH = TlsaRecord(3, 0, 1, hashlib.sha256(b"leaf").digest())
MISMATCH = TlsaRecord(3, 0, 1, bytes(32))


def tlsa_answer(*records: TlsaRecord, dnssec: Dnssec = Dnssec.SECURE) -> DnsAnswer:
    status = DnsStatus.RECORDS if records else DnsStatus.NODATA
    return DnsAnswer(f"_25._tcp.{MX}", "TLSA", status, records, dnssec=dnssec)


def host_tlsa(answer: Lookup, port: int = 25, mx_host: str = MX) -> HostTlsa:
    return HostTlsa(mx_host, port, Dnssec.SECURE, None, (TlsaLookup(mx_host, port, answer),))


def seen_of(
    server: Server = GOOD,
    *tlsa: HostTlsa,
    sts: MtaStsFacts | None = None,
    mx_dnssec: Dnssec = Dnssec.SECURE,
    named: Server | None = None,
    status: RouteStatus = RouteStatus.MX,
) -> Seen:
    """A domain whose host behaves like `server`, and like `named` for a client that sends its name."""
    plain = asked(server)
    with_name = msgspec.structs.replace(asked(named or server), endpoint=Endpoint("192.0.2.1", 25, MX))
    refs = (reference(plain), EndpointRef(MX, 10, with_name.endpoint, EndpointUse.POLICY))
    facts = domain_facts(*refs, status=status)
    route = msgspec.structs.replace(facts.route, mx_dnssec=mx_dnssec, hosts=facts.route.hosts[:1])
    facts = msgspec.structs.replace(facts, route=route, policy=PolicyFacts(tlsa, sts))
    return seen(facts, plain, with_name)


def seen_with_chain(chain: Sequence[CertificateFacts], *tlsa: HostTlsa) -> Seen:
    """A domain whose host shows this chain, leaf first, with a server name and without."""
    shown = seen_of(msgspec.structs.replace(GOOD, shake=handshake(chain=chain)), *tlsa)
    known = {at: msgspec.structs.replace(each, certificates=tuple(chain)) for at, each in shown.endpoints.items()}
    return msgspec.structs.replace(shown, endpoints=known)


def tlsa_of(usage: int, selector: int, certificate: CertificateFacts) -> TlsaRecord:
    """The record with the SHA-256 digest of a real certificate, or of its key."""
    data = certificate.der if selector == 0 else public_key_info(certificate.der)
    assert data is not None
    return TlsaRecord(usage, selector, 1, hashlib.sha256(data).digest())


def seen(facts, *endpoints: EndpointFacts) -> Seen:  # type: ignore[no-untyped-def]
    known = {each.endpoint: each for each in endpoints}
    return Seen(facts, known, domain_verdict(facts, known, trusting).endpoints)

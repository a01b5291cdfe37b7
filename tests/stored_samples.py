"""Facts as a scan of an ordinary server gives them, for the tests of the store."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy

from audits.store import DomainResult, RunStart
from scanner.facts import (
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    MailRoute,
    MxHost,
    RouteStatus,
    SessionFacts,
    Target,
)
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.tls_facts import CertificateFacts, HandshakeFacts, HelloStyle, PublicKeyFacts

NIGHT = datetime(2026, 11, 21, 6, 30, 0, 123456, tzinfo=UTC)


def store_place(folder: Path) -> str:
    """Where the tests keep a new store: a file, or the database that TLSAUDIT_TEST_STORE names, emptied before."""
    server = os.environ.get("TLSAUDIT_TEST_STORE")
    if server is None:
        return str(folder / "runs.db")
    engine = sqlalchemy.create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return server


def entries(count: int) -> list[Target]:
    return [Target(name, name) for name in (f"d{number}.example" for number in range(1, count + 1))]


def start(number: int = 0, input_digest: str = "ab" * 32) -> RunStart:
    """The beginning of a run, so many hours after the first."""
    return RunStart(
        started=NIGHT + timedelta(hours=number),
        input_digest=input_digest,
        options=b'{"ports":[25]}',
        tool_version="0.1.0",
        trust_digest="cd" * 32,
    )


def endpoint(number: int = 1) -> Endpoint:
    return Endpoint(f"192.0.2.{number}" if number < 256 else f"2001:db8::{number:x}", 25)


def certificate(number: int = 1, size: int = 1200) -> CertificateFacts:
    """A leaf, with a DER that no compression makes smaller, as a real one."""
    der = b"".join(hashlib.sha512(f"{number} {block}".encode()).digest() for block in range(size // 64))
    return CertificateFacts(
        sha256=hashlib.sha256(der).hexdigest(),
        der=der,
        subject=f"CN=mx{number}.example.org",
        issuer="CN=Example CA R3,O=Example Trust,C=XX",
        serial=hashlib.sha256(der).hexdigest()[:32],
        not_before=NIGHT - timedelta(days=30),
        not_after=NIGHT + timedelta(days=60),
        names_dns=(f"mx{number}.example.org", "nul\x00.example.org", "b\xfccher.example"),
        common_names=(f"mx{number}.example.org",),
        has_san=True,
        key=PublicKeyFacts("RSA", 2048, 112, spki_sha256=hashlib.sha256(der[:99]).hexdigest()),
        signature_algorithm="sha256WithRSAEncryption",
        signature_hash="SHA-256",
        extended_key_usage=("serverAuth",),
        ocsp_urls=("http://ocsp.example.org/",),
    )


def seen(number: int = 1, seen_at: datetime = NIGHT) -> EndpointFacts:
    """A healthy server: one session, a leaf of its own and an intermediate that all share."""
    name = f"mx{number}.example.org"
    capabilities = (f"{name}", "PIPELINING", "SIZE 52428800", "ETRN", "STARTTLS", "8BITMIME", "DSN", "SMTPUTF8")
    inside = tuple(word for word in capabilities if word != "STARTTLS")
    chain = (certificate(number), certificate(0))
    said = [f"S: 220 {name} ESMTP Postfix", "C: EHLO scan.example.net"]
    said += [f"S: 250-{word}" for word in capabilities] + ["C: STARTTLS", "S: 220 2.0.0 Ready to start TLS"]
    said += ["* TLSv1.3 with cipher TLS_AES_256_GCM_SHA384", "C: EHLO scan.example.net"]
    said += [f"S: 250-{word}" for word in inside] + ["C: QUIT", "S: 221 2.0.0 Bye"]
    session = SessionFacts(
        hello=HelloStyle.POSTFIX_MUST,
        greeting=SmtpReply(220, (f"{name} ESMTP Postfix",)),
        ehlo=SmtpReply(250, capabilities),
        starttls=SmtpReply(220, ("2.0.0 Ready to start TLS",)),
        handshake=HandshakeFacts(
            "TLSv1.3",
            "TLS_AES_256_GCM_SHA384",
            "TLS_AES_256_GCM_SHA384",
            group="X25519",
            chain=tuple(one.sha256 for one in chain),
            client_certificate_requested=False,
        ),
        ehlo_tls=SmtpReply(250, inside),
        transcript=tuple(said),
    )
    return EndpointFacts(endpoint(number), seen_at, (session,), chain)


def unreachable(number: int = 2, seen_at: datetime = NIGHT) -> EndpointFacts:
    failure = ProbeFailure(Stage.GREETING, Kind.TEMPORARY, "", SmtpReply(421, ("4.7.0 caf\xe9, try later",)))
    session = SessionFacts(hello=HelloStyle.POSTFIX_MUST, failure=failure, transcript=("S: 421 4.7.0 caf\xe9",))
    return EndpointFacts(endpoint(number), seen_at, (session,), (), failure)


def domain(number: int, *servers: int) -> DomainFacts:
    """A domain of the input with its MX hosts; without numbers it has one server of its own."""
    numbers = servers or (number,)
    hosts = tuple(MxHost(f"mx{n}.example.org", 10, (endpoint(n).address,)) for n in numbers)
    refs = tuple(EndpointRef(f"mx{n}.example.org", 10, endpoint(n)) for n in numbers)
    name = f"d{number}.example"
    return DomainFacts(Target(name, name), MailRoute(RouteStatus.MX, hosts), refs)


def result(number: int, *servers: int, seen_at: datetime = NIGHT) -> DomainResult:
    """A judgement shaped as the real one, with the time of each endpoint in it."""
    facts = domain(number, *servers)
    judged = {
        "grade": "MUST",
        "endpoints": [{"address": ref.endpoint.address, "seen_at": seen_at} for ref in facts.endpoints],
    }
    return DomainResult(number, facts, "MUST", msgspec.json.encode(judged))

"""Servers of the demo, and what a scan brings home of them: the scanner's own plan asks, a script answers."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from demo.certificates import Chain
from scanner.facts import Endpoint, EndpointFacts, Fact, SessionFacts
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.plans import plan_of
from scanner.smtp import Quit, ReadGreeting, Say, SessionRequest, Step, Upgrade, smtp_dialogue
from scanner.tls_facts import HandshakeFacts, HelloStyle
from scanner.wire_facts import ChainFacts, Preference, TlsFacts, VersionFacts

MODERN = ("TLSv1.3", "TLSv1.2")
LEGACY = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0")
OLD = ("TLSv1.2", "TLSv1.1", "TLSv1.0")
_ASKED = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3", "SSLv2")
_SUITES: Mapping[str, tuple[str, ...]] = {
    "TLSv1.3": ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"),
    "TLSv1.2": ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    "TLSv1.1": ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",),
    "TLSv1.0": ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",),
}
_OPENSSL = {"TLSv1.3": "TLS_AES_256_GCM_SHA384", "TLSv1.2": "ECDHE-ECDSA-AES256-GCM-SHA384"}
HYBRID = "X25519MLKEM768"
EHLO = "scan.example.net"
_HELLOS_OF_STANDARD = 9


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One server on one night. `chain` () has no STARTTLS; `refuses` is its greeting where it throttles."""

    name: str
    chain: Chain = ()
    versions: tuple[str, ...] = MODERN
    hybrid: bool = False
    banner: str = "ESMTP Postfix"
    refuses: SmtpReply | None = None
    silent: bool = False


def endpoint_facts(server: Server, endpoint: Endpoint, seen_at: datetime) -> EndpointFacts:
    """What a scan at depth standard brings home of an endpoint."""
    plan = plan_of(SessionRequest(HelloStyle.POSTFIX_MUST, endpoint.transport, EHLO, sni=endpoint.sni))
    sessions: list[SessionFacts] = []
    wanted: SessionRequest | None = next(plan)
    while wanted is not None:
        sessions.append(_session(server, wanted))
        try:
            wanted = plan.send(sessions[-1])
        except StopIteration:
            wanted = None
    speaks = any(session.handshake for session in sessions)
    tls = _tls(server) if speaks and not endpoint.sni else None
    hellos = _HELLOS_OF_STANDARD if tls else 0
    return EndpointFacts(endpoint, seen_at, tuple(sessions), server.chain if speaks else (), None, tls, hellos)


def _session(server: Server, request: SessionRequest) -> SessionFacts:
    if server.silent:
        failure = ProbeFailure(Stage.CONNECT, Kind.TIMEOUT, "no answer within 30 s")
        return SessionFacts(request.hello, failure=failure, transcript=(f"* {failure}",))
    dialogue = smtp_dialogue(request)
    outcome: SmtpReply | HandshakeFacts | ProbeFailure | None = None
    while True:
        try:
            step = dialogue.send(outcome)
        except StopIteration as end:
            facts: SessionFacts = end.value
            return facts
        outcome = _answer(server, step, request)


def _answer(server: Server, step: Step, request: SessionRequest) -> SmtpReply | HandshakeFacts | ProbeFailure:
    match step:
        case ReadGreeting():
            return server.refuses or SmtpReply(220, (f"{server.name} {server.banner}",))
        case Upgrade(HelloStyle.RSA_CHAIN):
            return ProbeFailure(Stage.HANDSHAKE, Kind.TLS, "alert handshake_failure (40)")
        case Upgrade():
            return _handshake(server, request.sni)
        case Quit():
            return SmtpReply(221, ("2.0.0 Bye",))
        case Say(_, Stage.STARTTLS):
            return SmtpReply(220, ("2.0.0 Ready to start TLS",))
        case Say(_, Stage.EHLO):
            return SmtpReply(250, (server.name, "PIPELINING", "SIZE 52428800", *_starttls(server), "8BITMIME"))
        case Say():
            return SmtpReply(250, (server.name, "PIPELINING", "SIZE 52428800", "8BITMIME"))
    raise AssertionError(step)


def _starttls(server: Server) -> tuple[str, ...]:
    return ("STARTTLS",) if server.chain else ()


def _handshake(server: Server, sni: str) -> HandshakeFacts:
    version = server.versions[0]
    return HandshakeFacts(
        version,
        _SUITES[version][0],
        _OPENSSL[version],
        HYBRID if server.hybrid else "X25519",
        tuple(certificate.sha256 for certificate in server.chain),
        client_certificate_requested=False,
        sni=sni or None,
        leaf_key="EC",
    )


def _tls(server: Server) -> TlsFacts:
    offered = set(server.versions)
    classic = Fact.YES if "TLSv1.2" in offered else Fact.NOT_TESTED
    return TlsFacts(
        versions=tuple(_version(name, name in offered, _groups(server)) for name in _ASKED),
        chains=(ChainFacts("ECDSA", tuple(certificate.sha256 for certificate in server.chain)),),
        hybrid_group=Fact.YES if server.hybrid else Fact.NO,
        extended_master_secret=classic,
        secure_renegotiation=classic,
        session_tickets=classic,
        compression=Fact.NO,
        connections=_HELLOS_OF_STANDARD,
        complete=True,
    )


def _groups(server: Server) -> tuple[str, ...]:
    return (HYBRID, "X25519") if server.hybrid else ("X25519",)


def _version(name: str, offered: bool, groups: tuple[str, ...]) -> VersionFacts:
    if not offered:
        return VersionFacts(version=name, offered=Fact.NO, evidence="alert protocol_version (70)")
    used = groups if name == "TLSv1.3" else ("X25519",)
    return VersionFacts(version=name, offered=Fact.YES, suites=_SUITES[name], preference=Preference.SERVER, groups=used)

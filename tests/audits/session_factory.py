"""Facts of endpoints for the tests of the judgement: scripted servers, asked by the scanner's real plan and dialogue.

A `Server` says what it answers at each step. `asked(server)` gives the facts that a scan of it would bring home; with
several servers the first connection meets the first, and so on, the last one all that follow.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from hypothesis import strategies as st

from audits.trust import ChainVerdict
from scanner.facts import (
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    MailRoute,
    MxHost,
    RouteStatus,
    SessionFacts,
    Target,
)
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.plans import plan_of
from scanner.smtp import Quit, ReadGreeting, Say, SessionRequest, Step, Upgrade, smtp_dialogue
from scanner.tls_facts import CertificateFacts, HandshakeFacts, HelloStyle

SEEN = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
MX = "mx.example.org"
LEAF = CertificateFacts("aa" * 32, b"leaf", subject=f"CN={MX}", names_dns=(MX,), has_san=True, not_after=SEEN)
OTHER = CertificateFacts("bb" * 32, b"other", subject="CN=other", names_dns=("other.example.net",), has_san=True)
ISSUER = CertificateFacts("cc" * 32, b"issuer", subject="CN=Example CA", is_ca=True)


def reply(code: int, *lines: str) -> SmtpReply:
    return SmtpReply(code, lines or (f"{code // 100}.0.0 words",))


def handshake(version: str = "TLSv1.3", chain: Sequence[CertificateFacts] = (LEAF, ISSUER)) -> HandshakeFacts:
    """A completed handshake; an empty chain stands for an anonymous suite."""
    suite = "TLS_AES_256_GCM_SHA384" if version == "TLSv1.3" else "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    name = suite if chain else "ADH-AES256-GCM-SHA384"
    return HandshakeFacts(version, suite, name, "X25519", tuple(certificate.sha256 for certificate in chain))


ANONYMOUS = handshake("TLSv1.2", ())
OLD = handshake("TLSv1")
Answer = SmtpReply | Kind
Shake = HandshakeFacts | Kind


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """What one server answers; a `Kind` is how the step fails instead.

    `reset`, `reset_refused` and `reset_tls` are for the RSET behind MAIL in clear, behind a refused STARTTLS and behind
    MAIL inside TLS; `classic` and `level1` for the handshakes with those hellos.
    """

    connect: Kind | None = None
    greeting: Answer = reply(220, "mx.example.org ESMTP")
    ehlo: Answer = reply(250, "mx.example.org", "SIZE 1000", "STARTTLS")
    helo: Answer = reply(250)
    mail: Answer = reply(250)
    reset: Answer = reply(250)
    reset_refused: Answer = reply(250)
    reset_tls: Answer = reply(250)
    starttls: Answer = reply(220)
    shake: Shake = handshake()
    classic: Shake | None = None
    level1: Shake | None = None
    ehlo_tls: Answer = reply(250, "mx.example.org", "SIZE 1000")
    helo_tls: Answer = reply(250)
    mail_tls: Answer = reply(250)
    quit: Answer = reply(221)

    def answer(self, step: Step) -> Answer | Shake:
        match step:
            case ReadGreeting():
                return self.greeting
            case Upgrade(hello):
                special = {HelloStyle.CLASSIC: self.classic, HelloStyle.CLASSIC_LEVEL1: self.level1}.get(hello)
                return special or self.shake
            case Quit():
                return self.quit
            case Say(line, stage):
                word = {"rset": "reset"}.get(line.lower()) or line.partition(" ")[0].lower()
                ending = {Stage.EHLO_TLS: "_tls", Stage.MAIL_TLS: "_tls"}.get(stage, "")
                if word == "reset" and stage is Stage.STARTTLS:
                    ending = "_refused"
                answer: Answer = getattr(self, word + ending)
                return answer
        raise AssertionError(step)


PLAIN = reply(250, "mx.example.org", "SIZE 1000")
GOOD = Server()
NO_TLS = Server(ehlo=PLAIN)
DEMANDS_TLS = Server(mail=reply(530, "5.7.0 Must issue a STARTTLS command first"))
OLD_TLS = Server(shake=Kind.TLS, classic=OLD)
NO_CERTIFICATE = Server(shake=Kind.TLS, classic=ANONYMOUS)
BROKEN_TLS = Server(shake=Kind.CLOSED)
SILENT = Server(connect=Kind.TIMEOUT)


def session(server: Server, request: SessionRequest) -> SessionFacts:
    """One connection to the server."""
    if server.connect is not None:
        return SessionFacts(request.hello, failure=ProbeFailure(Stage.CONNECT, server.connect))
    dialogue = smtp_dialogue(request)
    outcome = None
    while True:
        try:
            step = dialogue.send(outcome)
        except StopIteration as stop:
            facts: SessionFacts = stop.value
            return facts
        said = server.answer(step)
        outcome = ProbeFailure(step.stage, said, "scripted") if isinstance(said, Kind) else said


Conversation = tuple[Server, SessionRequest]
"""A server, and what the plan wanted of the connection that met it."""


def conversations(*servers: Server, port: int = 25, envelope: bool = True) -> list[Conversation]:
    """The connections that the plan makes."""
    transport = Endpoint("192.0.2.1", port).transport
    plan = plan_of(SessionRequest(HelloStyle.POSTFIX_MUST, transport, "probe.example.net", envelope))
    held: list[Conversation] = []
    wanted: SessionRequest | None = next(plan)
    while wanted is not None:
        held.append((servers[min(len(held), len(servers) - 1)], wanted))
        try:
            wanted = plan.send(session(*held[-1]))
        except StopIteration:
            wanted = None
    return held


def asked(*servers: Server, address: str = "192.0.2.1", port: int = 25, envelope: bool = True) -> EndpointFacts:
    """What the plan brings home of an endpoint."""
    held = conversations(*servers, port=port, envelope=envelope)
    return facts_of(*(session(*each) for each in held), address=address, port=port)


def facts_of(*sessions: SessionFacts, address: str = "192.0.2.1", port: int = 25) -> EndpointFacts:
    return EndpointFacts(Endpoint(address, port), SEEN, sessions, (LEAF, ISSUER, OTHER))


def reference(
    facts: EndpointFacts, preference: int = 10, mx_host: str = MX, use: EndpointUse = EndpointUse.MAIL
) -> EndpointRef:
    return EndpointRef(mx_host, preference, facts.endpoint, use)


def domain_facts(*refs: EndpointRef, status: RouteStatus = RouteStatus.MX) -> DomainFacts:
    hosts = tuple(MxHost(ref.mx_host, ref.preference, (ref.endpoint.address,)) for ref in refs)
    return DomainFacts(Target("example.org", "example.org"), MailRoute(status, hosts), refs)


def trusting(_chain: Sequence[CertificateFacts], _at: datetime) -> ChainVerdict:
    """A `verify` that trusts every chain."""
    return ChainVerdict(trusted=True)


def distrusting(_chain: Sequence[CertificateFacts], _at: datetime) -> ChainVerdict:
    """A `verify` that finds every chain expired."""
    return ChainVerdict(trusted=False, result="certificate-expired", reason="certificate has expired")


# --- any server ----------------------------------------------------------------------------------------------------

_REFUSALS = [reply(code) for code in (354, 421, 450, 454, 502, 530, 550)]
_ENDS = [Kind.TIMEOUT, Kind.CLOSED, Kind.RESET, Kind.PROTOCOL]
_SHAKES = [OLD, ANONYMOUS, handshake("TLSv1.2"), handshake(chain=(OTHER,)), Kind.TLS, *_ENDS]


def any_server() -> st.SearchStrategy[Server]:
    """A server of any behaviour that is a good one at most steps."""
    options: dict[str, Sequence[object]] = {name: [*_REFUSALS, *_ENDS] for name in REPLIES}
    options |= {"ehlo": [PLAIN, *_REFUSALS, *_ENDS], "connect": [Kind.TIMEOUT, Kind.REFUSED]}
    options |= dict.fromkeys(("shake", "classic", "level1"), _SHAKES)
    changes = [st.tuples(st.just(name), st.sampled_from(answers)) for name, answers in options.items()]
    return st.lists(st.one_of(changes), max_size=4).map(lambda drawn: msgspec.structs.replace(GOOD, **dict(drawn)))


REPLIES = ("greeting", "ehlo", "helo", "mail", "reset", "reset_refused", "starttls", "ehlo_tls", "helo_tls", "mail_tls")

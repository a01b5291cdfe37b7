"""Sessions over real sockets on loopback: what memory cannot show."""

import gc
import select
import socket
import ssl
import threading
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from OpenSSL import SSL

from audits.demo.behaviour import Behaviour, Close, Reset, Send, TlsServer, Wait, reply
from audits.demo.certificates import new_authority
from audits.demo.smtp_server import SmtpServer, serve
from scanner.connection import SessionResult, probe_session
from scanner.facts import Endpoint, SessionFacts
from scanner.failures import Kind, Stage
from scanner.smtp import SessionRequest
from scanner.tls_facts import HelloStyle

CREDENTIAL = new_authority().credential("mx.example.org")
TLS = TlsServer(chains=(CREDENTIAL.chain_pem,))
REQUEST = SessionRequest(HelloStyle.POSTFIX_MUST, ehlo="probe.example.net")


def failure_of(facts: SessionFacts) -> tuple[Stage, Kind]:
    assert facts.failure
    return facts.failure.stage, facts.failure.kind


@asynccontextmanager
async def serving(behaviour: Behaviour, address: str = "127.0.0.1") -> AsyncIterator[SmtpServer]:
    async with trio.open_nursery() as nursery:
        yield await nursery.start(lambda task_status: serve(behaviour, address=address, task_status=task_status))
        nursery.cancel_scope.cancel()


async def session_with(server: SmtpServer) -> SessionResult:
    with trio.fail_after(10):
        return await probe_session(Endpoint(server.address, server.port), REQUEST)


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            return False
    return True


async def test_a_real_connection():
    for address in ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",):
        async with serving(Behaviour(tls=TLS), address) as server:
            result = await session_with(server)
            assert result.facts.failure is None
            assert len(result.certificates) == 2
            (session,) = server.sessions
            assert session.commands == ["EHLO probe.example.net", "STARTTLS", "EHLO probe.example.net", "QUIT"]
            assert (session.asked_name, session.tls_failure) == ("", "")


@pytest.mark.parametrize(
    ("field", "stage"),
    [("greeting", Stage.GREETING), ("ehlo", Stage.EHLO), ("starttls", Stage.STARTTLS), ("after_220", Stage.HANDSHAKE)],
)
async def test_a_real_reset_in_every_stage(field, stage):
    async with serving(Behaviour(tls=TLS, **{field: (Reset(),)})) as server:
        facts = (await session_with(server)).facts
    assert facts.failure
    assert facts.failure.stage is stage
    assert facts.failure.kind in (Kind.RESET, Kind.CLOSED)


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_421_in_front_of_the_end_is_not_lost(end):
    async with serving(Behaviour(greeting=(Wait(0.05), *reply(421, "4.7.0 Too busy"), end))) as server:
        facts = (await session_with(server)).facts
    assert facts.failure
    assert facts.failure.reply
    assert facts.failure.reply.code == 421


async def test_a_real_refusal():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    facts = (await probe_session(Endpoint("127.0.0.1", port), REQUEST)).facts
    assert failure_of(facts) == (Stage.CONNECT, Kind.REFUSED)


async def test_our_alert_reaches_a_server_that_we_cannot_talk_to():
    anonymous = TlsServer(ciphers="aNULL", maximum=ssl.TLSVersion.TLSv1_2)
    old = TlsServer(
        chains=(CREDENTIAL.chain_pem,), minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.TLSv1_1, ciphers="ALL"
    )
    for tls in (anonymous, old):
        async with serving(Behaviour(tls=tls)) as server:
            facts = (await session_with(server)).facts
            assert failure_of(facts) == (Stage.HANDSHAKE, Kind.TLS)
            while server.open_now:  # noqa: ASYNC110 (it reads our alert when it likes)
                await trio.sleep(0.01)
            assert server.sessions[0].tls_failure


async def test_descriptors_and_memory_stay_level_under_floods():
    async with serving(Behaviour(greeting=(Send(b"x" * 65536, times=1600),))) as server:
        await session_with(server)
        gc.collect()
        before = open_descriptors()
        tracemalloc.start()
        try:
            facts = (await session_with(server)).facts
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert open_descriptors() <= before + 2
    assert failure_of(facts) == (Stage.GREETING, Kind.PROTOCOL)
    assert peak < 2_000_000


def _renegotiating(listener: socket.socket) -> None:
    """Answers EHLO inside TLS 1.2 only when the client has taken up a HelloRequest (RFC 5246 section 7.4.1.1)."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate(CREDENTIAL.leaf.certificate)
    context.use_privatekey(CREDENTIAL.leaf.key)
    plain, _ = listener.accept()
    with plain:
        plain.sendall(b"220 mx ESMTP\r\n")
        plain.recv(1000)
        plain.sendall(b"250-mx\r\n250 STARTTLS\r\n")
        plain.recv(1000)
        plain.sendall(b"220 go\r\n")
        secured = SSL.Connection(context, plain)
        secured.set_accept_state()
        secured.do_handshake()
        secured.recv(1000)
        secured.renegotiate()
        secured.do_handshake()
        plain.setblocking(False)
        while secured.renegotiate_pending():
            select.select([plain], [], [], 10)
            with suppress(SSL.WantReadError):
                secured.recv(1000)
        plain.setblocking(True)
        secured.sendall(b"250 mx\r\n")
        secured.recv(1000)


async def test_a_second_handshake_in_the_middle_is_held():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_renegotiating, args=(listener,))
        thread.start()
        with trio.fail_after(10):
            result = await probe_session(Endpoint(*listener.getsockname()), REQUEST)
        thread.join(10)
    assert result.facts.failure is None
    assert result.facts.ehlo_tls is not None

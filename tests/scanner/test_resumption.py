"""Resumption against small servers that do or do not resume."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio

from audits.demo.behaviour import Behaviour, TlsServer
from audits.demo.certificates import new_authority
from audits.demo.smtp_server import serve
from scanner.answers import Fact
from scanner.connection import SessionResult, probe_session
from scanner.deep_facts import Way
from scanner.facts import Endpoint, SessionFacts
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.resumption import ResumingClient, resumption_facts, ways_of
from scanner.smtp import SessionRequest
from scanner.tls_facts import HelloStyle
from scanner.wire_facts import TlsFacts, VersionFacts

CHAIN = new_authority().credential("mx.example.org").chain_pem
REQUEST = SessionRequest(HelloStyle.POSTFIX_MUST)


def offered(*names):
    return TlsFacts(versions=tuple(VersionFacts(version=name, offered=Fact.YES) for name in names))


def test_only_offered_versions_are_asked():
    assert ways_of(None) == ()
    assert ways_of(offered("TLSv1.1")) == ()
    assert ways_of(offered("TLSv1.2")) == (Way.TLS12_TICKET, Way.TLS12_SESSION_ID)
    assert ways_of(offered("TLSv1.3", "TLSv1.2")) == tuple(Way)


@pytest.mark.parametrize("way", list(Way))
async def test_a_server_that_resumes(nursery, way):
    server = await nursery.start(serve, Behaviour(tls=TlsServer(chains=(CHAIN,))))
    endpoint = Endpoint(server.address, server.port)

    async def hold(client: ResumingClient) -> SessionResult:
        return await probe_session(endpoint, REQUEST, tls=client)

    facts = await resumption_facts(way, hold)
    assert (facts.issued, facts.resumed) == (Fact.YES, Fact.YES)
    assert (facts.lifetime_hint_s is None) == (way is Way.TLS12_SESSION_ID)
    assert server.connections == 2
    nursery.cancel_scope.cancel()


@contextmanager
def openssl_server(folder: Path, *options: str) -> Iterator[int]:
    """`openssl s_server`, which speaks no SMTP but shakes hands; gives its port."""
    (folder / "chain.pem").write_bytes(CHAIN)
    with free_port() as port:
        pass
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "chain.pem", "-quiet", *options]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def _wait_for(port: int) -> None:
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)  # waiting for a real server to listen
    raise AssertionError("openssl s_server does not listen")


async def _shake(port: int, client: ResumingClient) -> SessionResult:
    """A handshake without SMTP around it, reported as the session that it would have been."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        while not client.shake():
            await stream.send_all(client.outgoing())
            client.feed(await stream.receive_some())
        await stream.send_all(client.outgoing())
        with trio.move_on_after(0.2):
            client.feed(await stream.receive_some())
            client.decrypt()
    facts = client.facts(())
    return SessionResult(SessionFacts(HelloStyle.POSTFIX_MUST, handshake=facts, ehlo_tls=None))


async def test_a_server_without_tickets_and_cache_says_no(tmp_path):
    with openssl_server(tmp_path, "-no_ticket", "-no_cache", "-tls1_2") as port:
        for way in (Way.TLS12_TICKET, Way.TLS12_SESSION_ID):
            facts = await resumption_facts(way, partial(_whole_session, port))
            assert facts.resumed is Fact.NO


async def _whole_session(port: int, client: ResumingClient) -> SessionResult:
    result = await _shake(port, client)
    assert result.facts.handshake is not None
    facts = SessionFacts(result.facts.hello, handshake=result.facts.handshake, ehlo_tls=SmtpReply(250))
    return SessionResult(facts)


async def test_issued_but_not_taken_up_is_asked_twice(nursery):
    """Two servers behind one address, each with keys of its own: no second session meets the first one's server."""
    servers = [await nursery.start(serve, Behaviour(tls=TlsServer(chains=(CHAIN,)))) for _ in range(3)]
    rest = iter(servers)

    async def hold(client: ResumingClient) -> SessionResult:
        server = next(rest)
        return await probe_session(Endpoint(server.address, server.port), REQUEST, tls=client)

    facts = await resumption_facts(Way.TLS12_TICKET, hold)
    assert (facts.issued, facts.resumed) == (Fact.YES, Fact.NO)
    assert [server.connections for server in servers] == [1, 1, 1]
    nursery.cancel_scope.cancel()


async def test_a_server_that_refuses_leaves_it_open():
    async def refuse(_client: ResumingClient) -> SessionResult:
        failure = ProbeFailure(Stage.GREETING, Kind.TEMPORARY)
        return SessionResult(SessionFacts(HelloStyle.POSTFIX_MUST, failure=failure))

    async def forbidden(_client: ResumingClient) -> None:
        return None

    for hold in (refuse, forbidden):
        facts = await resumption_facts(Way.TLS13_TICKET, hold)
        assert (facts.issued, facts.resumed) == (Fact.INCONCLUSIVE, Fact.INCONCLUSIVE)

"""sslyze in its child, against a small real server; its connections are ours, and counted."""

import socket

import pytest
import trio

from audits.demo.behaviour import Behaviour, Close, TlsServer, reply
from audits.demo.certificates import new_authority
from audits.demo.smtp_server import serve
from scanner.answers import Fact
from scanner.endpoint_probe import EndpointProbe, Shells
from scanner.facts import Endpoint, Transport
from scanner.settings import Depth, ScanSettings
from scanner.sslyze_probe import TESTS, doubted, relay, unanswered
from scanner.tcp import TcpSocket

CHAIN = new_authority().credential("mx.example.org").chain_pem


def probe():
    settings = ScanSettings(interval_s=0, depth=Depth.POLICY, vulnerabilities=True, ehlo="scanner.example")
    return EndpointProbe(settings, Shells(look_up=None))  # type: ignore[arg-type]


async def test_a_healthy_server_is_not_vulnerable_and_every_connection_is_counted(nursery):
    server = await nursery.start(serve, Behaviour(tls=TlsServer(chains=(CHAIN,))))
    facts = await probe().facts(Endpoint(server.address, server.port), "mx.example.org")
    assert facts.deep is not None
    assert {fact.name: fact.vulnerable for fact in facts.deep.vulnerabilities} == dict.fromkeys(TESTS, Fact.NO)
    assert facts.connections == 1
    assert facts.connections + facts.deep.vulnerability_connections == server.connections
    assert server.most_at_once == 1
    said = {command for session in server.sessions for command in session.commands if command.startswith("EHLO")}
    assert said == {"EHLO scanner.example"}, "sslyze says our name"
    nursery.cancel_scope.cancel()


async def test_a_server_that_begins_to_throttle_is_never_called_safe(nursery):
    busy = Behaviour(greeting=(*reply(421, "too many"), Close()))
    server = await nursery.start(serve, Behaviour(tls=TlsServer(chains=(CHAIN,)), later=(4, busy)))
    facts = await probe().facts(Endpoint(server.address, server.port), "mx.example.org")
    assert facts.deep is not None
    assert {fact.vulnerable for fact in facts.deep.vulnerabilities} == {Fact.INCONCLUSIVE}
    nursery.cancel_scope.cancel()


def test_doubt_takes_back_only_the_noes():
    (first, *rest) = unanswered("why")
    assert {fact.vulnerable for fact in (first, *rest)} == {Fact.INCONCLUSIVE}
    facts = (type(first)("robot", Fact.YES), type(first)("heartbleed", Fact.NO))
    assert [fact.vulnerable for fact in doubted(facts)] == [Fact.YES, Fact.INCONCLUSIVE]


@pytest.mark.parametrize(
    ("greeting", "transport", "greeted"),
    [
        (b"220 mx\r\n", Transport.STARTTLS, True),
        (b"421 busy\r\n", Transport.STARTTLS, False),
        (b"", Transport.STARTTLS, False),
        (b"", Transport.IMPLICIT, True),
    ],
)
async def test_the_relay_sees_how_it_is_greeted(greeting, transport, greeted):
    far, behind = socket.socketpair()
    server = trio.socket.from_stdlib_socket(behind)
    near, client = trio.socket.socketpair()
    outcome = []
    async with trio.open_nursery() as nursery:

        async def run() -> None:
            outcome.append(await relay(trio.SocketStream(near), TcpSocket(far), transport))

        nursery.start_soon(run)
        if greeting:
            await server.send(greeting)
            assert await client.recv(100) == greeting
        server.close()
    assert outcome == [greeted]
    client.close()
    near.close()

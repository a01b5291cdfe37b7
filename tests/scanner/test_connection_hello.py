"""One hello and the first flight that answers it, in memory on the virtual clock."""

import errno
import ssl

import pytest
import trio

from audits.demo.behaviour import Behaviour, Close, Hang, Send, TlsServer, reply
from audits.demo.certificates import new_authority
from scanner.connection import probe_hello
from scanner.facts import Endpoint, Transport
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.smtp import SessionRequest
from scanner.tcp import TcpSocket
from scanner.tls_facts import HelloStyle
from scanner.wire.code_points import TLS11, TLS12, TLS13
from scanner.wire.questions import hello_for
from scanner.wire.server_flight import FlightEnd, ServerFlight
from tests.scanner.memory_network import MemoryNetwork, Silent

CREDENTIAL = new_authority().credential("mx.example.org")
MODERN = TlsServer(chains=(CREDENTIAL.chain_pem,))
ONLY_12 = TlsServer(chains=(CREDENTIAL.chain_pem,), maximum=ssl.TLSVersion.TLSv1_2)
HOST = Endpoint("192.0.2.1", 25)
REQUEST = SessionRequest(HelloStyle.POSTFIX_MUST, ehlo="probe.example.net")


async def answer_of(server: object, version: int = TLS12, endpoint: Endpoint = HOST) -> ServerFlight | ProbeFailure:
    request = SessionRequest(HelloStyle.POSTFIX_MUST, endpoint.transport, "probe.example.net")
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, {(endpoint.address, endpoint.port): server})
        answer = await probe_hello(endpoint, request, hello_for(version), network.connect)
        assert network.all_closed
        nursery.cancel_scope.cancel()
    return answer


@pytest.mark.parametrize(
    ("server", "version", "end"),
    [
        (Behaviour(tls=MODERN), TLS13, FlightEnd.RETRY),
        (Behaviour(tls=MODERN), TLS12, FlightEnd.DONE),
        (Behaviour(tls=MODERN), TLS11, FlightEnd.ALERT),
        (Behaviour(tls=ONLY_12), TLS13, FlightEnd.ALERT),
        (Behaviour(starttls=reply(220, "go"), after_220=(Close(),)), TLS12, FlightEnd.CLOSED),
        (Behaviour(starttls=reply(220, "go"), after_220=(Send(b"554 no TLS\r\n"), Close())), TLS12, FlightEnd.NOT_TLS),
    ],
)
async def test_flights(autojump_clock, server, version, end):
    flight = await answer_of(server, version)
    assert isinstance(flight, ServerFlight)
    assert flight.end is end
    if end is FlightEnd.DONE:
        assert len(flight.chain) == 2


@pytest.mark.parametrize(
    ("server", "stage", "kind"),
    [
        (Silent, Stage.CONNECT, Kind.TIMEOUT),
        (Behaviour(greeting=(*reply(421, "busy"), Close())), Stage.GREETING, Kind.TEMPORARY),
        (Behaviour(greeting=(Hang(),)), Stage.GREETING, Kind.TIMEOUT),
        (Behaviour(), Stage.EHLO, Kind.PROTOCOL),
        (Behaviour(tls=MODERN, ehlo=(Close(),)), Stage.EHLO, Kind.CLOSED),
        (Behaviour(tls=MODERN, starttls=(*reply(421, "busy"), Close())), Stage.STARTTLS, Kind.TEMPORARY),
        (Behaviour(tls=MODERN, starttls=reply(454, "not now")), Stage.STARTTLS, Kind.TEMPORARY),
        (Behaviour(starttls=reply(220, "go"), after_220=(Hang(),)), Stage.HANDSHAKE, Kind.TIMEOUT),
    ],
)
async def test_what_says_nothing_about_tls_is_a_failure(autojump_clock, server, stage, kind):
    failure = await answer_of(server)
    assert isinstance(failure, ProbeFailure)
    assert (failure.stage, failure.kind) == (stage, kind)


async def test_tls_at_once(autojump_clock):
    endpoint = Endpoint("192.0.2.1", 465)
    assert endpoint.transport is Transport.IMPLICIT
    flight = await answer_of(Behaviour(tls=MODERN, implicit_tls=True), TLS12, endpoint)
    assert isinstance(flight, ServerFlight)
    assert flight.accepted


async def test_a_server_that_left_behind_its_flight_has_answered(autojump_clock):
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, {(HOST.address, HOST.port): Behaviour(tls=MODERN)})

        async def connect(address: str, port: int) -> TcpSocket:
            sock = await network.connect(address, port)
            sending = sock.send

            async def send(data: bytes) -> int:
                if bytes(data[:1]) == b"\x15":
                    raise BrokenPipeError(errno.EPIPE, "Broken pipe")
                return await sending(data)

            sock.send = send  # type: ignore[method-assign]
            return sock

        flight = await probe_hello(HOST, REQUEST, hello_for(TLS12), connect)
        nursery.cancel_scope.cancel()
    assert isinstance(flight, ServerFlight)
    assert flight.accepted

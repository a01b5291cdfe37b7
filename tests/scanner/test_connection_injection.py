"""STARTTLS command injection: a server that obeys what was said in clear, and one that forgets it."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from audits.demo.behaviour import Behaviour, Close, TlsServer, reply
from audits.demo.certificates import new_authority
from audits.demo.smtp_server import serve
from audits.demo.tls_stream import server_context
from scanner.answers import Fact
from scanner.connection import probe_injection
from scanner.facts import Endpoint
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.smtp import SessionRequest
from scanner.tls_facts import HelloStyle

CHAIN = new_authority().credential("mx.example.org").chain_pem
REQUEST = SessionRequest(HelloStyle.POSTFIX_MUST, ehlo="probe.example.net")
REPLIES = {b"NOOP": b"250 2.0.0 Ok\r\n", b"EHLO": b"250-mx\r\n250 SIZE\r\n", b"QUIT": b"221 Bye\r\n"}


@contextmanager
def gullible_server() -> Iterator[Endpoint]:
    """Takes up inside TLS what it read behind STARTTLS in clear, as in CVE-2011-0411."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        plain, _ = listener.accept()
        with plain:
            plain.sendall(b"220 mx ESMTP\r\n")
            plain.recv(1000)
            plain.sendall(b"250-mx\r\n250 STARTTLS\r\n")
            waiting = plain.recv(1000).split(b"\r\n", 1)[1]
            plain.sendall(b"220 go\r\n")
            with server_context(TlsServer(chains=(CHAIN,))).wrap_socket(plain, server_side=True) as stream:
                _talk(stream, waiting)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield Endpoint(*listener.getsockname())
    finally:
        thread.join(20)
        listener.close()


def _talk(stream: ssl.SSLSocket, waiting: bytes) -> None:
    for _ in range(3):
        while b"\r\n" not in waiting:
            waiting += stream.recv(1000)
        line, waiting = waiting.split(b"\r\n", 1)
        stream.sendall(REPLIES[line[:4]])


async def test_a_gullible_server_is_found_out():
    with gullible_server() as endpoint:
        assert await probe_injection(endpoint, REQUEST) is Fact.YES


async def test_a_server_that_forgets_what_was_said_in_clear(nursery):
    server = await nursery.start(serve, Behaviour(tls=TlsServer(chains=(CHAIN,))))
    assert await probe_injection(Endpoint(server.address, server.port), REQUEST) is Fact.NO
    nursery.cancel_scope.cancel()


async def test_a_server_that_refuses_leaves_it_open(nursery):
    server = await nursery.start(serve, Behaviour(greeting=(*reply(421, "busy"), Close())))
    answer = await probe_injection(Endpoint(server.address, server.port), REQUEST)
    assert isinstance(answer, ProbeFailure)
    assert (answer.stage, answer.kind) == (Stage.GREETING, Kind.TEMPORARY)
    plain = await nursery.start(serve, Behaviour())
    answer = await probe_injection(Endpoint(plain.address, plain.port), REQUEST)
    assert isinstance(answer, ProbeFailure)
    assert answer.stage is Stage.EHLO
    nursery.cancel_scope.cancel()

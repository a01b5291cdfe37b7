"""Small HTTPS servers for MTA-STS policies: each answers in its own way, the hostile ones too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import trio
from msgspec import Struct

from audits.demo.behaviour import TlsServer
from audits.demo.certificates import Credential
from audits.demo.tls_stream import TlsFailed, TlsStream, server_context

POLICY = "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 604800\n"
TEXT = "text/plain; charset=utf-8"


class PolicyHost(Struct, frozen=True, kw_only=True):
    """One host: its certificate, and the bytes that it sends, `times` over, after the request."""

    credential: Credential | None
    answer: bytes
    times: int = 1
    every_s: float = 0.0
    hangs: bool = False


class Running(Struct):
    """A started host, and the request lines and server names that it saw."""

    port: int
    requests: list[bytes]
    names: list[str]


def http(body: str, status: str = "200 OK", media_type: str | None = TEXT, *more: str) -> bytes:
    """A complete answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *more]
    head += [f"Content-Type: {media_type}"] if media_type else []
    return ("\r\n".join(head) + f"\r\n\r\n{body}").encode("latin-1")


@asynccontextmanager
async def policy_host(host: PolicyHost) -> AsyncIterator[Running]:
    """Serves on a loopback port until the block ends."""
    running = Running(0, [], [])
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, partial(_answer, host, running), 0, host="127.0.0.1")
        listeners = await nursery.start(serve)
        running.port = listeners[0].socket.getsockname()[1]
        yield running
        nursery.cancel_scope.cancel()


async def _answer(host: PolicyHost, running: Running, below: trio.SocketStream) -> None:
    async with below:
        with suppress(TlsFailed, trio.BrokenResourceError):
            if host.credential is None:
                await below.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            stream = TlsStream(below, server_context(TlsServer(chains=(host.credential.chain_pem,))))
            await stream.handshake()
            running.names.append(stream.asked_name)
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive_some()
            running.requests.append(request)
            for _ in range(host.times):
                await stream.send_all(host.answer)
                await trio.sleep(host.every_s)
            if host.hangs:
                await trio.sleep_forever()
            await stream.send_close_notify()

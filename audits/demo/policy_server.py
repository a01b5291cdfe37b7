"""The lab's policy host: one MTA-STS policy by HTTPS (RFC 8461 section 3.3), on a loopback port."""

import contextlib
from functools import partial

import trio
from msgspec import Struct

from audits.demo.behaviour import TlsServer
from audits.demo.tls_stream import TlsFailed, TlsStream, server_context

PATH = b"/.well-known/mta-sts.txt"
MAX_REQUEST = 16 * 1024
IDLE_S = 10.0


class PolicyServer(Struct, frozen=True):
    """A running policy host, as its starter sees it."""

    address: str
    port: int


async def serve_policy(
    chain_pem: bytes, policy: str, *, task_status: trio.TaskStatus[PolicyServer] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serves the policy until it is cancelled; for `nursery.start`, which returns the `PolicyServer`."""
    tls = TlsServer(chains=(chain_pem,))
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    address, port = listener.socket.getsockname()[:2]
    task_status.started(PolicyServer(address, port))
    await trio.serve_listeners(partial(_answer, tls, policy), [listener])


async def _answer(tls: TlsServer, policy: str, below: trio.SocketStream) -> None:
    """One request, one answer; whoever sends none in time is left."""
    async with below:
        with trio.move_on_after(IDLE_S), contextlib.suppress(TlsFailed, trio.BrokenResourceError):
            stream = TlsStream(below, server_context(tls))
            await stream.handshake()
            request = b""
            while b"\r\n\r\n" not in request and len(request) < MAX_REQUEST:
                more = await stream.receive_some()
                if not more:
                    return
                request += more
            await stream.send_all(_response(request, policy))
            await stream.send_close_notify()


def _response(request: bytes, policy: str) -> bytes:
    method, _, rest = request.partition(b" ")
    found = method == b"GET" and rest.partition(b" ")[0] == PATH
    status, body = ("200 OK", policy) if found else ("404 Not Found", "no such page\n")
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode("ascii")

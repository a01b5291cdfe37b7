"""The lab's name server: UDP and TCP on the same loopback port, no root needed (RFC 1035 section 4.2)."""

import contextlib
from collections import deque
from collections.abc import Iterable
from functools import partial

import dns.exception
import dns.message
import dns.rdatatype
import trio

from audits.demo.dns_answers import MAX_MESSAGE, Answers, Trouble, Zone

__all__ = ["DnsServer", "Trouble", "Zone", "serve_dns"]

BIND_ATTEMPTS = 50
"""The port that UDP got may be taken for TCP; then another is drawn."""
IDLE_S = 10.0
REMEMBERED = 10_000
"""Queries kept for whoever wants to look at them; a long run must not fill the memory."""


class DnsServer:
    """A running name server, as its starter sees it: how many queries came, and the last of them."""

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port
        self.queries = 0
        self._recent: deque[bytes] = deque(maxlen=REMEMBERED)

    def note(self, wire: bytes) -> None:
        self.queries += 1
        self._recent.append(wire)

    def asked(self) -> list[tuple[str, str]]:
        """The (name, type) of each of the last queries that could be read, oldest first."""
        found = []
        for wire in self._recent:
            with contextlib.suppress(dns.exception.DNSException, ValueError):
                questions = dns.message.from_wire(wire).question
                found += [(q.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(q.rdtype)) for q in questions]
        return found


async def serve_dns(
    zone: Zone,
    *,
    address: str = "127.0.0.1",
    signed: Iterable[str] = (),
    task_status: trio.TaskStatus[DnsServer] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answers from the zone until it is cancelled; for `nursery.start`, which returns the `DnsServer`.

    Names in `signed`, and below them, are answered as a validating resolver answers of a signed zone.
    """
    answers = Answers(zone, signed)
    udp, listener = await _bind(address)
    with udp:
        server = DnsServer(address, udp.getsockname()[1])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_serve_udp, answers, server, udp)
            handler = partial(_serve_tcp, answers, server)
            await nursery.start(partial(trio.serve_listeners, handler, [listener]))
            task_status.started(server)


async def _bind(address: str) -> tuple[trio.socket.SocketType, trio.SocketListener]:
    """A UDP socket and a TCP listener on the same free port."""
    family = trio.socket.AF_INET6 if ":" in address else trio.socket.AF_INET
    refusal: OSError | None = None
    for _ in range(BIND_ATTEMPTS):
        udp = trio.socket.socket(family, trio.socket.SOCK_DGRAM)
        try:
            await udp.bind((address, 0))
            (listener,) = await trio.open_tcp_listeners(udp.getsockname()[1], host=address)
        except OSError as error:
            udp.close()
            refusal = error
        else:
            return udp, listener
    raise OSError(f"no port of {address} is free for UDP and TCP") from refusal


async def _serve_udp(answers: Answers, server: DnsServer, udp: trio.socket.SocketType) -> None:
    while True:
        wire, sender = await udp.recvfrom(MAX_MESSAGE)
        server.note(wire)
        response = answers.respond(wire, udp=True)
        if response is not None:
            with contextlib.suppress(OSError):  # the asker has gone
                await udp.sendto(response, sender)


async def _serve_tcp(answers: Answers, server: DnsServer, stream: trio.SocketStream) -> None:
    """One connection: messages with their length before them, until the client leaves or says nothing for a while."""
    with trio.move_on_after(IDLE_S) as idle, contextlib.suppress(trio.BrokenResourceError):
        async with stream:
            while wire := await _message(stream):
                idle.deadline = trio.current_time() + IDLE_S
                server.note(wire)
                response = answers.respond(wire, udp=False)
                if response is not None:
                    await stream.send_all(len(response).to_bytes(2, "big") + response)


async def _message(stream: trio.SocketStream) -> bytes:
    """The next message, b"" at the end of the stream."""
    length = await _exactly(stream, 2)
    return await _exactly(stream, int.from_bytes(length, "big")) if length else b""


async def _exactly(stream: trio.SocketStream, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = await stream.receive_some(size - len(data))
        if not chunk:
            return b""
        data += chunk
    return bytes(data)

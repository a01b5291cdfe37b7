"""A name server that says exactly these bytes, for the odd and the hostile; the well-mannered one is the demo's."""

import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import trio

Respond = Callable[[bytes], list[bytes]]


@asynccontextmanager
async def responder(udp: Respond, tcp: Respond | None = None) -> AsyncIterator[str]:
    """A name server that answers each datagram with these datagrams, and each TCP message with these raw bytes.

    TCP is refused without `tcp`; where it gives no bytes the connection is reset.
    """
    sock = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1") if tcp else []  # first: its ports are scarce
    with sock:
        await sock.bind(("127.0.0.1", listeners[0].socket.getsockname()[1] if listeners else 0))
        port = sock.getsockname()[1]

        async def datagrams() -> None:
            while True:
                query, peer = await sock.recvfrom(65535)
                for response in udp(query):
                    await sock.sendto(response, peer)

        async def stream(connection: trio.SocketStream) -> None:
            assert tcp
            async with connection:
                query = await connection.receive_some(65535)
                if chunks := tcp(bytes(query[2:])):
                    with suppress(trio.BrokenResourceError):
                        for chunk in chunks:
                            await connection.send_all(chunk)
                else:
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(datagrams)
            if tcp:
                nursery.start_soon(trio.serve_listeners, stream, listeners)
            yield f"127.0.0.1:{port}"
            nursery.cancel_scope.cancel()


def response_to(query: bytes, *records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> dns.message.Message:
    """A response with these lines of a zone file in its answer section."""
    response = dns.message.make_response(dns.message.from_wire(query), recursion_available=True)
    response.set_rcode(rcode)
    response.answer = [dns.rrset.from_text(*line.split(" ", 4)) for line in records]
    return response


def answering(*records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Respond:
    return lambda query: [response_to(query, *records, rcode=rcode).to_wire()]


def truncated(query: bytes) -> list[bytes]:
    response = response_to(query)
    response.flags |= dns.flags.TC
    return [response.to_wire()]


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2, "big") + wire

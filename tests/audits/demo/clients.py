"""Plain clients for the lab's servers, made of the standard library and trio alone."""

import smtplib
import ssl
from collections.abc import Callable
from typing import TypeVar

import trio

from audits.demo.smtp_server import SmtpServer

T = TypeVar("T")

PATIENCE_S = 5.0


def verifying(root_pem: bytes) -> ssl.SSLContext:
    """A client that trusts only this root and checks the host name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=root_pem.decode())
    return context


def credulous(**changes: object) -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in changes.items():
        setattr(context, name, value)
    return context


def shake_in_memory(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """The client's end of a complete handshake; raises ssl.SSLError as either end does."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[0]


async def with_smtplib(server: SmtpServer, talk: Callable[[smtplib.SMTP], T]) -> T:
    """Holds a dialogue through smtplib, in a thread."""

    def hold() -> T:
        with smtplib.SMTP(server.address, server.port, "client.example.org", PATIENCE_S) as client:
            return talk(client)

    return await trio.to_thread.run_sync(hold)


class Wire:
    """A bare connection to a server: bytes out, bytes in."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.seen = b""

    async def say(self, *lines: str) -> None:
        await self.stream.send_all("".join(f"{line}\r\n" for line in lines).encode())

    async def read_until(self, end: bytes) -> bytes:
        """All bytes up to and with `end`; what follows stays for the next call."""
        with trio.fail_after(PATIENCE_S):
            while end not in self.seen:
                data = await self.stream.receive_some()
                assert data, f"the server closed after {self.seen!r}"
                self.seen += data
        before, _, self.seen = self.seen.partition(end)
        return before + end

    async def reply(self) -> str:
        """The next reply of one line."""
        return (await self.read_until(b"\r\n")).decode().removesuffix("\r\n")

    async def rest(self) -> bytes:
        """Everything to the end of the server's stream."""
        with trio.fail_after(PATIENCE_S):
            pieces = [self.seen]
            while data := await self.stream.receive_some():
                pieces.append(bytes(data))
        self.seen = b""
        return b"".join(pieces)


async def wire_to(server: SmtpServer) -> Wire:
    return Wire(await trio.open_tcp_stream(server.address, server.port))

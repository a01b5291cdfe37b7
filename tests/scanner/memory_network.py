"""A network in memory for the virtual clock: SMTP servers that behave as told, reached through a connector.

The servers are those of the demo, the sockets are pairs of memory streams; so a timeout of 30 s costs nothing, and a
whole TLS session runs without a file descriptor.
"""

import contextlib
import errno
import ssl
from types import TracebackType
from typing import Any, cast

import trio
from trio.testing import memory_stream_pair

from audits.demo.behaviour import Behaviour
from audits.demo.conversation import Conversation, Session
from audits.demo.tls_stream import server_context
from scanner.tcp import TcpSocket

Silent = type("Silent", (), {})()
"""In place of a behaviour: packets to this address and port vanish."""


class MemorySocket:
    """As much of a `TcpSocket` as a connector's caller needs."""

    def __init__(self, stream: Any, on_close: Any) -> None:
        self._stream = stream
        self._on_close = on_close
        self.closed = False

    async def send(self, data: bytes) -> int:
        with contextlib.suppress(trio.BrokenResourceError):  # as TCP, which learns later that nobody reads
            await self._stream.send_all(bytes(data))
        return len(data)

    async def recv(self, size: int) -> bytes:
        return bytes(await self._stream.receive_some(size))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._stream.send_stream.close()
            self._stream.receive_stream.close()
            self._on_close()

    def __enter__(self) -> "MemorySocket":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()


class MemoryNetwork:
    """Servers by (address, port). Counts connections, and for each address how many were open at once.

    Whatever is not listed refuses connections; an OSError in place of a behaviour is raised.
    """

    def __init__(self, nursery: trio.Nursery, servers: dict[tuple[str, int], Any]) -> None:
        self.servers = servers
        self.sessions: dict[tuple[str, int], list[Session]] = {}
        self.attempts: list[tuple[str, int]] = []
        self.open_now: dict[str, int] = {}
        self.most_at_once: dict[str, int] = {}
        self._nursery = nursery
        self._contexts: dict[Any, ssl.SSLContext] = {}

    async def connect(self, address: str, port: int) -> TcpSocket:
        self.attempts.append((address, port))
        server = self.servers.get((address, port), ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
        await trio.lowlevel.checkpoint()
        if server is Silent:
            await trio.sleep_forever()
        if isinstance(server, OSError):
            raise server
        return cast("TcpSocket", self._opened(address, port, server))

    @property
    def all_closed(self) -> bool:
        return not any(self.open_now.values())

    def _opened(self, address: str, port: int, behaviour: Behaviour) -> MemorySocket:
        sessions = self.sessions.setdefault((address, port), [])
        sessions.append(Session(len(sessions) + 1))
        ours, theirs = memory_stream_pair()
        self._count(address, 1)
        self._nursery.start_soon(self._serve, theirs, behaviour.at(len(sessions)), sessions[-1])
        return MemorySocket(ours, lambda: self._count(address, -1))

    def _count(self, address: str, change: int) -> None:
        self.open_now[address] = self.open_now.get(address, 0) + change
        self.most_at_once[address] = max(self.most_at_once.get(address, 0), self.open_now[address])

    async def _serve(self, stream: Any, behaviour: Behaviour, session: Session) -> None:
        if behaviour.tls is not None and behaviour.tls not in self._contexts:
            self._contexts[behaviour.tls] = server_context(behaviour.tls)
        context = self._contexts.get(behaviour.tls)
        async with stream:
            await Conversation(stream, behaviour, context, session).hold()

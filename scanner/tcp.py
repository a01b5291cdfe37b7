"""A TCP connection on the trio loop: it waits where the kernel makes it wait, and nowhere else.

`trio.socket` passes through the scheduler at every call, also where bytes can be sent at once, and first tries to
read what cannot be there yet. An audit asks a hundred short questions on a hundred connections; that was a fifth of
its time.
"""

import errno
import os
import socket
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import trio
from trio.lowlevel import wait_readable, wait_writable


class TcpSocket:
    """A non-blocking socket that one task uses at a time. Errors are those of the kernel (OSError)."""

    __slots__ = ("_socket",)

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock

    async def connect(self, place: tuple[str, int]) -> None:
        """Connects to a numeric address and port."""
        number = self._socket.connect_ex(place)
        if number in (0, errno.EINPROGRESS):
            await wait_writable(self._socket)
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))

    async def recv(self, size: int) -> bytes:
        """The next bytes, b"" at the end of the stream. Always a checkpoint: the answer to what we said takes time."""
        while True:
            await wait_readable(self._socket)
            try:
                return self._socket.recv(size)
            except BlockingIOError:  # woken up for nothing, as select(2) warns
                continue

    async def send(self, data: bytes | memoryview) -> int:
        """Sends as much as the kernel takes now; waits only while it takes nothing."""
        while True:
            try:
                return self._socket.send(data)
            except BlockingIOError:
                await wait_writable(self._socket)

    def close(self) -> None:
        """Closes it; no other task may be waiting on it."""
        self._socket.close()

    def stream(self) -> trio.SocketStream:
        """The same connection as trio's stream, which owns it from now on."""
        return trio.SocketStream(trio.socket.from_stdlib_socket(self._socket))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()


Connector = Callable[[str, int], Awaitable[TcpSocket]]
"""(address, port) -> a connected socket; raises OSError as connect(2) does. The one door to the network."""


async def connect_tcp(address: str, port: int) -> TcpSocket:
    """The connector of real life: a numeric address, no look-up."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = TcpSocket(socket.socket(family, socket.SOCK_STREAM))
    try:
        await sock.connect((address, port))
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError):
            raise without_route(address, error) from None
        raise
    return sock


def without_route(address: str, error: OSError) -> OSError:
    """The error, or a better one: a machine without an IPv6 address says the same as one that ran out of ports."""
    if ":" in address and error.errno == errno.EADDRNOTAVAIL:
        return OSError(errno.ENETUNREACH, "this machine has no IPv6 address")
    return error

"""One connection to one endpoint: drives the SMTP dialogue and the TLS client over a trio socket.

The outermost function holds every deadline; a step that does not end in time becomes a `ProbeFailure` of its stage.
What was learned before a failure stands.
"""

import errno
import hashlib
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec
import trio

from scanner import settings
from scanner.facts import Endpoint, Fact, SessionFacts
from scanner.failures import Kind, ProbeFailure, ProtocolError, SmtpReply, Stage, refuse_local_trouble
from scanner.handshake import TlsClient, TlsError
from scanner.smtp import (
    Outcome,
    Quit,
    ReadGreeting,
    ReplyReader,
    Say,
    SessionRequest,
    Step,
    Upgrade,
    hello_dialogue,
    injection_dialogue,
    smtp_dialogue,
)
from scanner.tls_facts import HandshakeFacts, HelloStyle
from scanner.wire.code_points import SSL2
from scanner.wire.flight import FlightReader
from scanner.wire.hello import Hello, encode_hello, farewell, fresh_entropy
from scanner.wire.server_flight import ServerFlight, flight_from_events

R = TypeVar("R")

Connector = Callable[[str, int], Awaitable[trio.socket.SocketType]]
"""(address, port) -> a connected socket; raises OSError as connect(2) does. The one door to the network."""


class Phase(StrEnum):
    """Which part of a connection bytes belong to."""

    CLEAR = "clear text"
    HANDSHAKE = "negotiation"
    TLS = "inside TLS"


Tap = Callable[[Phase, str, bytes], None]
"""Sees the bytes on the wire for `trace`: the phase, "read" or "write", and the bytes."""

_TIMEOUTS = {
    Stage.GREETING: settings.GREETING_TIMEOUT_S,
    Stage.HANDSHAKE: settings.HANDSHAKE_TIMEOUT_S,
    Stage.CONNECT: settings.CONNECT_TIMEOUT_S,
}


class TlsSide(Protocol):
    """Our side of TLS in memory; see `handshake.TlsClient`."""

    def shake(self) -> bool: ...
    def feed(self, data: bytes) -> None: ...
    def outgoing(self) -> bytes: ...
    def encrypt(self, data: bytes) -> None: ...
    def decrypt(self) -> bytes | None: ...
    def close(self) -> None: ...
    def chain_der(self) -> tuple[bytes, ...]: ...
    def facts(self, chain: tuple[str, ...]) -> HandshakeFacts: ...


class SessionResult(msgspec.Struct, frozen=True):
    """The facts of one connection, and the DER of every certificate that it showed."""

    facts: SessionFacts
    certificates: tuple[bytes, ...] = ()


class _Closed(Exception):
    """The peer ended its stream."""


async def connect_tcp(address: str, port: int) -> trio.socket.SocketType:
    """The connector of real life: a numeric address, no look-up."""
    family = trio.socket.AF_INET6 if ":" in address else trio.socket.AF_INET
    sock = trio.socket.socket(family, trio.socket.SOCK_STREAM)
    try:
        await sock.connect((address, port))
    except BaseException as error:
        sock.close()
        if ":" in address and isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
            raise OSError(errno.ENETUNREACH, "this machine has no IPv6 address") from error  # not: it ran out of ports
        raise
    return sock


async def probe_session(
    endpoint: Endpoint,
    request: SessionRequest,
    connect: Connector = connect_tcp,
    tap: Tap | None = None,
    tls: TlsSide | None = None,
) -> SessionResult:
    """Opens one connection, holds the dialogue of `request` on it, closes it. Never raises for what a peer does.

    TLS is spoken by `tls` where one is given, else by a new client with the hello of the request.
    """
    end = trio.current_time() + settings.SESSION_TIMEOUT_S
    sock = await _connected(endpoint, connect)
    if isinstance(sock, ProbeFailure):
        return SessionResult(SessionFacts(request.hello, failure=sock, transcript=(f"* {sock}",)))
    with sock:
        wire = _Wire(sock, request, tap, tls)
        facts = await _held(smtp_dialogue(request), wire, end)
        return SessionResult(facts, wire.certificates)


async def probe_hello(
    endpoint: Endpoint, request: SessionRequest, hello: Hello, connect: Connector = connect_tcp, tap: Tap | None = None
) -> ServerFlight | ProbeFailure:
    """Opens one connection, sends one ClientHello where TLS begins, reads the first flight, closes it."""
    end = trio.current_time() + settings.SESSION_TIMEOUT_S
    sock = await _connected(endpoint, connect)
    if isinstance(sock, ProbeFailure):
        return sock
    with sock:
        return await _held(hello_dialogue(request, hello), _Wire(sock, request, tap), end)


async def probe_injection(
    endpoint: Endpoint, request: SessionRequest, connect: Connector = connect_tcp, tap: Tap | None = None
) -> Fact | ProbeFailure:
    """Opens one connection and asks whether a command sent behind STARTTLS in clear is obeyed inside TLS."""
    end = trio.current_time() + settings.SESSION_TIMEOUT_S
    sock = await _connected(endpoint, connect)
    if isinstance(sock, ProbeFailure):
        return sock
    with sock:
        return await _held(injection_dialogue(request), _Wire(sock, request, tap), end)


async def _connected(endpoint: Endpoint, connect: Connector) -> trio.socket.SocketType | ProbeFailure:
    submission = endpoint.port in settings.SUBMISSION_PORTS
    seconds = settings.SUBMISSION_CONNECT_TIMEOUT_S if submission else settings.CONNECT_TIMEOUT_S
    with trio.move_on_after(seconds):
        try:
            return await connect(endpoint.address, endpoint.port)
        except OSError as error:
            return failure_of_os_error(Stage.CONNECT, error)
    return ProbeFailure(Stage.CONNECT, Kind.TIMEOUT, f"no connection in {seconds:g} s")


async def _held(dialogue: Generator[Step, Outcome, R], wire: "_Wire", end: float) -> R:
    """Holds a dialogue to its end; each step has its time, and all of them together have until `end`.

    One cancel scope serves all steps until one of them is too late, because a scope costs more than most steps.
    """
    outcome: Outcome = None
    while True:
        with trio.CancelScope() as scope:
            while not scope.cancel_called:
                try:
                    step = dialogue.send(outcome)
                except StopIteration as stop:
                    result: R = stop.value
                    return result
                seconds = max(0.0, min(_seconds_for(step), end - trio.current_time()))
                scope.deadline = trio.current_time() + seconds
                outcome = await wire.perform(step)
        if scope.cancelled_caught:
            outcome = ProbeFailure(step.stage, Kind.TIMEOUT, _waited(seconds, wire.partial))


def _seconds_for(step: Step) -> float:
    return settings.QUIT_TIMEOUT_S if isinstance(step, Quit) else _TIMEOUTS.get(step.stage, settings.REPLY_TIMEOUT_S)


def _waited(seconds: float, partial: str) -> str:
    words = f"no complete answer in {seconds:.0f} s"
    return f"{words}, only {partial!r}" if partial else words


def failure_of_os_error(stage: Stage, error: OSError) -> ProbeFailure:
    """The failure that an error of the socket stands for; raises LocalTroubleError where it is our own machine's."""
    refuse_local_trouble(error)
    kinds = {
        errno.ECONNREFUSED: Kind.REFUSED,
        errno.ECONNRESET: Kind.RESET,
        errno.EPIPE: Kind.RESET,
        errno.ECONNABORTED: Kind.RESET,
        errno.ETIMEDOUT: Kind.TIMEOUT,
    }
    kind = kinds.get(error.errno or 0, Kind.UNREACHABLE if stage is Stage.CONNECT else Kind.RESET)
    return ProbeFailure(stage, kind, error.strerror or str(error))


class _Wire:
    """The socket of one session, with TLS on it once it was started."""

    def __init__(
        self, sock: trio.socket.SocketType, request: SessionRequest, tap: Tap | None, client: TlsSide | None = None
    ) -> None:
        self.certificates: tuple[bytes, ...] = ()
        self._sock = sock
        self._request = request
        self._tap = tap
        self._reader = ReplyReader()
        self._client = client
        self._tls: TlsSide | None = None
        self._phase = Phase.CLEAR
        self._left = settings.MAX_SESSION_BYTES

    @property
    def partial(self) -> str:
        return self._reader.partial

    async def perform(self, step: Step) -> Outcome:
        """Does one step; whatever the peer does wrong becomes a failure of the step's stage."""
        try:
            match step:
                case ReadGreeting():
                    return await self._reply()
                case Say(line):
                    await self._send(line.encode("ascii") + b"\r\n")
                    return await self._reply()
                case Upgrade(Hello() as hello):
                    return await self._first_flight(hello)
                case Upgrade(hello):
                    assert isinstance(hello, HelloStyle)
                    return await self._upgrade(self._client or TlsClient(hello, self._request.sni))
                case Quit():
                    return await self._quit()
        except _Closed:
            partial = self._reader.partial
            return ProbeFailure(step.stage, Kind.CLOSED, f"the server closed the connection {partial}".strip())
        except TlsError as error:
            return ProbeFailure(step.stage, Kind.TLS, str(error))
        except ProtocolError as error:
            return ProbeFailure(step.stage, Kind.PROTOCOL, str(error))
        except OSError as error:
            return failure_of_os_error(step.stage, error)

    async def _reply(self) -> SmtpReply:
        while (reply := self._reader.next_reply()) is None:
            self._reader.feed(await self._read())
        return reply

    async def _read(self) -> bytes:
        """The next plain text, decrypted where TLS is on."""
        if self._tls is None:
            return await self._receive()
        while (text := self._tls.decrypt()) is None:
            self._tls.feed(await self._receive())
            await self._flush(self._tls)
        if not text:
            raise _Closed
        return text

    async def _send(self, data: bytes) -> None:
        if self._tls is None:
            await self._transmit(data)
        else:
            self._tls.encrypt(data)
            await self._flush(self._tls)

    async def _upgrade(self, tls: TlsSide) -> Outcome:
        """The handshake. Plain text behind the 220 is dropped, as Postfix does since CVE-2011-0411."""
        self._reader.take_rest()
        self._phase = Phase.HANDSHAKE
        try:
            while not tls.shake():
                await self._flush(tls)
                tls.feed(await self._receive())
        except TlsError:
            with suppress(OSError):  # the server may be gone; what went wrong with TLS tells more
                await self._flush(tls)  # our alert: the server's log then says why
            raise
        await self._flush(tls)
        self.certificates = tls.chain_der()
        self._tls = tls
        self._phase = Phase.TLS
        return tls.facts(tuple(hashlib.sha256(der).hexdigest() for der in self.certificates))

    async def _first_flight(self, hello: Hello) -> ServerFlight:
        """Sends a hello and reads until the flight is whole, or the server has no more to say."""
        self._reader.take_rest()
        self._phase = Phase.HANDSHAKE
        await self._transmit(encode_hello(hello, fresh_entropy()))
        reader = FlightReader()
        while not reader.finished:
            try:
                reader.receive(await self._receive())
            except _Closed:
                reader.receive_eof()
        flight = flight_from_events(reader.events)
        if flight.accepted and SSL2 not in hello.versions:
            with suppress(OSError):  # a server that has left already has answered all the same
                await self._transmit(farewell(flight.version or hello.highest))
        return flight

    async def _quit(self) -> SmtpReply:
        """QUIT, and the end of the stream in good order."""
        await self._send(b"QUIT\r\n")
        reply = await self._reply()
        if self._tls is not None:
            self._tls.close()
            await self._flush(self._tls)
        return reply

    async def _flush(self, tls: TlsSide) -> None:
        if data := tls.outgoing():
            await self._transmit(data)

    async def _transmit(self, data: bytes) -> None:
        if self._tap:
            self._tap(self._phase, "write", data)
        view = memoryview(data)
        while view:
            view = view[await self._sock.send(view) :]

    async def _receive(self) -> bytes:
        data = await self._sock.recv(settings.READ_SIZE)
        if not data:
            raise _Closed
        if self._tap:
            self._tap(self._phase, "read", data)
        self._left -= len(data)
        if self._left < 0:
            raise ProtocolError(f"more than {settings.MAX_SESSION_BYTES} bytes on one connection")
        return data

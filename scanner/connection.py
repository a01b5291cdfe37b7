"""One connection to one endpoint: drives the SMTP dialogue and the TLS client over a trio socket.

The outermost function holds every deadline; a step that does not end in time becomes a `ProbeFailure` of its stage.
What was learned before a failure stands.
"""

import errno
import hashlib
from collections.abc import Callable, Generator
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self, TypeVar

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
from scanner.tcp import Connector, TcpSocket, connect_tcp
from scanner.tls_facts import HandshakeFacts, HelloStyle
from scanner.wire.code_points import SSL2
from scanner.wire.flight import FlightReader
from scanner.wire.hello import Hello, encode_hello, farewell, fresh_entropy
from scanner.wire.server_flight import ServerFlight, flight_from_events

R = TypeVar("R")

DEADLINE_SLACK_S = 0.5
"""How much less than its time a step may get: moving a deadline costs more than most steps on a fast line."""


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
    with _Wire(request, connect, tap, tls) as wire:
        facts = await _held(_connecting(endpoint, smtp_dialogue(request)), wire)
        if isinstance(facts, ProbeFailure):
            return SessionResult(SessionFacts(request.hello, failure=facts, transcript=(f"* {facts}",)))
        return SessionResult(facts, wire.certificates)


async def probe_hello(
    endpoint: Endpoint, request: SessionRequest, hello: Hello, connect: Connector = connect_tcp, tap: Tap | None = None
) -> ServerFlight | ProbeFailure:
    """Opens one connection, sends one ClientHello where TLS begins, reads the first flight, closes it."""
    with _Wire(request, connect, tap) as wire:
        return await _held(_connecting(endpoint, hello_dialogue(request, hello)), wire)


async def probe_injection(
    endpoint: Endpoint, request: SessionRequest, connect: Connector = connect_tcp, tap: Tap | None = None
) -> Fact | ProbeFailure:
    """Opens one connection and asks whether a command sent behind STARTTLS in clear is obeyed inside TLS."""
    with _Wire(request, connect, tap) as wire:
        return await _held(_connecting(endpoint, injection_dialogue(request)), wire)


class _Connect(msgspec.Struct, frozen=True):
    """The step before the first of a dialogue: open the connection."""

    endpoint: Endpoint
    stage: Stage = Stage.CONNECT


_Step = Step | _Connect


def _connecting(
    endpoint: Endpoint, dialogue: Generator[Step, Outcome, R]
) -> Generator[_Step, Outcome, R | ProbeFailure]:
    failure = yield _Connect(endpoint)
    return failure if isinstance(failure, ProbeFailure) else (yield from dialogue)


async def _held(dialogue: Generator[_Step, Outcome, R], wire: "_Wire") -> R:
    """Holds a dialogue to its end; each step has its time, and all of them together have SESSION_TIMEOUT_S.

    One cancel scope serves all steps until one of them is too late, because a scope costs more than most steps.
    """
    end = trio.current_time() + settings.SESSION_TIMEOUT_S
    outcome: Outcome = None
    while True:
        deadline = float("inf")
        with trio.CancelScope() as scope:
            while (now := trio.current_time()) < deadline:
                try:
                    step = dialogue.send(outcome)
                except StopIteration as stop:
                    result: R = stop.value
                    return result
                seconds = max(0.0, min(_seconds_for(step), end - now))
                if not 0.0 <= now + seconds - deadline <= DEADLINE_SLACK_S:
                    scope.deadline = deadline = now + seconds
                outcome = await wire.perform(step)
        if scope.cancelled_caught:
            outcome = ProbeFailure(step.stage, Kind.TIMEOUT, _waited(step, seconds, wire.partial))


def _seconds_for(step: _Step) -> float:
    match step:
        case Quit():
            return settings.QUIT_TIMEOUT_S
        case _Connect(Endpoint(port=port)) if port in settings.SUBMISSION_PORTS:
            return settings.SUBMISSION_CONNECT_TIMEOUT_S
        case _:
            return _TIMEOUTS.get(step.stage, settings.REPLY_TIMEOUT_S)


def _waited(step: _Step, seconds: float, partial: str) -> str:
    if isinstance(step, _Connect):
        return f"no connection in {seconds:g} s"
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
    """The connection of one session, with TLS on it once it was started; leaving it closes it."""

    def __init__(
        self, request: SessionRequest, connect: Connector, tap: Tap | None, client: TlsSide | None = None
    ) -> None:
        self.certificates: tuple[bytes, ...] = ()
        self._connect = connect
        self._sock: TcpSocket | None = None
        self._request = request
        self._tap = tap
        self._reader = ReplyReader()
        self._client = client
        self._tls: TlsSide | None = None
        self._phase = Phase.CLEAR
        self._left = settings.MAX_SESSION_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        if self._sock is not None:
            self._sock.close()

    @property
    def partial(self) -> str:
        return self._reader.partial

    async def perform(self, step: _Step) -> Outcome:
        """Does one step; whatever the peer does wrong becomes a failure of the step's stage."""
        try:
            match step:
                case Say(line):
                    await self._send(line.encode("ascii") + b"\r\n")
                    return await self._reply()
                case ReadGreeting():
                    return await self._reply()
                case _Connect(endpoint):
                    self._sock = await self._connect(endpoint.address, endpoint.port)
                    return None
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
            await self._flush(self._tls)  # what a new handshake in the middle (HelloRequest) wants to say
            self._tls.feed(await self._receive())
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
        assert self._sock is not None
        while (sent := await self._sock.send(data)) < len(data):
            data = data[sent:]

    async def _receive(self) -> bytes:
        assert self._sock is not None
        data = await self._sock.recv(settings.READ_SIZE)
        if not data:
            raise _Closed
        if self._tap:
            self._tap(self._phase, "read", data)
        self._left -= len(data)
        if self._left < 0:
            raise ProtocolError(f"more than {settings.MAX_SESSION_BYTES} bytes on one connection")
        return data

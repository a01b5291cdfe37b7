"""One connection of a small SMTP server: plays the scripts of a `Behaviour` and writes down what the client did."""

import contextlib
import socket
import ssl
import struct
from typing import NoReturn

import trio

from audits.demo.behaviour import Action, Behaviour, Close, Hang, Listen, Reset, Script, Send, Wait, reply
from audits.demo.tls_stream import TlsFailed, TlsStream

MAX_LINE = 4096
MAX_COMMANDS = 200
"""A session with more commands is ended; so what is written down of it stays small."""
LINGER_S = 1.0
"""How long a client may take to leave after our last words. A close with its bytes unread would reset the connection,
and the client could lose those words."""
_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: close(2) then sends a reset."""


class Session:
    """One connection as the server saw it. `began_at` is trio's clock; `tls_failure` says how TLS ended, if badly."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.began_at = trio.current_time()
        self.commands: list[str] = []
        self.tls_version = ""
        self.tls_suite = ""
        self.asked_name = ""
        self.hello_bytes = 0
        self.tls_failure = ""


class _Over(Exception):
    """The server ends the session."""


class Conversation:
    """The dialogue on one stream, which the caller closes afterwards. Nothing that a client does raises here."""

    def __init__(
        self, stream: trio.SocketStream, behaviour: Behaviour, context: ssl.SSLContext | None, session: Session
    ) -> None:
        self._stream = stream
        self._behaviour = behaviour
        self._context = context
        self._session = session
        self._tls: TlsStream | None = None
        self._buffer = bytearray()

    async def hold(self) -> None:
        """From the greeting to the end, whoever ends it."""
        with contextlib.suppress(_Over, trio.BrokenResourceError, trio.ClosedResourceError):
            try:
                await self._talk()
            except TlsFailed as failed:
                self._session.tls_failure = str(failed)

    async def linger(self) -> None:
        """Our end of the stream, and patience until the client ends its own."""
        with (
            trio.move_on_after(LINGER_S),
            contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
        ):
            await self._stream.send_eof()
            await self._drain()

    async def _talk(self) -> None:
        if self._behaviour.implicit_tls:
            await self._start_tls()
        await self._play(self._behaviour.greeting_script)
        while (line := await self._line()) is not None:
            self._session.commands.append(line)
            if len(self._session.commands) > MAX_COMMANDS:
                await self._give_up(reply(421, "4.7.0 Too many commands"))
            await self._obey(line.split(" ", 1)[0].upper())

    async def _obey(self, verb: str) -> None:
        script = self._behaviour.script(verb, inside_tls=self._tls is not None)
        await self._play(script)
        if verb == "STARTTLS" and self._tls is None and _accepts(script):
            if self._behaviour.after_220 is not None:
                await self._give_up(self._behaviour.after_220)
            await self._start_tls()

    async def _start_tls(self) -> None:
        """The handshake. What came in clear before it is forgotten (CVE-2011-0411)."""
        if self._context is None or self._behaviour.tls is None:
            raise _Over
        self._buffer.clear()
        tls = TlsStream(self._stream, self._context)
        try:
            await tls.handshake(self._behaviour.tls.largest_hello)
        finally:
            self._session.hello_bytes, self._session.asked_name = tls.hello_bytes, tls.asked_name
        self._session.tls_version, self._session.tls_suite = tls.version, tls.suite
        self._tls = tls
        await self._play(self._behaviour.after_handshake)

    async def _play(self, script: Script) -> None:
        for action in script:
            await self._act(action)

    async def _act(self, action: Action) -> None:
        match action:
            case Send(data, times, every_s):
                for _ in range(times):
                    await (self._tls or self._stream).send_all(data)
                    await trio.sleep(every_s)
            case Wait(seconds):
                await trio.sleep(seconds)
            case Listen():
                if not await (self._tls or self._stream).receive_some():
                    raise _Over
            case Hang():
                await self._drain()
                raise _Over
            case Close(notify):
                if self._tls is not None and notify:
                    await self._tls.send_close_notify()
                raise _Over
            case Reset():
                with contextlib.suppress(OSError):  # macOS refuses this where the client has gone already
                    self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                self._stream.socket.close()
                raise _Over

    async def _give_up(self, script: Script) -> NoReturn:
        await self._play(script)
        raise _Over

    async def _line(self) -> str | None:
        """The next command line, None when the client has ended its stream."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                await self._give_up(reply(500, "5.5.2 Line too long"))
            data = await (self._tls or self._stream).receive_some()
            if not data:
                return None
            self._buffer += data
        line = self._buffer[:end].removesuffix(b"\r").decode("latin-1")
        del self._buffer[: end + 1]
        return line

    async def _drain(self) -> None:
        while await self._stream.receive_some():
            pass


def _accepts(script: Script) -> bool:
    """Whether the first bytes of a script are a 2xx reply."""
    return next((action.data[:1] == b"2" for action in script if isinstance(action, Send)), False)

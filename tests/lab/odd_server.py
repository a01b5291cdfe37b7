"""A mail server that follows a script, for what no real server can be brought to do (RFC 5321, RFC 3207).

Runs as a child process: `python odd_server.py CONFIG.json`. Every state listens on port 25 of its own address. Its
script gives, for each moment of the dialogue, the pieces to send; a piece that begins with "@" is an act instead:
@pause S, @drip TEXT (a byte a second), @flood MB, @endless, @hang, @close, @reset. Moments: greeting, ehlo, helo,
mail, starttls, handshake (after it), ehlo_tls, helo_tls, mail_tls, accepted; with "_2" behind it, what every second
connection hears instead. `limit` is the number of connections before the server says 421 to each; `tls`
names the demands of the TLS side. Each message that was taken is a line on standard output: "delivered RECIPIENT tls"
or "... clear".
"""

import json
import ssl
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

import trio

DEFAULTS: dict[str, list[str]] = {
    "greeting": ["220 odd.example.org ESMTP\r\n"],
    "ehlo": ["250-odd.example.org\r\n250-STARTTLS\r\n250 8BITMIME\r\n"],
    "helo": ["250 odd.example.org\r\n"],
    "mail": ["250 2.1.0 Ok\r\n"],
    "starttls": ["220 2.0.0 Ready to start TLS\r\n"],
    "handshake": [],
    "ehlo_tls": ["250-odd.example.org\r\n250 8BITMIME\r\n"],
    "helo_tls": ["250 odd.example.org\r\n"],
    "mail_tls": ["250 2.1.0 Ok\r\n"],
    "accepted": ["250 2.0.0 Ok\r\n"],
}
FLOOD = b"220-" + b"x" * 500 + b"\r\n"


class Over(Exception):
    """The script ends the connection here."""


@dataclass
class OddState:
    """One listener: what it says, what it demands inside TLS, and how many clients came."""

    name: str
    address: str
    script: dict[str, list[str]]
    chain: str
    tls: list[str]
    limit: int = 0
    clients: int = 0

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.load_cert_chain(self.chain)
        if "tls12" in self.tls:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if "tls13" in self.tls:
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        if "client-certificate" in self.tls:
            context.load_verify_locations(self.chain)
            context.verify_mode = ssl.CERT_REQUIRED
        if "needs-sni" in self.tls:
            context.sni_callback = refuse_without_name
        if "one-group" in self.tls:
            context.set_ecdh_curve("secp521r1")
        return context


def refuse_without_name(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
    return None if name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


class Session:
    """One client; a class because the stream changes under the dialogue when TLS begins."""

    def __init__(self, state: OddState, stream: trio.SocketStream) -> None:
        self.state = state
        self.socket = stream.socket
        self.stream: trio.abc.Stream = stream
        self.inside = False
        state.clients += 1
        self.turn = state.clients
        self.rest = b""
        self.recipient = ""

    async def line(self) -> bytes:
        while b"\n" not in self.rest:
            more = await self.stream.receive_some(4096)
            if not more:
                raise Over
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return line.rstrip(b"\r")

    async def say(self, moment: str) -> str:
        """Play the pieces of a moment; the last text that was sent."""
        said = ""
        script = self.state.script
        again = f"{moment}_2" if self.turn % 2 == 0 else moment
        for piece in script.get(again, script.get(moment, DEFAULTS.get(moment, []))):
            if piece.startswith("@"):
                await self.act(*piece.partition(" ")[::2])
            else:
                await self.stream.send_all(piece.encode("latin-1"))
                said = piece
        return said

    async def act(self, verb: str, argument: str) -> None:
        match verb:
            case "@pause":
                await trio.sleep(float(argument))
            case "@drip":
                for byte in argument.encode("latin-1") + b"\r\n":
                    await self.stream.send_all(bytes([byte]))
                    await trio.sleep(1)
            case "@flood":
                for _ in range(int(argument) * 1_000_000 // len(FLOOD)):
                    await self.stream.send_all(FLOOD)
            case "@endless":
                while True:
                    await self.stream.send_all(b"x" * 65536)
            case "@hang":
                await trio.sleep_forever()
            case "@close":
                raise Over
            case "@reset":
                self.socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                self.socket.close()
                raise Over
            case _:
                raise ValueError(verb)

    async def serve(self) -> None:
        too_many = self.state.limit and self.turn > self.state.limit
        await self.say("limited" if too_many else "greeting")
        while True:
            line = await self.line()
            verb = line[:4].upper().decode("latin-1")
            if verb == "STAR":
                await self.starttls()
            elif verb in ("EHLO", "HELO", "MAIL"):
                await self.say(verb.lower() + ("_tls" if self.inside else ""))
            elif verb == "RCPT":
                self.recipient = line.partition(b"<")[2].partition(b">")[0].decode("latin-1")
                await self.stream.send_all(b"250 2.1.5 Ok\r\n")
            elif verb == "DATA":
                await self.message()
            elif verb == "QUIT":
                await self.stream.send_all(b"221 2.0.0 Bye\r\n")
                return
            else:
                await self.stream.send_all(b"250 2.0.0 Ok\r\n")

    async def starttls(self) -> None:
        said = await self.say("starttls")
        if not said.startswith("2"):
            return
        self.rest = b""
        secured = trio.SSLStream(self.stream, self.state.context(), server_side=True, https_compatible=True)
        await secured.do_handshake()
        self.stream, self.inside = secured, True
        await self.say("handshake")

    async def message(self) -> None:
        await self.stream.send_all(b"354 End with a dot\r\n")
        while await self.line() != b".":
            pass
        await self.say("accepted")
        print("delivered", self.recipient, "tls" if self.inside else "clear", flush=True)


async def listen(state: OddState) -> None:
    state.script.setdefault("limited", ["421 4.7.0 Too many connections\r\n", "@close"])

    async def serve(stream: trio.SocketStream) -> None:
        session = Session(state, stream)
        try:
            await session.serve()
        except (Over, trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError, OSError):
            pass
        finally:
            await trio.aclose_forcefully(session.stream)

    await trio.serve_tcp(serve, 25, host=state.address)


async def main(states: list[OddState]) -> None:
    async with trio.open_nursery() as nursery:
        for state in states:
            nursery.start_soon(listen, state)


if __name__ == "__main__":
    trio.run(main, [OddState(**each) for each in json.loads(Path(sys.argv[1]).read_text())])

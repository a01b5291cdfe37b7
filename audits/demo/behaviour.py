"""How a small SMTP server behaves, as one frozen value: what it says at each step, its TLS, its bad habits.

A script is what a server does where a reply is due: it says bytes, waits, falls silent, hangs up. Every field that is
left out means what a well-mannered server does (RFC 5321, RFC 3207).
"""

import ssl
from enum import StrEnum

from msgspec import Struct


class Send(Struct, frozen=True):
    """Send these bytes, as often as told: 100,000 times for a flood, one byte `every_s` seconds for a drip."""

    data: bytes
    times: int = 1
    every_s: float = 0.0


class Wait(Struct, frozen=True):
    """Do nothing for so many seconds, then go on."""

    seconds: float


class Listen(Struct, frozen=True):
    """Wait until the client says something, and ignore it: the next action is then an answer, not a surprise."""


class Hang(Struct, frozen=True):
    """Say nothing any more until the client leaves: a tarpit."""


class Close(Struct, frozen=True):
    """End the connection in good order; inside TLS with a close_notify (RFC 8446 section 6.1) unless told not to."""

    notify: bool = True


class Reset(Struct, frozen=True):
    """End the connection with a TCP reset."""


Action = Send | Wait | Listen | Hang | Close | Reset
Script = tuple[Action, ...]


def reply(code: int, *texts: str) -> Script:
    """A complete SMTP reply; several texts make it a multi-line one (RFC 5321 section 4.2.1)."""
    last = len(texts) - 1
    lines = [f"{code}{'-' if at < last else ' '}{text}\r\n" for at, text in enumerate(texts)]
    return (Send("".join(lines).encode("latin-1")),)


class ClientCertificate(StrEnum):
    """What a server wants of its clients: nothing, a certificate if there is one, or no session without."""

    UNASKED = "unasked"
    ASKED = "asked"
    REQUIRED = "required"


class TlsServer(Struct, frozen=True, kw_only=True):
    """The TLS side of a server. It always runs at OpenSSL's security level 0: what it offers is what is written here.

    `chains`: PEM with key, leaf and intermediates each, at most one for each type of key; none: only anonymous suites
    can work. `ciphers` is OpenSSL's list for TLS 1.2 and below, `curve` its name for the only group of the key
    exchange. With `client_ca_pem` a client's certificate is checked against it. A ClientHello larger than
    `largest_hello` bytes makes the server hang up, as old middleboxes do.
    """

    chains: tuple[bytes, ...] = ()
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: str = "DEFAULT"
    curve: str = ""
    client_certificate: ClientCertificate = ClientCertificate.UNASKED
    client_ca_pem: bytes = b""
    largest_hello: int | None = None


class Behaviour(Struct, frozen=True, kw_only=True):
    """One server. None stands for the usual reply; fields ending in `_tls` hold inside TLS, the others in clear.

    `starttls_keyword` is what EHLO shows where STARTTLS is possible; "" hides it, and the command works all the same.
    A `starttls` script that begins with a 2xx is followed by the handshake, or by `after_220` instead of it and the
    end of the connection; `after_handshake` comes before the first command inside TLS. `later` is a number N and how
    the server behaves from its N-th connection on (the first is 1).
    """

    name: str = "mx.example.org"
    keywords: tuple[str, ...] = ("PIPELINING", "SIZE 10240000", "8BITMIME")
    starttls_keyword: str = "STARTTLS"
    greeting: Script | None = None
    ehlo: Script | None = None
    helo: Script | None = None
    mail: Script | None = None
    starttls: Script | None = None
    after_220: Script | None = None
    after_handshake: Script = ()
    ehlo_tls: Script | None = None
    helo_tls: Script | None = None
    mail_tls: Script | None = None
    tls: TlsServer | None = None
    implicit_tls: bool = False
    later: "tuple[int, Behaviour] | None" = None

    @property
    def knows_starttls(self) -> bool:
        return not self.implicit_tls and any(part is not None for part in (self.tls, self.starttls, self.after_220))

    def at(self, connection: int) -> "Behaviour":
        """How the server behaves on this connection, counted from 1."""
        if self.later is None or connection < self.later[0]:
            return self
        return self.later[1].at(connection)

    def script(self, verb: str, *, inside_tls: bool) -> Script:
        """What it does after this command (in capitals) in this state of the session."""
        match verb:
            case "EHLO":
                own, usual = self.ehlo_tls if inside_tls else self.ehlo, self._ehlo(inside_tls)
            case "HELO":
                own, usual = self.helo_tls if inside_tls else self.helo, reply(250, self.name)
            case "MAIL":
                own, usual = self.mail_tls if inside_tls else self.mail, reply(250, "2.1.0 Ok")
            case "STARTTLS" if self.knows_starttls and not inside_tls:
                own, usual = self.starttls, reply(220, "2.0.0 Ready to start TLS")
            case _:
                own, usual = None, _USUAL.get(verb, _UNKNOWN)
        return usual if own is None else own

    @property
    def greeting_script(self) -> Script:
        return reply(220, f"{self.name} ESMTP") if self.greeting is None else self.greeting

    def _ehlo(self, inside_tls: bool) -> Script:
        shown = (self.starttls_keyword,) if self.knows_starttls and not inside_tls and self.starttls_keyword else ()
        return reply(250, self.name, *self.keywords, *shown)


_UNKNOWN = reply(502, "5.5.2 Command not recognized")
_USUAL = {
    "NOOP": reply(250, "2.0.0 Ok"),
    "RSET": reply(250, "2.0.0 Ok"),
    "RCPT": reply(550, "5.7.1 This server takes no mail"),
    "DATA": reply(503, "5.5.1 No recipient"),
    "QUIT": (*reply(221, "2.0.0 Bye"), Close()),
}
MUST_ISSUE_STARTTLS = reply(530, "5.7.0 Must issue a STARTTLS command first")
"""What a server says to MAIL in clear that takes mail inside TLS only (RFC 3207 section 4)."""

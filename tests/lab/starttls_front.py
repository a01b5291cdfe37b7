"""A mail server of a few lines before TLS servers that speak no SMTP, or that no mail server is built with (RFC 3207).

Runs as a child process: `python starttls_front.py CONFIG.json`, a list of fronts. Behind STARTTLS a front hands the
connection to a TLS server on another port ("pipe", for `openssl s_server`), to tlslite-ng, which has SSL 3.0, RC4 and
NULL, or to pyOpenSSL, whose OpenSSL is newer than that of the system and has the hybrid groups.
"""

import json
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from OpenSSL import SSL

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
    from tlslite.errors import BaseTLSException


class Stream(Protocol):
    """What the dialogue needs of a connection, with TLS or without."""

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> object: ...


Start = Callable[[socket.socket], Stream | None]
"""Begins TLS on a connection; None where something else now holds the dialogue."""
READ_SIZE = 16_384
LIMIT_S = 30.0
REPLIES = {"EHLO": b"250-front.example.org\r\n%s250 8BITMIME\r\n", "QUIT": b"221 Bye\r\n"}


def main(config: Path) -> None:
    starters: dict[str, Callable[[dict[str, str]], Start]] = {"pipe": pipe, "tlslite": tlslite, "pyopenssl": pyopenssl}
    fronts = json.loads(config.read_text())
    threads = [threading.Thread(target=listen, args=(front, starters[front["kind"]](front))) for front in fronts]
    for thread in threads:
        thread.start()


def listen(front: dict[str, str], start: Start) -> None:
    with socket.create_server((front["address"], 25), backlog=200) as server:
        while True:
            client, _ = server.accept()
            threading.Thread(target=session, args=(client, start), daemon=True).start()


def session(client: socket.socket, start: Start) -> None:
    """One client from greeting to end; a client may leave at any moment."""
    with client:
        client.settimeout(LIMIT_S)
        try:
            client.sendall(b"220 front.example.org ESMTP\r\n")
            if talk(client, b"250-STARTTLS\r\n"):
                client.sendall(b"220 Go ahead\r\n")
                if inside := start(client):
                    talk(inside, b"")
        except (OSError, SSL.Error, BaseTLSException, ValueError):
            pass


def talk(stream: Stream, extension: bytes) -> bool:
    """Answers until QUIT or the end; true for STARTTLS."""
    rest = b""
    while True:
        while b"\n" not in rest:
            more = bytes(stream.recv(READ_SIZE))
            if not more:
                return False
            rest += more
        line, _, rest = rest.partition(b"\n")
        verb = line[:8].strip().upper().decode("latin-1").partition(" ")[0]
        if verb == "STARTTLS":
            return True
        reply = REPLIES.get(verb, b"250 Ok\r\n")
        stream.sendall(reply % extension if verb == "EHLO" else reply)
        if verb == "QUIT":
            return False


def pipe(front: dict[str, str]) -> Start:
    """Bytes go to a TLS server on another port and back."""

    def start(client: socket.socket) -> None:
        with socket.create_connection((front["behind"], int(front["port"])), LIMIT_S) as server:
            upwards = threading.Thread(target=copy, args=(client, server), daemon=True)
            upwards.start()
            copy(server, client)
            upwards.join()

    return start


def copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(READ_SIZE):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads there, as closing would not


def tlslite(front: dict[str, str]) -> Start:
    """All that tlslite-ng has from SSL 3.0 on, anonymous suites included."""
    pem = Path(front["chain"]).read_text()
    chain, key = X509CertChain(), parsePEMKey(pem, private=True)
    chain.parsePemList(pem)
    settings = HandshakeSettings()
    settings.minVersion = (3, 0)
    settings.cipherNames = [*settings.cipherNames, "rc4", "null"]
    settings.macNames = [*settings.macNames, "md5"]

    def start(client: socket.socket) -> Stream:
        connection = TLSConnection(client)
        connection.handshakeServer(certChain=chain, privateKey=key, settings=settings, anon=True)
        return connection

    return start


def pyopenssl(front: dict[str, str]) -> Start:
    """The OpenSSL that comes with cryptography: TLS 1.2 and 1.3 with its own order of suites and groups."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_privatekey_file(front["chain"])
    context.use_certificate_chain_file(front["chain"])
    context.set_options(0x0040_0000)  # SSL_OP_CIPHER_SERVER_PREFERENCE

    def start(client: socket.socket) -> Stream:
        client.settimeout(None)
        connection = SSL.Connection(context, client)
        connection.set_accept_state()
        connection.do_handshake()
        return connection

    return start


if __name__ == "__main__":
    main(Path(sys.argv[1]))

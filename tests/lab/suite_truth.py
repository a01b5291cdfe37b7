"""Which pairs of version and suite a server accepts, found the slow way: one suite for each connection.

Nothing of the scanner takes part. What the system's OpenSSL knows is asked by complete handshakes with it; every other
code point of the ranges in which the IANA has ever assigned suites by a hello that tlslite-ng puts together (RFC 5246
section 7.4.1.2), and the answer is read as far as the end of the server's flight.
"""

import os
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from tests.scanner.wire.independent_tls import extensions, messages

Pair = tuple[str, int]
VERSIONS = {"SSLv3": (3, 0), "TLSv1.0": (3, 1), "TLSv1.1": (3, 2), "TLSv1.2": (3, 3), "TLSv1.3": (3, 4)}
OPENSSL_VERSIONS = {
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
}
SIGNALS = {0x00FF, 0x5600}
"""No suites: renegotiation and fallback signals."""
CODES = [
    code
    for low, high in ((0x0000, 0x0100), (0xC000, 0xC200), (0xCC10, 0xCC20), (0xCCA0, 0xCCB0), (0xD000, 0xD010),
                      (0xFEE0, 0xFF00), (0xFF80, 0xFF90), (0x1300, 0x1310))
    for code in range(low, high)
    if code not in SIGNALS
]  # fmt: skip
AT_ONCE = 6
LIMIT_S = 20.0
SERVER_HELLO, SERVER_HELLO_DONE = 2, 14
HANDSHAKE = 22
SELECTED_TLS13 = bytes.fromhex("002b00020304")


class NotReached(Exception):
    """The server did not come to TLS, so nothing was learned."""


def true_pairs(address: str) -> frozenset[Pair]:
    """All pairs that the server on port 25 of this address accepts."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        questions = [*_openssl_questions(), *_hello_questions(address)]
        answers = pool.map(lambda question: _accepts(address, *question), questions)
        return frozenset((version, code) for (version, code), yes in zip(questions, answers, strict=True) if yes)


def _accepts(address: str, version: str, code: int) -> bool:
    if (version, code) not in _openssl_questions():
        return hello_accepted(address, version, [code])
    if version == "TLSv1.3":
        return s_client(address, "-tls1_3", "-ciphersuites", openssl_names()[code])
    return handshake(address, OPENSSL_VERSIONS[version], openssl_names()[code])


@cache
def _openssl_questions() -> frozenset[Pair]:
    old = [(version, code) for version in OPENSSL_VERSIONS for code in openssl_names() if code >> 8 != 0x13]
    return frozenset([*old, *(("TLSv1.3", code) for code in openssl_names() if code >> 8 == 0x13)])


def _hello_questions(address: str) -> Iterator[Pair]:
    """What OpenSSL cannot ask, in versions that take up anything at all."""
    for version in VERSIONS:
        mine = set(CODES) - {code for name, code in _openssl_questions() if name == version}
        if hello_accepted(address, version, CODES):
            yield from ((version, code) for code in sorted(mine))


@cache
def openssl_names() -> dict[int, str]:
    """The suites that this OpenSSL can complete a handshake with, by code point: all without pre-shared keys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0")
    names = {cipher["id"] & 0xFFFF: cipher["name"] for cipher in context.get_ciphers()}
    return names | {0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256"}


@contextmanager
def at_tls(address: str) -> Iterator[socket.socket]:
    """A connection on which the server awaits a ClientHello."""
    with socket.create_connection((address, 25), LIMIT_S) as connection:
        for said, expected in ((b"", b"220"), (b"EHLO truth.example.org\r\n", b"250"), (b"STARTTLS\r\n", b"220")):
            connection.sendall(said)
            reply = b""
            while not (reply.endswith(b"\n") and reply.splitlines()[-1][3:4] == b" "):
                more = connection.recv(4096)
                reply += more
                if not more:
                    break
            if not reply.startswith(expected):
                raise NotReached(f"{address} says {reply!r} to {said!r}")
        yield connection


def handshake(address: str, version: ssl.TLSVersion, name: str) -> bool:
    """Whether OpenSSL completes a handshake with this one suite of TLS 1.2 or older."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(f"{name}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with at_tls(address) as connection:
        try:
            with context.wrap_socket(connection) as secured:
                return bool(secured.cipher())
        except (ssl.SSLError, ConnectionError):
            return False


def s_client(address: str, *options: str) -> bool:
    """Whether `openssl s_client` comes to an agreement with these options."""
    command = ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{address}:25", *options]
    done = subprocess.run(command, input=b"QUIT\r\n", capture_output=True, timeout=LIMIT_S, check=False)
    if b"CONNECTED" not in done.stdout or b"Didn't find STARTTLS" in done.stdout + done.stderr:
        raise NotReached(f"{address}: {done.stderr[-300:]!r}")
    return b"New, TLS" in done.stdout or b"New, SSL" in done.stdout


def hello_accepted(address: str, version: str, codes: Iterable[int]) -> bool:
    """Whether the server answers this hello with a whole flight: to TLS 1.3 with a ServerHello (or a retry)."""
    last = SERVER_HELLO if version == "TLSv1.3" else SERVER_HELLO_DONE
    with at_tls(address) as connection:
        try:
            connection.sendall(hello(VERSIONS[version], list(codes)))
            return last in _flight(connection, VERSIONS[version])
        except ConnectionError:
            return False


def hello(version: tuple[int, int], codes: list[int]) -> bytes:
    """A ClientHello record with these suites, by tlslite-ng; to TLS 1.3 without a key share, for a retry."""
    message = messages.ClientHello().create(min(version, (3, 3)), os.urandom(32), b"", codes, extensions=[])
    if version > (3, 0):
        groups = [29, 23, 24, 25, 30, 256, 257]
        groups += [26, 27, 28, *range(1, 23)] if version < (3, 4) else [31, 32, 33]
        message.addExtension(extensions.SupportedGroupsExtension().create(groups))
        message.addExtension(extensions.ECPointFormatsExtension().create([0, 1, 2]))
    if version >= (3, 3):
        schemes = [(h, s) for h in (4, 5, 6, 2, 3, 1) for s in (1, 3, 2)] + [(8, low) for low in range(4, 12)]
        message.addExtension(extensions.SignatureAlgorithmsExtension().create(schemes))
    if version == (3, 4):
        message.addExtension(extensions.SupportedVersionsExtension().create([version]))
        message.addExtension(extensions.ClientKeyShareExtension().create([]))
    body = bytes(message.write())
    spoken = min(version, (3, 1))
    return bytes([HANDSHAKE, *spoken]) + len(body).to_bytes(2, "big") + body


def _flight(connection: socket.socket, version: tuple[int, int]) -> list[int]:
    """The types of the handshake messages that arrive in clear, up to the last of the flight or an alert.

    A server that answers in another version has not accepted what was asked.
    """
    seen: list[int] = []
    handshakes = b""
    for kind, body in _records(connection):
        if kind != HANDSHAKE:
            return seen
        handshakes += body
        while len(handshakes) >= 4 and len(handshakes) >= 4 + (size := int.from_bytes(handshakes[1:4], "big")):
            if handshakes[0] == SERVER_HELLO and _version_of(handshakes[: 4 + size]) != version:
                return []
            seen.append(handshakes[0])
            handshakes = handshakes[4 + size :]
        if seen and (seen[-1] == SERVER_HELLO_DONE or (version == (3, 4) and SERVER_HELLO in seen)):
            return seen
    return seen


def _version_of(server_hello: bytes) -> tuple[int, int]:
    """The version that was chosen; TLS 1.3 stands in an extension (RFC 8446 section 4.2.1)."""
    return (3, 4) if SELECTED_TLS13 in server_hello else (server_hello[4], server_hello[5])


def _records(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    data = b""
    while more := connection.recv(16_384):
        data += more
        while len(data) >= 5 and len(data) >= 5 + (size := int.from_bytes(data[3:5], "big")):
            yield data[0], data[5 : 5 + size]
            data = data[5 + size :]

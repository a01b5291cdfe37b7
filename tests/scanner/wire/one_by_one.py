"""The truth about a server, found the slow way: one suite, or one group, per connection.

Twice, by code that shares nothing: with the OpenSSL of the standard library, which completes the handshake, for the
suites that it knows; and with a one-suite hello of ours, read by tlslite-ng, for every code point there is. (Twenty
suites that are refused together are not asked one by one.)
"""

import socket
import ssl
import struct
import warnings

from scanner.wire.code_points import SSL3, TLS12, TLS13
from scanner.wire.hello import Hello, encode_hello, fresh_entropy
from scanner.wire.questions import GROUPS_TLS12, GROUPS_TLS13, SCHEMES
from scanner.wire.registry import all_suites, offered_suites
from tests.scanner.wire.independent_tls import codec, messages

TIMEOUT_S = 10.0
SSL_VERSIONS = {
    0x0301: ssl.TLSVersion.TLSv1,
    0x0302: ssl.TLSVersion.TLSv1_1,
    0x0303: ssl.TLSVersion.TLSv1_2,
}


def _message(port: int, hello: Hello) -> bytes:
    """The first handshake message of the server's answer, or nothing."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.sendall(encode_hello(hello, fresh_entropy()))
        data = b""
        try:
            while chunk := connection.recv(1 << 16):
                data += chunk
                if len(data) >= 9 and (data[0] != 22 or len(data) >= 9 + int.from_bytes(data[6:9], "big")):
                    break
        except ConnectionError:
            return b""
    return data[5 : 9 + int.from_bytes(data[6:9], "big")] if data[:1] == b"\x16" else b""


def _server_hello(port: int, hello: Hello) -> messages.ServerHello | None:
    message = _message(port, hello)
    if not message or message[0] != 2:
        return None
    return messages.ServerHello().parse(codec.Parser(bytearray(message[1:])))


def plain_hello(version: int, suites: tuple[int, ...], groups: tuple[int, ...] | None = None) -> Hello:
    """A hello with these suites, and as little else as it takes."""
    if version == SSL3:
        return Hello(versions=(SSL3,), suites=suites)
    named = groups or (GROUPS_TLS13 if version == TLS13 else GROUPS_TLS12)
    return Hello(versions=(version,), suites=suites, groups=named, schemes=SCHEMES if version >= TLS12 else ())


def taken_suite(port: int, version: int, suites: tuple[int, ...], groups: tuple[int, ...] | None = None) -> int | None:
    """The suite with which the server answers in just this version."""
    answer = _server_hello(port, plain_hello(version, suites, groups))
    if answer is None:
        return None
    selected = {extension.extType: extension for extension in answer.extensions or ()}.get(43)
    spoken = selected.version if selected else answer.server_version
    same_version = struct.pack(">BB", *spoken) == struct.pack(">H", version)
    return int(answer.cipher_suite) if same_version else None


def suites_by_hello(port: int, version: int) -> set[int]:
    """Every suite of every code point that this version takes."""
    offered = offered_suites(tls13=version == TLS13)
    score = [offered[at : at + 20] for at in range(0, len(offered), 20)]
    asked = [code for twenty in score if taken_suite(port, version, twenty) is not None for code in twenty]
    return {code for code in asked if taken_suite(port, version, (code,)) == code}


def suites_by_openssl(port: int, version: int) -> set[int]:
    """Every suite of TLS 1.0 to 1.2 with which OpenSSL completes a handshake."""
    return {one.code for one in all_suites() if _completes(port, version, one.openssl_name)}


def openssl_suites() -> set[int]:
    """The suites up to TLS 1.2 that the standard library's OpenSSL can try (PSK and SRP need more than a name)."""
    return {one.code for one in all_suites() if one.openssl_name and _context(0x0303, one.openssl_name) is not None}


def _context(version: int, name: str) -> ssl.SSLContext | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.set_ciphers(f"{name}:@SECLEVEL=0")
    except ssl.SSLError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = SSL_VERSIONS[version]
    return context


def _completes(port: int, version: int, name: str) -> bool:
    context = _context(version, name) if name and not name.startswith("TLS_") else None
    if context is None:
        return False
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection,
            context.wrap_socket(connection) as wrapped,
        ):
            agreed = wrapped.cipher()
            return agreed is not None and agreed[0] == name
    except (ssl.SSLError, ConnectionError):
        return False

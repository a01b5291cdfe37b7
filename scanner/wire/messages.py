"""Turn the body of one handshake message of a server into an event (RFC 5246 section 7.4, RFC 8446 section 4)."""

import hashlib
import struct

from scanner.failures import ProtocolError
from scanner.wire import events
from scanner.wire.code_points import SSL3, TLS11, TLS12, TLS13, ExtensionType
from scanner.wire.cursor import Cursor
from scanner.wire.registry import suite
from scanner.wire.suite_traits import Trait

MAX_CERTIFICATES = 64
"""Ten times the longest chain that is of use."""
MAX_DH_BYTES = 4096
"""A prime of 32768 bits; OpenSSL refuses more than 10000."""

RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()
"""RFC 8446 section 4.1.3."""
_SENTINELS = {b"DOWNGRD\x01": TLS12, b"DOWNGRD\x00": TLS11}
"""RFC 8446 section 4.1.3: what a TLS 1.3 server writes when it negotiates less."""


def server_hello(body: bytes) -> events.ServerHello | events.HelloRetryRequest:
    cursor = Cursor(body, "ServerHello")
    version, random, session_id = cursor.number(2), cursor.take(32), cursor.vector(1, 32)
    if version >> 8 != SSL3 >> 8:
        raise ProtocolError(f"ServerHello: version 0x{version:04X}")
    suite_code, compression = cursor.number(2), cursor.number(1)
    extensions = _extensions(Cursor(cursor.vector(2), "ServerHello extensions")) if cursor.left else ()
    cursor.finish()
    contents = {extension.kind: extension.data for extension in extensions}
    if len(contents) < len(extensions):
        raise ProtocolError("ServerHello: an extension twice")
    version = _selected_version(version, contents)
    retry = random == RETRY_RANDOM
    group = _share_group(contents, retry) if version == TLS13 else None
    if retry:
        if version != TLS13:
            raise ProtocolError("HelloRetryRequest below TLS 1.3")
        cookie = contents.get(ExtensionType.COOKIE, b"\0\0")
        return events.HelloRetryRequest(
            version, session_id, suite_code, group, Cursor(cookie, "HelloRetryRequest cookie").vector(2)
        )
    downgrade = _SENTINELS.get(random[24:]) if version != TLS13 else None
    return events.ServerHello(
        version, random, session_id, suite_code, compression, extensions, group=group, downgrade=downgrade
    )


def _extensions(cursor: Cursor) -> tuple[events.Extension, ...]:
    found = []
    while cursor.left:
        found.append(events.Extension(cursor.number(2), cursor.vector(2)))
    return tuple(found)


def _selected_version(version: int, contents: dict[int, bytes]) -> int:
    """RFC 8446 section 4.2.1: the extension decides, and says TLS 1.3 or later."""
    selected = contents.get(ExtensionType.SUPPORTED_VERSIONS)
    if selected is None:
        return version
    if version != TLS12 or len(selected) != 2 or selected < b"\x03\x04":
        raise ProtocolError("ServerHello: illegal supported_versions")
    return int.from_bytes(selected, "big")


def _share_group(contents: dict[int, bytes], retry: bool) -> int | None:
    """The group of key_share: alone in a HelloRetryRequest, else with the server's share (section 4.2.8)."""
    if ExtensionType.KEY_SHARE not in contents:
        return None
    cursor = Cursor(contents[ExtensionType.KEY_SHARE], "key_share")
    group = cursor.number(2)
    if not retry:
        cursor.vector(2)
    cursor.finish()
    return group


def certificate(body: bytes) -> events.Certificate:
    cursor = Cursor(body, "Certificate")
    entries = Cursor(cursor.vector(3), "Certificate list")
    cursor.finish()
    chain: list[bytes] = []
    while entries.left:
        der = entries.vector(3)
        if not der or len(chain) == MAX_CERTIFICATES:
            raise ProtocolError("Certificate: an empty entry, or too many of them")
        chain.append(der)
    return events.Certificate(tuple(chain))


def certificate_status(body: bytes) -> events.CertificateStatus:
    cursor = Cursor(body, "CertificateStatus")
    status_type, response = cursor.number(1), cursor.vector(3)
    cursor.finish()
    return events.CertificateStatus(status_type, response)


def certificate_request(body: bytes, version: int) -> events.CertificateRequest:
    cursor = Cursor(body, "CertificateRequest")
    types = tuple(cursor.vector(1))
    schemes = cursor.vector(2) if version >= TLS12 else b""
    if len(schemes) % 2:
        raise ProtocolError("CertificateRequest: half a signature algorithm")
    names = Cursor(cursor.vector(2), "CertificateRequest authorities")
    cursor.finish()
    authorities = []
    while names.left:
        authorities.append(names.vector(2))
    return events.CertificateRequest(types, struct.unpack(f">{len(schemes) // 2}H", schemes), tuple(authorities))


def new_session_ticket(body: bytes) -> events.NewSessionTicket:
    cursor = Cursor(body, "NewSessionTicket")
    ticket = events.NewSessionTicket(cursor.number(4), cursor.vector(2))
    cursor.finish()
    return ticket


def server_hello_done(body: bytes) -> events.ServerHelloDone:
    Cursor(body, "ServerHelloDone").finish()
    return events.ServerHelloDone()


def server_key_exchange(body: bytes, version: int, suite_code: int) -> events.KeyExchange:
    """RFC 5246 section 7.4.3; which form it has follows from the suite in the ServerHello."""
    chosen = suite(suite_code)
    exchange, authentication = chosen.parts.key_exchange, chosen.parts.authentication
    cursor = Cursor(body, "ServerKeyExchange")
    if exchange in {"ECDHE_PSK", "DHE_PSK"}:
        cursor.vector(2)
    signed = authentication in {"RSA", "DSS", "ECDSA"}
    if exchange in {"ECDHE", "ECDHE_PSK"} and authentication != "SM2":
        group, point = _named_curve(cursor)
        return events.EcdheKeyExchange(group, point, signed, _signature_scheme(cursor, version, signed))
    if exchange in {"DHE", "DHE_PSK"}:
        prime, generator, public = (cursor.vector(2, MAX_DH_BYTES) for _ in range(3))
        if not prime.lstrip(b"\0"):
            raise ProtocolError("ServerKeyExchange: the prime is zero")
        return events.DheKeyExchange(prime, generator, public, signed, _signature_scheme(cursor, version, signed))
    if exchange == "RSA" and chosen.has(Trait.EXPORT):
        modulus, exponent = (cursor.vector(2, MAX_DH_BYTES) for _ in range(2))
        return events.RsaKeyExchange(modulus, exponent, _signature_scheme(cursor, version, signed))
    return events.OtherKeyExchange(exchange, len(body))


def _named_curve(cursor: Cursor) -> tuple[int, bytes]:
    """Only named curves are legal since RFC 8422 section 5.4, and only these were offered."""
    if cursor.number(1) != 3:
        raise ProtocolError("ServerKeyExchange: not a named curve")
    return cursor.number(2), cursor.vector(1)


def _signature_scheme(cursor: Cursor, version: int, signed: bool) -> int | None:
    """Pass over the signature; its scheme stands before it since TLS 1.2 (RFC 5246 section 4.7)."""
    scheme = None
    if signed:
        scheme = cursor.number(2) if version >= TLS12 else None
        cursor.vector(2)
    cursor.finish()
    return scheme

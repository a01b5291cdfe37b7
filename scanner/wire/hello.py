"""Build a ClientHello: SSL 3.0 to TLS 1.3 (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2), SSL 2.0 as hello only.

A `Hello` is the whole question; encoding it is a pure function of the question and 128 bytes of entropy. No key is
ever made: the handshakes of a plan end with the server's first flight, so a key share need only be a value that the
server can compute with. Any 32 bytes are such a value for x25519 and any 56 for x448 (RFC 7748 section 5); for
secp256r1 it is the curve's own base point.
"""

import os
import struct

import msgspec

from scanner.wire.code_points import SECP256R1, SSL2, SSL3, TLS12, TLS13, X448, X25519, ExtensionType, RecordType
from scanner.wire.registry import FALLBACK_SCSV, RENEGOTIATION_SCSV

ENTROPY_SIZE = 128
"""32 for the random, 32 for the session ID, 56 for the key shares; 8 are spare."""
MAX_RECORD = 1 << 14
"""RFC 8446 section 5.1."""
MAX_HELLO = 1 << 15
"""Nothing useful is longer, and every length field then has room."""

_SECP256R1_BASE = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
SHARE_GROUPS = (X25519, SECP256R1, X448)
"""Groups for which a hello can carry a key share."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """What to offer. Numbers are IANA code points, first choice first; `versions` in any order.

    For SSL 2.0 `versions` is (SSL2,) alone and `suites` are its three-byte cipher kinds. With TLS 1.3 among the
    versions the hello carries supported_versions and a key_share with `shares` (empty: ask for a
    HelloRetryRequest). `sni` "" sends no server name. `session_ticket` None sends no extension, b"" asks for a new
    ticket. `pad_to` is the size of the handshake message to reach with RFC 7685 padding. SSL 3.0 alone is sent
    without any extension.
    """

    versions: tuple[int, ...]
    suites: tuple[int, ...]
    groups: tuple[int, ...] = ()
    shares: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()
    sni: str = ""
    alpn: tuple[bytes, ...] = ()
    session_id: bytes = b""
    session_ticket: bytes | None = None
    compressions: tuple[int, ...] = (0,)
    pad_to: int = 0
    extended_master_secret: bool = False
    renegotiation_info: bool = False
    encrypt_then_mac: bool = False
    truncated_hmac: bool = False
    status_request: bool = False
    heartbeat: bool = False
    middlebox_session_id: bool = False
    """Send a random session ID, as TLS 1.3 clients do for middleboxes (RFC 8446 appendix D.4)."""
    fallback_scsv: bool = False

    @property
    def highest(self) -> int:
        """The highest version offered."""
        return max(self.versions)


def fresh_entropy() -> bytes:
    """The one place where a hello takes randomness from the machine."""
    return os.urandom(ENTROPY_SIZE)


def encode_hello(hello: Hello, entropy: bytes, record_size: int = MAX_RECORD) -> bytes:
    """The bytes to send: one record, or several of at most `record_size` bytes where the hello is longer.

    Raises ValueError for a question that cannot be written down (see `Hello`).
    """
    if len(entropy) < ENTROPY_SIZE:
        raise ValueError(f"{ENTROPY_SIZE} bytes of entropy are needed")
    if SSL2 in hello.versions:
        return _ssl2_hello(hello, entropy)
    head, tail = _fixed_parts(hello)
    middle = entropy[:32] + _vector8(entropy[32:64] if hello.middlebox_session_id else hello.session_id)
    shares = _key_share(hello.shares, entropy[64:]) if TLS13 in hello.versions else b""
    body = _with_extensions(head + middle + tail, _extensions(hello), shares, hello)
    if len(body) > MAX_HELLO:
        raise ValueError("the hello is too long")
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return fragment(message, min(hello.highest, 0x0301), record_size)


def fragment(message: bytes, version: int, record_size: int = MAX_RECORD) -> bytes:
    """A handshake message in plaintext records of at most `record_size` bytes (RFC 8446 section 5.1)."""
    if not 1 <= record_size <= MAX_RECORD:
        raise ValueError("a record holds 1 to 16384 bytes")
    pieces = (message[start : start + record_size] for start in range(0, len(message), record_size))
    return b"".join(struct.pack(">BHH", RecordType.HANDSHAKE, version, len(piece)) + piece for piece in pieces)


def farewell(version: int) -> bytes:
    """The alert with which a probe leaves politely: warning, close_notify (RFC 5246 section 7.2.1)."""
    return struct.pack(">BHHBB", RecordType.ALERT, max(SSL3, min(version, TLS12)), 2, 1, 0)


def _vector8(data: bytes) -> bytes:
    return len(data).to_bytes(1, "big") + data


def _vector16(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _numbers(values: tuple[int, ...]) -> bytes:
    return struct.pack(f">H{len(values)}H", 2 * len(values), *values)


def _extension(kind: int, data: bytes = b"") -> bytes:
    return struct.pack(">HH", kind, len(data)) + data


def _fixed_parts(hello: Hello) -> tuple[bytes, bytes]:
    """What stands before the random and behind the session ID."""
    if not hello.versions or not hello.suites or len(hello.session_id) > 32:
        raise ValueError("a hello needs a version, a suite and a session ID of at most 32 bytes")
    suites = hello.suites
    if hello.renegotiation_info and hello.highest == SSL3:
        suites += (RENEGOTIATION_SCSV,)
    if hello.fallback_scsv:
        suites += (FALLBACK_SCSV,)
    head = struct.pack(">H", min(hello.highest, TLS12))
    return head, _numbers(suites) + _vector8(bytes(hello.compressions))


_SWITCHES = (
    ("encrypt_then_mac", _extension(ExtensionType.ENCRYPT_THEN_MAC)),
    ("extended_master_secret", _extension(ExtensionType.EXTENDED_MASTER_SECRET)),
    ("truncated_hmac", _extension(ExtensionType.TRUNCATED_HMAC)),
    ("heartbeat", _extension(ExtensionType.HEARTBEAT, b"\x02")),
    ("status_request", _extension(ExtensionType.STATUS_REQUEST, b"\x01\x00\x00\x00\x00")),
)
"""Extensions whose content never varies, by the field of `Hello` that asks for them."""


def _extensions(hello: Hello) -> bytes:
    """All extensions but key_share and padding, in the order in which OpenSSL's client sends them."""
    if hello.highest == SSL3:
        return b""
    parts = []
    if hello.renegotiation_info:
        parts.append(_extension(ExtensionType.RENEGOTIATION_INFO, b"\0"))
    if hello.sni:
        name = b"\0" + _vector16(hello.sni.encode("ascii"))
        parts.append(_extension(ExtensionType.SERVER_NAME, _vector16(name)))
    if hello.groups:
        parts.append(_extension(ExtensionType.EC_POINT_FORMATS, b"\x01\x00"))
        parts.append(_extension(ExtensionType.SUPPORTED_GROUPS, _numbers(hello.groups)))
    if hello.session_ticket is not None:
        parts.append(_extension(ExtensionType.SESSION_TICKET, hello.session_ticket))
    if hello.alpn:
        protocols = b"".join(map(_vector8, hello.alpn))
        parts.append(_extension(ExtensionType.ALPN, _vector16(protocols)))
    parts += [extension for switch, extension in _SWITCHES if getattr(hello, switch)]
    if hello.schemes:
        parts.append(_extension(ExtensionType.SIGNATURE_ALGORITHMS, _numbers(hello.schemes)))
    if TLS13 in hello.versions:
        versions = struct.pack(f">{len(hello.versions)}H", *sorted(hello.versions, reverse=True))
        parts.append(_extension(ExtensionType.SUPPORTED_VERSIONS, _vector8(versions)))
        parts.append(_extension(ExtensionType.PSK_KEY_EXCHANGE_MODES, b"\x01\x01"))
    return b"".join(parts)


def _key_share(groups: tuple[int, ...], entropy: bytes) -> bytes:
    """RFC 8446 section 4.2.8; an empty list asks the server to choose the group (section 4.1.4)."""
    values = {X25519: entropy[:32], X448: entropy[:56], SECP256R1: _SECP256R1_BASE}
    if unknown := [group for group in groups if group not in values]:
        raise ValueError(f"no key share can be made for group {unknown[0]}")
    entries = b"".join(struct.pack(">H", group) + _vector16(values[group]) for group in groups)
    return _extension(ExtensionType.KEY_SHARE, _vector16(entries))


def _with_extensions(body: bytes, extensions: bytes, key_share: bytes, hello: Hello) -> bytes:
    """Close the hello with its extensions. Padding comes last but one byte: some servers dislike an empty end."""
    if hello.highest == SSL3:
        return body
    extensions += key_share
    missing = hello.pad_to - len(body) - len(extensions) - 4 - 2
    if hello.pad_to and missing > 0:
        extensions += _extension(ExtensionType.PADDING, bytes(max(missing - 4, 0)))
    return body + _vector16(extensions) if extensions else body


def _ssl2_hello(hello: Hello, entropy: bytes) -> bytes:
    """CLIENT-HELLO of SSL 2.0, which RFC 5246 appendix E.2 still describes; the challenge has 16 bytes."""
    if hello.versions != (SSL2,) or not hello.suites:
        raise ValueError("an SSL 2.0 hello offers SSL 2.0 alone, and at least one cipher kind")
    kinds = b"".join(kind.to_bytes(3, "big") for kind in hello.suites)
    body = struct.pack(">BHHHH", 1, SSL2, len(kinds), 0, 16) + kinds + entropy[:16]
    return struct.pack(">H", 0x8000 | len(body)) + body

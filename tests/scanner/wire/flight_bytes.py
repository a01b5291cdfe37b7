"""Write server flights byte by byte, for tests of the readers."""

from scanner.wire.messages import RETRY_RANDOM

RANDOM = bytes(range(32))
PRIME = b"\xff" * 127 + b"\x7f"


def sized(size: int, data: bytes) -> bytes:
    """Data behind its length in `size` bytes."""
    return len(data).to_bytes(size, "big") + data


def record(kind: int, payload: bytes, version: int = 0x0303) -> bytes:
    return bytes([kind]) + version.to_bytes(2, "big") + sized(2, payload)


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + sized(3, body)


def extension(kind: int, data: bytes = b"") -> bytes:
    return kind.to_bytes(2, "big") + sized(2, data)


def hello_body(suite: int, *extensions: bytes, version: int = 0x0303, random: bytes = RANDOM) -> bytes:
    head = version.to_bytes(2, "big") + random + sized(1, b"session") + suite.to_bytes(2, "big") + b"\0"
    return head + (sized(2, b"".join(extensions)) if extensions else b"")


def server_hello(suite: int, *extensions: bytes, version: int = 0x0303, random: bytes = RANDOM) -> bytes:
    return message(2, hello_body(suite, *extensions, version=version, random=random))


def retry_request(suite: int, group: int) -> bytes:
    versions, share = extension(43, b"\x03\x04"), extension(51, group.to_bytes(2, "big"))
    return server_hello(suite, versions, share, random=RETRY_RANDOM)


def certificate(*chain: bytes) -> bytes:
    return message(11, sized(3, b"".join(sized(3, der) for der in chain)))


def ecdhe(group: int, scheme: int | None = 0x0804, signed: bool = True) -> bytes:
    body = b"\x03" + group.to_bytes(2, "big") + sized(1, b"\x04point")
    if signed:
        body += (scheme.to_bytes(2, "big") if scheme is not None else b"") + sized(2, b"signature")
    return message(12, body)


def dhe(prime: bytes = PRIME, scheme: int | None = 0x0401) -> bytes:
    body = sized(2, prime) + sized(2, b"\x02") + sized(2, b"public")
    return message(12, body + (scheme.to_bytes(2, "big") if scheme is not None else b"") + sized(2, b"signature"))


DONE = message(14, b"")
FULL_FLIGHT = (
    server_hello(0xC02F, extension(0xFF01, b"\0"), extension(23), extension(5), extension(35)),
    certificate(b"leaf" * 100, b"issuer" * 50),
    message(22, b"\x01" + sized(3, b"ocsp")),
    ecdhe(29),
    message(13, sized(1, b"\x01\x40") + sized(2, b"\x04\x01\x04\x03") + sized(2, sized(2, b"name"))),
    DONE,
)
"""A TLS 1.2 flight with every message that one can have."""

"""What a server may say in its first flight, as values: messages, alerts, and bytes that are no TLS at all."""

import msgspec


class Extension(msgspec.Struct, frozen=True):
    """RFC 8446 section 4.2; `data` as sent."""

    kind: int
    data: bytes


class ServerHello(msgspec.Struct, frozen=True, tag=True):
    """RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.3.

    `version` is the negotiated one (of supported_versions in TLS 1.3); `group` that of a TLS 1.3 key share;
    `downgrade` the version that the sentinel at the end of `random` names (TLS 1.2, or 1.1 "and below"), else None.
    """

    version: int
    random: bytes
    session_id: bytes
    suite: int
    compression: int
    extensions: tuple[Extension, ...] = ()
    group: int | None = None
    downgrade: int | None = None


class HelloRetryRequest(msgspec.Struct, frozen=True, tag=True):
    """RFC 8446 section 4.1.4: the server would take `suite`, and `group` if we sent a share for it."""

    version: int
    session_id: bytes
    suite: int
    group: int | None = None
    cookie: bytes = b""


class Certificate(msgspec.Struct, frozen=True, tag=True):
    """RFC 5246 section 7.4.2: DER of each certificate, in the order sent."""

    chain: tuple[bytes, ...]


class CertificateStatus(msgspec.Struct, frozen=True, tag=True):
    """RFC 6066 section 8: a stapled OCSP response, DER, not looked into."""

    status_type: int
    response: bytes


class EcdheKeyExchange(msgspec.Struct, frozen=True, tag=True):
    """RFC 8422 section 5.4. `scheme` is None before TLS 1.2; `signed` is false for anonymous and PSK suites."""

    group: int
    point: bytes
    signed: bool
    scheme: int | None = None


class DheKeyExchange(msgspec.Struct, frozen=True, tag=True):
    """RFC 5246 section 7.4.3, numbers as sent (big-endian)."""

    prime: bytes
    generator: bytes
    public: bytes
    signed: bool
    scheme: int | None = None


class RsaKeyExchange(msgspec.Struct, frozen=True, tag=True):
    """The temporary RSA key of an EXPORT suite (RFC 2246 section 7.4.3)."""

    modulus: bytes
    exponent: bytes
    scheme: int | None = None


class OtherKeyExchange(msgspec.Struct, frozen=True, tag=True):
    """A ServerKeyExchange of a kind that is not taken apart: PSK, SRP, ECCPWD or that of an unknown suite."""

    key_exchange: str
    size: int


class CertificateRequest(msgspec.Struct, frozen=True, tag=True):
    """RFC 5246 section 7.4.4: the server asks for a client certificate."""

    types: tuple[int, ...]
    schemes: tuple[int, ...] = ()
    authorities: tuple[bytes, ...] = ()


class ServerHelloDone(msgspec.Struct, frozen=True, tag=True):
    """RFC 5246 section 7.4.5: the end of the first flight up to TLS 1.2."""


class NewSessionTicket(msgspec.Struct, frozen=True, tag=True):
    """RFC 5077 section 3.3, sent in this place when a session was resumed. The lifetime is in seconds."""

    lifetime_hint: int
    ticket: bytes


class ChangeCipherSpec(msgspec.Struct, frozen=True, tag=True):
    """Straight behind the ServerHello: the server resumed a session (RFC 5246 section 7.3)."""


class Alert(msgspec.Struct, frozen=True, tag=True):
    """RFC 8446 section 6; level 1 is a warning, 2 fatal."""

    level: int
    description: int


class Ssl2ServerHello(msgspec.Struct, frozen=True, tag=True):
    """SSL 2.0 (draft-hickman-netscape-ssl-00 section 2.6): the cipher kinds that the server offers."""

    version: int
    certificate: bytes
    kinds: tuple[int, ...]


class Ssl2Error(msgspec.Struct, frozen=True, tag=True):
    """SSL 2.0 error message; 1 is "no cipher"."""

    code: int


class NotTls(msgspec.Struct, frozen=True, tag=True):
    """The first bytes were no TLS and no SSL 2.0: a line of text, or what there was of it."""

    data: bytes


class EndOfStream(msgspec.Struct, frozen=True, tag=True):
    """The server closed, or the reader was told to stop; `unread` bytes belong to nothing complete."""

    unread: int


KeyExchange = EcdheKeyExchange | DheKeyExchange | RsaKeyExchange | OtherKeyExchange
Event = (
    ServerHello
    | HelloRetryRequest
    | Certificate
    | CertificateStatus
    | EcdheKeyExchange
    | DheKeyExchange
    | RsaKeyExchange
    | OtherKeyExchange
    | CertificateRequest
    | ServerHelloDone
    | NewSessionTicket
    | ChangeCipherSpec
    | Alert
    | Ssl2ServerHello
    | Ssl2Error
    | NotTls
    | EndOfStream
)

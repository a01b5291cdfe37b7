"""How facts become stored contents and come back: JSON, compressed, addressed by its SHA-256.

What differs from night to night although nothing changed is kept apart, so that the same facts give the same hash:
the times (columns of their rows), and the certificates, which many endpoints share.
"""

import hashlib
import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum

import msgspec

from scanner.deep_facts import DeepFacts
from scanner.facts import DomainFacts, Endpoint, EndpointFacts, Level, SessionFacts, Target
from scanner.failures import ProbeFailure
from scanner.tls_facts import CertificateFacts
from scanner.wire_facts import TlsFacts

_COMPRESSION_LEVEL = 6
_WINDOW_BITS, _MEMORY_LEVEL = 13, 6
"""A window of 8 kB for texts of a kilobyte or two: zlib's own choice takes longer to clear than to compress them."""
_NOWHERE = b""
"""Stands for the DER in the JSON of a certificate; the bytes have a column of their own."""

_SEEN_AT = re.compile(rb'"seen_at":"([0-9TZ:.+-]+)"')
_NO_TIME = b'"seen_at":""'
"""Within a JSON text both can only be a member of an object: in a string the quotation marks would be escaped."""


class Coding(IntEnum):
    """How a stored content is written."""

    PLAIN = 0
    ZLIB = 1


class Content(msgspec.Struct, frozen=True):
    """A text to be stored once, however often it occurs."""

    kind: str
    sha256: bytes
    text: bytes

    def packed(self) -> tuple[Coding, bytes]:
        """The shorter of the two codings."""
        pack = zlib.compressobj(_COMPRESSION_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL)
        small = pack.compress(self.text) + pack.flush()
        return (Coding.ZLIB, small) if len(small) < len(self.text) else (Coding.PLAIN, self.text)


class _StoredEndpoint(msgspec.Struct, frozen=True):
    """`EndpointFacts` without its time, certificates by their hash."""

    endpoint: Endpoint
    sessions: tuple[SessionFacts, ...]
    certificates: tuple[str, ...]
    failure: ProbeFailure | None
    tls: TlsFacts | None = None
    hello_connections: int = 0
    deep: DeepFacts | None = None


_encoder = msgspec.json.Encoder()
_endpoint_decoder = msgspec.json.Decoder(_StoredEndpoint)
_domain_decoder = msgspec.json.Decoder(DomainFacts)
_certificate_decoder = msgspec.json.Decoder(CertificateFacts)
_target_decoder = msgspec.json.Decoder(Target)


def content(kind: str, text: bytes) -> Content:
    return Content(kind, hashlib.sha256(text).digest(), text)


def unpacked(coding: int, stored: bytes) -> bytes:
    """The text of a stored content."""
    return zlib.decompress(stored) if coding == Coding.ZLIB else stored


def domain_content(facts: DomainFacts) -> Content:
    return content("domain", _encoder.encode(facts))


def domain_from_text(text: bytes) -> DomainFacts:
    return _domain_decoder.decode(text)


def judgement_content(judgement: bytes) -> tuple[Content, str]:
    """A judgement without the times at which its endpoints were seen, and these times.

    Put back by `judgement_from_text` to the byte. A text in which that would be ambiguous is stored as it is.
    """
    times = _SEEN_AT.findall(judgement)
    template = _SEEN_AT.sub(_NO_TIME, judgement)
    if template.count(_NO_TIME) != len(times):
        return content("judgement", judgement), ""
    return content("judgement", template), b" ".join(times).decode()


def judgement_from_text(text: bytes, times: str) -> bytes:
    if not times:
        return text
    parts = text.split(_NO_TIME)
    filled = (b'"seen_at":"%b"%b' % pair for pair in zip(times.encode().split(), parts[1:], strict=True))
    return parts[0] + b"".join(filled)


def endpoint_content(facts: EndpointFacts) -> Content:
    hashes = tuple(certificate.sha256 for certificate in facts.certificates)
    stored = _StoredEndpoint(
        facts.endpoint, facts.sessions, hashes, facts.failure, facts.tls, facts.hello_connections, facts.deep
    )
    return content("endpoint", _encoder.encode(stored))


class EndpointText(msgspec.Struct, frozen=True):
    """Stored facts of an endpoint, waiting for their certificates."""

    stored: _StoredEndpoint
    seen_at: datetime

    @property
    def hashes(self) -> tuple[str, ...]:
        return self.stored.certificates

    def facts(self, certificates: Mapping[str, CertificateFacts]) -> EndpointFacts:
        stored = self.stored
        chain = tuple(certificates[sha256] for sha256 in stored.certificates)
        return EndpointFacts(
            stored.endpoint,
            self.seen_at,
            stored.sessions,
            chain,
            stored.failure,
            stored.tls,
            stored.hello_connections,
            stored.deep,
        )


def endpoint_from_text(text: bytes, seen_at: datetime) -> EndpointText:
    return EndpointText(_endpoint_decoder.decode(text), seen_at)


def certificate_text(facts: CertificateFacts) -> str:
    """The facts of a certificate without its DER."""
    return _encoder.encode(msgspec.structs.replace(facts, der=_NOWHERE)).decode()


def certificate_from_text(text: str, der: bytes) -> CertificateFacts:
    return msgspec.structs.replace(_certificate_decoder.decode(text), der=der)


def target_text(target: Target) -> str | None:
    """What a target is beyond its entry and its required level; None for a plain domain."""
    if target == Target(target.entry, target.entry, required=target.required):
        return None
    return _encoder.encode(target).decode()


def target_from_stored(entry: str, required: str | None, text: str | None) -> Target:
    level = None if required is None else Level(required)
    if text is None:
        return Target(entry, entry, required=level)
    return msgspec.structs.replace(_target_decoder.decode(text), required=level)

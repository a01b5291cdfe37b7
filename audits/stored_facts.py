"""How facts become stored contents and come back: JSON, compressed, addressed by its SHA-256.

What differs from night to night although nothing changed is kept apart, so that the same facts give the same hash:
the times (columns of their rows), and the certificates, which many endpoints share. Such times are when something was
seen or fetched, and the ends of signatures, because a zone is signed anew long before they come.
"""

import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
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

_FACTS, _AGAIN = ";", "="
"""In a packed text of times: what follows stood in the facts; the place of the time that stands here again."""
_TIME = re.compile(rb"[0-9TZ:.+-]+")
_CLIFF = b'"at":"'
_MOVING = (b'"seen_at":"', b'"fetched_at":"', b'"signed_until":"', _CLIFF)
"""Within a JSON text these can only begin members of an object: in a string the quotation marks would be escaped."""
_ROLLING = re.compile(rb'","what":"[^"\\]*","why":"[^"\\]*","where":"[^"\\]*","rolling":true')
"""What follows the day of a cliff that moves."""


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
    tls_seen_at: datetime | None = None


_encoder = msgspec.json.Encoder()
_endpoint_decoder = msgspec.json.Decoder(_StoredEndpoint)
_domain_decoder = msgspec.json.Decoder(DomainFacts)
_certificate_decoder = msgspec.json.Decoder(CertificateFacts)
_target_decoder = msgspec.json.Decoder(Target)


def content(kind: str, text: bytes) -> Content:
    return Content(kind, hashlib.sha256(text).digest(), text)


def unpacked(coding: int | None, stored: bytes | None) -> bytes:
    """The text of a stored content; `DecodeError` where a result refers to one that is gone, after a rescue say."""
    if stored is None:
        raise msgspec.DecodeError("a result has lost its facts")
    return zlib.decompress(stored) if coding == Coding.ZLIB else stored


def domain_content(facts: DomainFacts) -> tuple[Content, str]:
    """The facts of a domain without the times that move, and these times, for `domain_from_text`."""
    return _without_times("domain", _encoder.encode(facts))


def domain_from_text(text: bytes, times: str) -> DomainFacts:
    return _domain_decoder.decode(_with_times(text, times))


def judgement_content(judgement: bytes) -> tuple[Content, str]:
    """A judgement without the times that move, and these times. Put back by `judgement_from_text` to the byte."""
    return _without_times("judgement", judgement)


def judgement_from_text(text: bytes, times: str) -> bytes:
    return _with_times(text, times)


def cliffs_from_text(text: bytes, times: str) -> bytes:
    """A judgement with the days of its cliffs; the other times are left blank."""
    return _with_times(text, times, only=_CLIFF)


def packed_times(judged: str, seen: str) -> str:
    """The times of a judgement and those of its facts as one text; a time that repeats is written as its place."""
    words = [*judged.split(), _FACTS, *seen.split()] if seen else judged.split()
    first: dict[str, int] = {}
    for place, word in enumerate(words):
        first.setdefault(word, place)
    return " ".join(word if first[word] == place else f"{_AGAIN}{first[word]}" for place, word in enumerate(words))


def unpacked_times(packed: str) -> tuple[str, str]:
    """What `packed_times` got."""
    words = packed.split()
    whole = [words[int(word[1:])] if word.startswith(_AGAIN) else word for word in words]
    judged, _, seen = " ".join(whole).partition(_FACTS)
    return judged.rstrip(), seen.lstrip()


def _without_times(kind: str, text: bytes) -> tuple[Content, str]:
    """A text in which it would be ambiguous where the times stood is stored as it is."""
    found = [place for place in _moving(text) if place.start == place.stop or _TIME.fullmatch(text[place])]
    times = [text[place] for place in found]
    if not all(times):
        return content(kind, text), ""
    return content(kind, _filled(text, found, [b""] * len(found))), b" ".join(times).decode()


def _with_times(text: bytes, times: str, only: bytes = b"") -> bytes:
    if not times:
        return text
    found = [place for place in _moving(text) if place.start == place.stop]
    given = times.encode().split()
    wanted = [t if text.endswith(only, 0, place.start) else b"" for t, place in zip(given, found, strict=True)]
    return _filled(text, found, wanted)


def _moving(text: bytes) -> list[slice]:
    """Where the values stand that move from night to night, in their order."""
    found = []
    for name in _MOVING:
        start = text.find(name)
        while start >= 0:
            start += len(name)
            end = text.find(b'"', start)
            if end >= 0 and (name is not _CLIFF or _ROLLING.match(text, end)):
                found.append(slice(start, end))
            start = text.find(name, start)
    return sorted(found, key=lambda place: place.start)


def _filled(text: bytes, places: Sequence[slice], values: Sequence[bytes]) -> bytes:
    """The text with other values in these places."""
    parts: list[bytes] = []
    end = 0
    for place, value in zip(places, values, strict=True):
        parts += text[end : place.start], value
        end = place.stop
    return b"".join((*parts, text[end:]))


def endpoint_content(facts: EndpointFacts) -> Content:
    hashes = tuple(certificate.sha256 for certificate in facts.certificates)
    stored = _StoredEndpoint(
        facts.endpoint,
        facts.sessions,
        hashes,
        facts.failure,
        facts.tls,
        facts.hello_connections,
        facts.deep,
        facts.tls_seen_at,
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
            stored.tls_seen_at,
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

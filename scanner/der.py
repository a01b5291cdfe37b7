"""Read DER, the bytes of ASN.1 values (X.690), as far as certificates need it and more leniently than libraries do.

OpenSSL, and with it Postfix, accepts certificates that strict parsers refuse as a whole: a negative serial number, an
odd string in a name, an extension given twice. What such a certificate says must still be known to predict what
Postfix does with it. So every value is read for itself, and only what was really needed can make reading fail. Nothing
here recurses, and each reader bounds its work by the length of its input.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
NUMERIC_STRING = 0x12
PRINTABLE_STRING = 0x13
TELETEX_STRING = 0x14
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
VISIBLE_STRING = 0x1A
UNIVERSAL_STRING = 0x1C
BMP_STRING = 0x1E
SEQUENCE = 0x30
SET = 0x31

MAX_IDENTIFIER_BYTES = 64
"""Longer object identifiers do not exist; their arcs would be numbers of unbounded size."""

_TAG_NUMBER_FOLLOWS = 0x1F
_STRINGS = {
    UTF8_STRING: "utf-8",
    NUMERIC_STRING: "latin-1",
    PRINTABLE_STRING: "latin-1",
    TELETEX_STRING: "latin-1",
    IA5_STRING: "latin-1",
    VISIBLE_STRING: "latin-1",
    UNIVERSAL_STRING: "utf-32-be",
    BMP_STRING: "utf-16-be",
}
_UTC_TIME = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")
_GENERALIZED_TIME = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")


class DerError(ValueError):
    """Bytes that are not the DER value which was expected."""


class Element(NamedTuple):
    """One value: its tag octet, its content, and the whole encoding with tag and length."""

    tag: int
    content: bytes
    der: bytes


def elements(data: bytes) -> Iterator[Element]:
    """The values that stand one after the other in `data`; DerError where one is cut off."""
    at, end = 0, len(data)
    while at < end:
        element = _element_at(data, at)
        at += len(element.der)
        yield element


def _element_at(data: bytes, at: int) -> Element:
    """X.690 sections 8.1.2 and 8.1.3: one octet of tag, the length, the content."""
    if at + 2 > len(data):
        raise DerError("cut off in the middle of a tag or length")
    tag, length, start = data[at], data[at + 1], at + 2
    if tag & _TAG_NUMBER_FOLLOWS == _TAG_NUMBER_FOLLOWS:
        raise DerError("a tag number above 30")
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise DerError("a length of no definite form, or above 4 GB")
        length = int.from_bytes(data[start : start + octets])
        start += octets
    end = start + length
    if end > len(data):
        raise DerError(f"a value of {length} bytes is cut off")
    return Element(tag, data[start:end], data[at:end])


def one(data: bytes, tag: int) -> bytes:
    """The content of the first value in `data`, which must have this tag; what follows it is not looked at."""
    if not data:
        raise DerError("nothing where a value was expected")
    return expect(_element_at(data, 0), tag)


def expect(element: Element, tag: int) -> bytes:
    """The content of an element that must have this tag."""
    if element.tag != tag:
        raise DerError(f"tag {element.tag:#04x} where {tag:#04x} was expected")
    return element.content


def fields(element: Element, least: int = 0) -> tuple[Element, ...]:
    """The values inside a SEQUENCE; DerError where there are fewer than `least`."""
    inside = tuple(elements(expect(element, SEQUENCE)))
    if len(inside) < least:
        raise DerError(f"{len(inside)} values where {least} were expected")
    return inside


def algorithm(element: Element) -> tuple[str, tuple[Element, ...]]:
    """An AlgorithmIdentifier (RFC 5280 section 4.1.1.2): the identifier in dots, and its parameters if any."""
    name, *parameters = fields(element, least=1)
    return identifier(expect(name, OBJECT_IDENTIFIER)), tuple(parameters)


def bit_string(content: bytes) -> tuple[int, bytes]:
    """The number of unused bits at the end, and the bytes (section 8.6)."""
    if not content or content[0] > 7:
        raise DerError("a bit string without a sane count of unused bits")
    return content[0], content[1:]


@lru_cache(maxsize=1024)
def identifier(content: bytes) -> str:
    """An object identifier in dots (section 8.19); remembered, as every certificate repeats the same dozen."""
    if not 1 <= len(content) <= MAX_IDENTIFIER_BYTES or content[-1] & 0x80:
        raise DerError("no sane object identifier")
    arcs, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(value)
            value = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, (top, arcs[0] - 40 * top, *arcs[1:])))


def text(element: Element) -> str:
    """A character string of any type that a name may hold; DerError where the bytes are none in their encoding.

    Types of one byte a character are latin-1, as OpenSSL reads them. A UTF8String that is none is taken for latin-1
    as well: that is what stands in such certificates, and no byte is lost.
    """
    encoding = _STRINGS.get(element.tag)
    if encoding is None:
        raise DerError(f"tag {element.tag:#04x} where a character string was expected")
    try:
        return element.content.decode(encoding)
    except UnicodeDecodeError as error:
        if element.tag == UTF8_STRING:
            return element.content.decode("latin-1")
        raise DerError(f"no {encoding} text") from error


def time(element: Element) -> datetime:
    """A UTCTime or GeneralizedTime in the only form that RFC 5280 section 4.1.2.5 and OpenSSL know: to the second, Z.

    A GeneralizedTime before 2050 breaks the RFC's rule but is understood by everybody.
    """
    pattern = {UTC_TIME: _UTC_TIME, GENERALIZED_TIME: _GENERALIZED_TIME}.get(element.tag)
    found = pattern.fullmatch(element.content) if pattern else None
    if not found:
        raise DerError(f"no time: {element.content[:32]!r}")
    year, month, day, hour, minute, second = map(int, found.groups())
    if element.tag == UTC_TIME:
        year += 2000 if year < 50 else 1900
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)

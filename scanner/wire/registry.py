"""Cipher suites by code point, IANA name and OpenSSL name, from one generated table (data/make_cipher_suites.py).

The table is read on first use only. A code that it does not hold is still a suite: it is shown as 0xHHHH.
"""

import csv
from functools import cache
from pathlib import Path

import msgspec

from scanner.wire.suite_traits import SuiteParts, Trait, suite_parts

FALLBACK_SCSV = 0x5600
"""RFC 7507."""
RENEGOTIATION_SCSV = 0x00FF
"""RFC 5746 section 3.3."""
_TABLE = Path(__file__).with_name("cipher_suites.csv")


class CipherSuite(msgspec.Struct, frozen=True):
    """One row of the table. `registered` is false for code points that IANA never assigned to this name.

    `reference` is the document that defines it, `seen_in` the sources that the row was merged from.
    """

    code: int
    name: str
    openssl_name: str
    registered: bool
    reference: str
    seen_in: str
    parts: SuiteParts

    def has(self, *traits: Trait) -> bool:
        """Whether the suite has all of these traits."""
        return self.parts.traits.issuperset(traits)


@cache
def _table() -> dict[int, CipherSuite]:
    with _TABLE.open(encoding="ascii", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        suites = {}
        for written, name, openssl_name, registered, reference, seen_in in rows:
            code = int(written, 16)
            parts = suite_parts(code, name)
            suites[code] = CipherSuite(code, name, openssl_name, registered == "yes", reference, seen_in, parts)
    return suites


@cache
def _codes_by_name() -> dict[str, int]:
    names = {suite.openssl_name: suite.code for suite in _table().values() if suite.openssl_name}
    return names | {suite.name: suite.code for suite in _table().values()}


def all_suites() -> tuple[CipherSuite, ...]:
    """Every known code point, in numeric order, signalling values included."""
    return tuple(_table().values())


def suite(code: int) -> CipherSuite:
    """The suite with this code point; one without names where the table has none."""
    known = _table().get(code)
    if known is None:
        name = f"0x{code:04X}"
        known = CipherSuite(code, name, "", False, "unknown", "", suite_parts(code, name))
    return known


def suite_name(code: int) -> str:
    """The IANA name, or 0xHHHH."""
    return suite(code).name


def suite_code(name: str) -> int | None:
    """The code point for an IANA name or an OpenSSL name; None where there is no such suite."""
    return _codes_by_name().get(name)


def openssl_name(name: str) -> str:
    """OpenSSL's name for an IANA name; "" where OpenSSL has none."""
    code = suite_code(name)
    return "" if code is None else suite(code).openssl_name


@cache
def offered_suites(*, tls13: bool) -> tuple[int, ...]:
    """All that a hello may offer, in numeric order: no signalling values, and not TLS_NULL_WITH_NULL_NULL.

    TLS 1.3 and the older versions share no suite (RFC 8446 section 4.1.2).
    """
    return tuple(
        suite.code
        for suite in _table().values()
        if suite.code and not suite.has(Trait.SIGNALLING) and suite.has(Trait.TLS13) == tls13
    )

"""What the name of a cipher suite says: key exchange, authentication, cipher, strength, MAC and its traits.

The names follow a grammar (RFC 5246 appendix A.5, RFC 8446 appendix B.4), so nothing here is a list of suites.
"""

import re
from enum import StrEnum
from functools import cache

import msgspec


class Trait(StrEnum):
    """A property by which standards allow or forbid suites."""

    ANONYMOUS = "anonymous"
    NULL = "null"
    EXPORT = "export"
    RC4 = "rc4"
    RC2 = "rc2"
    DES = "des"
    TRIPLE_DES = "3des"
    IDEA = "idea"
    SEED = "seed"
    CAMELLIA = "camellia"
    ARIA = "aria"
    GOST = "gost"
    SM = "sm"
    CHACHA20 = "chacha20"
    GCM = "gcm"
    CCM = "ccm"
    CCM_8 = "ccm-8"
    """An authentication tag of 8 bytes."""
    CBC = "cbc"
    CBC_SHA1 = "cbc-sha1"
    """CBC whose MAC is HMAC-SHA-1 or HMAC-MD5."""
    AEAD = "aead"
    MD5 = "md5"
    STATIC_RSA = "static-rsa"
    """RSA key transport (also RSA_PSK): no forward secrecy."""
    STATIC_DH = "static-dh"
    STATIC_ECDH = "static-ecdh"
    DHE = "dhe"
    ECDHE = "ecdhe"
    DSS = "dss"
    PSK = "psk"
    SRP = "srp"
    KRB5 = "krb5"
    PASSWORD = "eccpwd"
    FORTEZZA = "fortezza"
    TLS13 = "tls13"
    SIGNALLING = "signalling"
    """No suite at all: a signal in the list of suites (SCSV)."""


class SuiteParts(msgspec.Struct, frozen=True):
    """A name taken apart. `bits` is the effective strength of the cipher: 112 for 3DES, 40 for export, 0 for NULL."""

    key_exchange: str
    authentication: str
    cipher: str
    bits: int
    mac: str
    traits: frozenset[Trait]


_KEY_EXCHANGES: dict[str, tuple[str, str, tuple[Trait, ...]]] = {
    "NULL": ("NULL", "anon", (Trait.ANONYMOUS,)),
    "RSA": ("RSA", "RSA", (Trait.STATIC_RSA,)),
    "RSA_FIPS": ("RSA", "RSA", (Trait.STATIC_RSA,)),
    "DH_DSS": ("DH", "DSS", (Trait.STATIC_DH, Trait.DSS)),
    "DH_RSA": ("DH", "RSA", (Trait.STATIC_DH,)),
    "DHE_DSS": ("DHE", "DSS", (Trait.DHE, Trait.DSS)),
    "DHE_RSA": ("DHE", "RSA", (Trait.DHE,)),
    "DH_anon": ("DHE", "anon", (Trait.DHE, Trait.ANONYMOUS)),
    "ECDH_ECDSA": ("ECDH", "ECDSA", (Trait.STATIC_ECDH,)),
    "ECDH_RSA": ("ECDH", "RSA", (Trait.STATIC_ECDH,)),
    "ECDHE_ECDSA": ("ECDHE", "ECDSA", (Trait.ECDHE,)),
    "ECDHE_RSA": ("ECDHE", "RSA", (Trait.ECDHE,)),
    "ECDH_anon": ("ECDHE", "anon", (Trait.ECDHE, Trait.ANONYMOUS)),
    "PSK": ("PSK", "PSK", (Trait.PSK,)),
    "DHE_PSK": ("DHE_PSK", "PSK", (Trait.PSK, Trait.DHE)),
    "PSK_DHE": ("DHE_PSK", "PSK", (Trait.PSK, Trait.DHE)),
    "RSA_PSK": ("RSA_PSK", "RSA", (Trait.PSK, Trait.STATIC_RSA)),
    "ECDHE_PSK": ("ECDHE_PSK", "PSK", (Trait.PSK, Trait.ECDHE)),
    "KRB5": ("KRB5", "KRB5", (Trait.KRB5,)),
    "SRP_SHA": ("SRP", "SRP", (Trait.SRP,)),
    "SRP_SHA_RSA": ("SRP", "RSA", (Trait.SRP,)),
    "SRP_SHA_DSS": ("SRP", "DSS", (Trait.SRP, Trait.DSS)),
    "ECCPWD": ("ECCPWD", "ECCPWD", (Trait.PASSWORD,)),
    "FORTEZZA_KEA": ("KEA", "DSS", (Trait.FORTEZZA,)),
    "CECPQ1_RSA": ("CECPQ1", "RSA", ()),
    "CECPQ1_ECDSA": ("CECPQ1", "ECDSA", ()),
    "GOSTR341094": ("GOST", "GOST", (Trait.GOST,)),
    "GOSTR341094_RSA": ("GOST", "RSA", (Trait.GOST,)),
    "GOSTR341001": ("GOST", "GOST", (Trait.GOST,)),
    "GOSTR341112_256": ("GOST", "GOST", (Trait.GOST,)),
    "ECDHE_SM": ("ECDHE", "SM2", (Trait.ECDHE,)),
    "ECC_SM": ("ECC", "SM2", ()),
    "IBSDH_SM": ("IBSDH", "SM9", ()),
    "IBC_SM": ("IBC", "SM9", ()),
    "RSA_SM": ("RSA", "RSA", (Trait.STATIC_RSA,)),
    "TLS13": ("any", "any", (Trait.TLS13,)),
}

_CIPHERS: tuple[tuple[str, int, Trait | None], ...] = (
    (r"NULL", 0, Trait.NULL),
    (r"^SHA\d+_SHA", 0, Trait.NULL),
    (r"RC4_128", 128, Trait.RC4),
    (r"RC4_56", 56, Trait.RC4),
    (r"RC4_40", 40, Trait.RC4),
    (r"RC2_CBC_40", 40, Trait.RC2),
    (r"RC2_CBC_56", 56, Trait.RC2),
    (r"RC2_CBC", 128, Trait.RC2),
    (r"DES40|DES_CBC_40", 40, Trait.DES),
    (r"3DES", 112, Trait.TRIPLE_DES),
    (r"DES", 56, Trait.DES),
    (r"IDEA", 128, Trait.IDEA),
    (r"SEED", 128, Trait.SEED),
    (r"FORTEZZA", 80, Trait.FORTEZZA),
    (r"CAMELLIA_128", 128, Trait.CAMELLIA),
    (r"CAMELLIA_256", 256, Trait.CAMELLIA),
    (r"ARIA_128", 128, Trait.ARIA),
    (r"ARIA_256", 256, Trait.ARIA),
    (r"28147|KUZNYECHIK|MAGMA", 256, Trait.GOST),
    (r"SM4", 128, Trait.SM),
    (r"CHACHA20", 256, Trait.CHACHA20),
    (r"SALSA20", 256, None),
    (r"AES_128|AEGIS_128", 128, None),
    (r"AES_256|AEGIS_256", 256, None),
)

_MODES: tuple[tuple[str, tuple[Trait, ...]], ...] = (
    (r"_CCM_8", (Trait.CCM, Trait.CCM_8, Trait.AEAD)),
    (r"_CCM", (Trait.CCM, Trait.AEAD)),
    (r"_GCM", (Trait.GCM, Trait.AEAD)),
    (r"CHACHA20_POLY1305|AEGIS|_MGM", (Trait.AEAD,)),
    (r"_CBC", (Trait.CBC,)),
)
_HASH = re.compile(r"_(SHA\d*|MD5|SM3|GOSTR3411|GOST94|IMIT|OMAC|NULL)$")
_TLS13_CODES = frozenset({0x00C6, 0x00C7, 0xC0B4, 0xC0B5, *range(0x1301, 0x1308), *range(0xC103, 0xC107)})


def _split(code: int, name: str) -> tuple[str, str]:
    """Key exchange and cipher of a name, as they are spelled in it."""
    body = name.removeprefix("TLS_")
    key_exchange, separator, cipher = body.partition("_WITH_")
    if code in _TLS13_CODES:
        return "TLS13", cipher or body
    if separator:
        return key_exchange, cipher
    if found := re.fullmatch(r"(\w+_SM)(4_\w+)", body):
        return found[1], "SM" + found[2]
    return "", body


@cache
def _cipher_parts(cipher: str) -> tuple[str, int, str, frozenset[Trait]]:
    """Cipher, strength, MAC and traits of the part behind "_WITH_"; some 70 of them serve all suites."""
    bits, trait = next(((bits, trait) for pattern, bits, trait in _CIPHERS if re.search(pattern, cipher)), (0, None))
    found = {trait} if trait else set()
    found.update(next((more for pattern, more in _MODES if re.search(pattern, cipher)), ()))
    hashed = _HASH.search(cipher)
    mac = "AEAD" if Trait.AEAD in found else hashed[1] if hashed else ""
    if mac == "MD5":
        found.add(Trait.MD5)
    if Trait.CBC in found and mac in {"SHA", "SHA1", "MD5"}:
        found.add(Trait.CBC_SHA1)
    return (cipher[: hashed.start()] if hashed else cipher), bits, mac, frozenset(found)


def suite_parts(code: int, name: str) -> SuiteParts:
    """Take the name of a cipher suite apart; unknown words leave their part empty."""
    if name.endswith("_SCSV"):
        return SuiteParts("", "", "", 0, "", frozenset({Trait.SIGNALLING}))
    written, text = _split(code, name)
    export = re.search(r"_EXPORT(1024)?$", written)
    exchange, authentication, traits = _KEY_EXCHANGES.get(
        written[: export.start()] if export else written, ("", "", ())
    )
    cipher, bits, mac, found = _cipher_parts(text)
    more = (*traits, Trait.EXPORT) if export else traits
    return SuiteParts(exchange, authentication, cipher, bits, mac, found.union(more))

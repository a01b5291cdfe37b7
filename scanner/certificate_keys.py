"""A SubjectPublicKeyInfo becomes facts (RFC 5280 section 4.1.2.7), measured as OpenSSL measures keys.

Nobody checks here whether the key is any good: a modulus is counted, not factored, a point not looked for on its
curve. The verification of a chain does that.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence

from scanner import der as asn1
from scanner.der import DerError, Element
from scanner.tls_facts import PublicKeyFacts

_RSA = frozenset({"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"})
"""rsaEncryption, and the key that is bound to RSASSA-PSS (RFC 4055)."""
_EC = "1.2.840.10045.2.1"
_DSA = "1.2.840.10040.4.1"

_FIXED = {
    "1.3.101.112": ("Ed25519", 256, 128),
    "1.3.101.113": ("Ed448", 456, 224),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", 10496, 128),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", 15616, 192),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", 20736, 256),
}
"""Keys whose size is part of their name: bits and security bits."""

_CURVES = {
    "1.2.840.10045.3.1.1": ("secp192r1", 192),
    "1.3.132.0.33": ("secp224r1", 224),
    "1.2.840.10045.3.1.7": ("secp256r1", 256),
    "1.3.132.0.34": ("secp384r1", 384),
    "1.3.132.0.35": ("secp521r1", 521),
    "1.3.132.0.10": ("secp256k1", 256),
    "1.3.36.3.3.2.8.1.1.3": ("brainpoolP192r1", 192),
    "1.3.36.3.3.2.8.1.1.5": ("brainpoolP224r1", 224),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256),
    "1.3.36.3.3.2.8.1.1.9": ("brainpoolP320r1", 320),
    "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512),
}
"""Curves by name, with the bits of their order."""

_RSA_RISES = (
    *(16, 41, 81, 138, 213, 308, 425, 566, 729, 920, 1137, 1383, 1657, 1963, 2301, 2671, 3076),
    *(3514, 3991, 4502, 5054, 5642, 6274, 6947, 7681, 8418, 9216, 10064, 10953, 11893, 12877, 13914, 15361, 16132),
)
"""Modulus sizes from which OpenSSL counts 8 security bits more.

It computes the work of the number field sieve (SP 800-56B rev. 2 appendix D) in fixed point, rounded to 8; the steps
were measured, because a formula in floating point is off by a few bits of modulus at most of them. Above 16384 bits
OpenSSL uses no key.
"""
_EC_STEPS = (512, 256), (384, 192), (256, 128), (224, 112), (160, 80)
_DSA_STEPS = (15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80)


def public_key(element: Element) -> PublicKeyFacts:
    """The facts of a key; DerError where the structure of its algorithm cannot be read.

    A key of an algorithm unknown here has its identifier for a name, the size of its encoding and no security bits.
    """
    algorithm, key, *_ = asn1.fields(element, least=2)
    oid, parameters = asn1.algorithm(algorithm)
    _, encoded = asn1.bit_string(asn1.expect(key, asn1.BIT_STRING))
    name, bits, strength, curve = _measure(oid, parameters, encoded)
    return PublicKeyFacts(name, bits, strength, curve, hashlib.sha256(element.der).hexdigest())


def _measure(oid: str, parameters: Sequence[Element], encoded: bytes) -> tuple[str, int, int, str | None]:
    """Algorithm, bits, security bits, curve."""
    if oid in _RSA:
        bits = _first_integer(asn1.one(encoded, asn1.SEQUENCE)).bit_length()
        return "RSA", bits, rsa_security_bits(bits), None
    if oid == _EC:
        curve, bits = _curve(parameters, encoded)
        return "EC", bits, ec_security_bits(bits), curve
    if oid == _DSA:
        p, q = _dsa_primes(parameters)
        return "DSA", p, dsa_security_bits(p, q), None
    name, bits, strength = _FIXED.get(oid, (oid, 8 * len(encoded), 0))
    return name, bits, strength, None


def _first_integer(data: bytes) -> int:
    return int.from_bytes(asn1.one(data, asn1.INTEGER))


def _curve(parameters: Sequence[Element], encoded: bytes) -> tuple[str, int]:
    """The curve's name and the bits of its order; of a curve not named here, the bits of a coordinate."""
    compressed = encoded[:1] in (b"\x02", b"\x03")
    coordinate = 8 * max(len(encoded) - 1, 0) // (1 if compressed else 2)
    if not parameters or parameters[0].tag != asn1.OBJECT_IDENTIFIER:
        return "explicit", coordinate
    oid = asn1.identifier(parameters[0].content)
    return _CURVES.get(oid, (oid, coordinate))


def _dsa_primes(parameters: Sequence[Element]) -> tuple[int, int]:
    """The bits of p and q (RFC 3279 section 2.3.2)."""
    if not parameters:
        raise DerError("DSA parameters are missing")
    p, q, *_ = (int.from_bytes(number.content) for number in asn1.fields(parameters[0], least=2))
    return p.bit_length(), q.bit_length()


def rsa_security_bits(bits: int) -> int:
    """The strength of a modulus: 80 at 1024 bits, 112 at 2048, 128 at 3072, 152 at 4096."""
    return 8 * bisect_right(_RSA_RISES, bits)


def ec_security_bits(bits: int) -> int:
    """Half the bits of the order, in the steps of SP 800-57 part 1."""
    return next((strength for size, strength in _EC_STEPS if bits >= size), bits // 2)


def dsa_security_bits(p_bits: int, q_bits: int) -> int:
    """The lesser of what the two primes give (SP 800-57 part 1); 0 below 1024 or 160 bits."""
    by_field = next((strength for size, strength in _DSA_STEPS if p_bits >= size), 0)
    by_order = q_bits // 2 if q_bits >= 160 else 0
    return min(by_field, by_order)

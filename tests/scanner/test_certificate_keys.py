"""Public keys as facts; their strength is compared with what libcrypto itself says."""

import ctypes
import ctypes.util
import hashlib
import sys
from collections.abc import Callable

import pytest

from scanner.certificate_keys import dsa_security_bits, ec_security_bits, public_key, rsa_security_bits
from scanner.der import DerError, elements
from scanner.tls_facts import PublicKeyFacts
from tests.certificate_factory import bits, der, ec_key, ed25519_key, identifier, integer, rsa_key, sequence

_RSA = sequence(identifier("1.2.840.113549.1.1.1"), der(0x05))


def facts_of(spki: bytes) -> PublicKeyFacts:
    (element,) = elements(spki)
    return public_key(element)


def rsa_spki(modulus: int) -> bytes:
    return sequence(_RSA, bits(sequence(integer(modulus), integer(65537))))


def ec_spki(parameters: bytes, point: bytes) -> bytes:
    return sequence(sequence(identifier("1.2.840.10045.2.1"), parameters), bits(point))


@pytest.mark.parametrize(
    ("spki", "expected"),
    [
        (rsa_key(512).spki, ("RSA", 512, 56, None)),
        (rsa_key(1024).spki, ("RSA", 1024, 80, None)),
        (rsa_key(2048).spki, ("RSA", 2048, 112, None)),
        (ec_key("SECP256R1").spki, ("EC", 256, 128, "secp256r1")),
        (ec_key("SECP384R1").spki, ("EC", 384, 192, "secp384r1")),
        (ec_key("SECP521R1").spki, ("EC", 521, 256, "secp521r1")),
        (ed25519_key().spki, ("Ed25519", 256, 128, None)),
    ],
    ids=["rsa-512", "rsa-1024", "rsa-2048", "p-256", "p-384", "p-521", "ed25519"],
)
def test_keys_in_use(spki: bytes, expected: tuple[str, int, int, str | None]) -> None:
    found = facts_of(spki)
    assert (found.algorithm, found.bits, found.security_bits, found.curve) == expected
    assert found.spki_sha256 == hashlib.sha256(spki).hexdigest()


def test_keys_that_are_rare() -> None:
    pss = sequence(sequence(identifier("1.2.840.113549.1.1.10")), bits(sequence(integer(1 << 2047), integer(3))))
    assert facts_of(pss).algorithm == "RSA"
    unknown_curve = ec_spki(identifier("1.3.132.0.1"), b"\4" + bytes(42))
    assert facts_of(unknown_curve) == PublicKeyFacts("EC", 168, 80, "1.3.132.0.1", facts_of(unknown_curve).spki_sha256)
    assert facts_of(ec_spki(identifier("1.3.132.0.1"), b"\2" + bytes(21))).bits == 168
    assert facts_of(ec_spki(sequence(integer(1)), b"\4" + bytes(64))).curve == "explicit"
    parameters = sequence(integer(1 << 2047), integer(1 << 255), integer(2))
    dsa = sequence(sequence(identifier("1.2.840.10040.4.1"), parameters), bits(integer(5)))
    found = facts_of(dsa)
    assert (found.algorithm, found.bits, found.security_bits) == ("DSA", 2048, 112)
    ml_dsa = sequence(sequence(identifier("2.16.840.1.101.3.4.3.18")), bits(bytes(1952)))
    found = facts_of(ml_dsa)
    assert (found.algorithm, found.bits, found.security_bits) == ("ML-DSA-65", 1952 * 8, 192)
    gost = sequence(sequence(identifier("1.2.643.7.1.1.1.1")), bits(bytes(66)))
    found = facts_of(gost)
    assert (found.algorithm, found.bits, found.security_bits) == ("1.2.643.7.1.1.1.1", 528, 0)


@pytest.mark.parametrize(
    "spki",
    [
        sequence(),
        sequence(_RSA),
        sequence(_RSA, bits(b"")),
        sequence(_RSA, der(0x04, b"x")),
        sequence(_RSA, bits(der(0x04, b"x"))),
        sequence(sequence(), bits(b"x")),
        sequence(sequence(identifier("1.2.840.10040.4.1")), bits(integer(5))),
        sequence(sequence(identifier("1.2.840.10040.4.1"), sequence(integer(1))), bits(integer(5))),
        ec_spki(der(0x06, b"\x81"), b"\4"),
    ],
)
def test_structures_that_cannot_be_read(spki: bytes) -> None:
    with pytest.raises(DerError):
        facts_of(spki)


def test_empty_keys_have_no_size() -> None:
    assert facts_of(rsa_spki(0)).bits == 0
    assert facts_of(ec_spki(identifier("1.3.132.0.1"), b"")).bits == 0


def test_strength_without_a_library() -> None:
    assert [rsa_security_bits(size) for size in (1024, 2048, 3072, 4096, 8192)] == [80, 112, 128, 152, 200]
    assert [ec_security_bits(size) for size in (521, 256, 255, 160, 112)] == [256, 128, 112, 80, 56]
    assert [dsa_security_bits(*size) for size in ((1024, 160), (2048, 224), (3072, 256), (512, 160), (2048, 159))] == [
        *(80, 112, 128, 0, 0),
    ]


@pytest.fixture(scope="module")
def libcrypto_rsa_bits() -> Callable[[int], int]:
    """RSA_security_bits of the system's libcrypto for a modulus of so many bits."""
    library = ctypes.util.find_library("crypto") if sys.platform == "linux" else None
    if library is None:
        pytest.skip("no libcrypto of the system to compare with")
    crypto = ctypes.CDLL(library)
    crypto.BN_bin2bn.restype = crypto.RSA_new.restype = ctypes.c_void_p
    crypto.BN_bin2bn.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    crypto.RSA_set0_key.argtypes = [ctypes.c_void_p] * 4
    crypto.RSA_security_bits.argtypes = crypto.RSA_free.argtypes = [ctypes.c_void_p]

    def strength(size: int) -> int:
        modulus = (1 << (size - 1) | 1).to_bytes((size + 7) // 8)
        key = crypto.RSA_new()
        n, e = (crypto.BN_bin2bn(number, len(number), None) for number in (modulus, b"\1\0\1"))
        assert crypto.RSA_set0_key(key, n, e, None)
        found = crypto.RSA_security_bits(key)
        crypto.RSA_free(key)
        return int(found)

    return strength


def test_rsa_strength_is_that_of_openssl_at_every_size(libcrypto_rsa_bits: Callable[[int], int]) -> None:
    sizes = range(1, 16385)
    assert [size for size in sizes if rsa_security_bits(size) != libcrypto_rsa_bits(size)] == []

"""Well-known primes, against OpenSSL's own parameters and primes that nobody shares."""

import base64
import hashlib
import subprocess

import pytest

from scanner.wire.dh_primes import prime_bits, prime_digest, prime_name


def openssl_prime(*options: str) -> bytes:
    """The prime of one of OpenSSL's named groups."""
    shown = subprocess.run(
        ["openssl", "genpkey", "-genparam", *options, "-text"], capture_output=True, text=True, check=True
    ).stdout
    der = base64.b64decode("".join(shown.split("-----")[2].split()))
    header = 4 if der[1] == 0x82 else 3
    size_bytes = der[header + 1] & 0x7F if der[header + 1] & 0x80 else 0
    start = header + 2 + size_bytes
    size = int.from_bytes(der[header + 2 : start], "big") if size_bytes else der[header + 1]
    return der[start : start + size]


@pytest.mark.parametrize(
    ("group", "name", "bits"),
    [
        *[(f"ffdhe{bits}", f"ffdhe{bits}", bits) for bits in (2048, 3072, 4096, 6144, 8192)],
        *[(f"modp_{bits}", f"modp{bits}", bits) for bits in (1536, 2048, 3072, 4096, 6144, 8192)],
    ],
)
def test_names_the_groups_of_rfc_3526_and_7919(group, name, bits):
    prime = openssl_prime("-algorithm", "DH", "-pkeyopt", f"group:{group}")
    assert prime_name(prime) == name
    assert prime_bits(prime) == bits


@pytest.mark.parametrize(("number", "name"), [(1, "dh_1024_160"), (2, "dh_2048_224"), (3, "dh_2048_256")])
def test_names_the_groups_of_rfc_5114(number, name):
    assert prime_name(openssl_prime("-algorithm", "DHX", "-pkeyopt", f"dh_rfc5114:{number}")) == name


def test_leading_zeros_do_not_matter():
    prime = openssl_prime("-algorithm", "DH", "-pkeyopt", "group:ffdhe2048").lstrip(b"\0")
    assert prime_digest(b"\0\0" + prime) == prime_digest(prime) == hashlib.sha256(prime).hexdigest()
    assert prime_bits(b"\0\0" + prime) == 2048


def test_an_own_prime_has_no_name():
    assert prime_name(b"\xff" * 128 + b"\x01") == ""

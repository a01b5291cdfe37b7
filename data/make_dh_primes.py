#!/usr/bin/env python3
"""Write scanner/wire/dh_primes.csv: the well-known Diffie-Hellman primes, by the SHA-256 of the prime.

    python data/make_dh_primes.py [--postfix libpostfix-tls.so] [--exim exim4]

No constant is copied: the primes of RFC 2409, 3526 and 7919 are computed from their definition with the digits of pi
and e; those of RFC 5114, which has no formula, are asked of OpenSSL; those that Postfix and Exim carry inside their
programs are read out of the programs given (their rows are kept as they are when none is given). Every prime is
tested for primality, and (p - 1) / 2 as well where the document promises a safe prime.
"""

import argparse
import base64
import csv
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "scanner" / "wire" / "dh_primes.csv"
COLUMNS = ("sha256", "bits", "name", "reference", "derived")
Row = tuple[str, int, str, str, str]

PI_GROUPS = (
    (768, 149686, "modp768", "RFC 2409 section 6.1"),
    (1024, 129093, "modp1024", "RFC 2409 section 6.2"),
    (1536, 741804, "modp1536", "RFC 3526 section 2"),
    (2048, 124476, "modp2048", "RFC 3526 section 3"),
    (3072, 1690314, "modp3072", "RFC 3526 section 4"),
    (4096, 240904, "modp4096", "RFC 3526 section 5"),
    (6144, 929484, "modp6144", "RFC 3526 section 6"),
    (8192, 4743158, "modp8192", "RFC 3526 section 7"),
)
E_GROUPS = (
    (2048, 560316, "ffdhe2048", "RFC 7919 appendix A.1"),
    (3072, 2625351, "ffdhe3072", "RFC 7919 appendix A.2"),
    (4096, 5736041, "ffdhe4096", "RFC 7919 appendix A.3"),
    (6144, 15705020, "ffdhe6144", "RFC 7919 appendix A.4"),
    (8192, 10965728, "ffdhe8192", "RFC 7919 appendix A.5"),
)
RFC5114 = (
    (1, "dh_1024_160", "RFC 5114 section 2.1"),
    (2, "dh_2048_224", "RFC 5114 section 2.2"),
    (3, "dh_2048_256", "RFC 5114 section 2.3"),
)


def pi_floor(bits: int) -> int:
    """The integer part of 2**bits * pi, by Machin's formula with guard digits."""
    one = 1 << (bits + 64)

    def arctan_inverse(x: int) -> int:
        power = total = one // x
        n, sign = 3, -1
        while power:
            power //= x * x
            total += sign * (power // n)
            n, sign = n + 2, -sign
        return total

    return 4 * (4 * arctan_inverse(5) - arctan_inverse(239)) >> 64


def e_floor(bits: int) -> int:
    """The integer part of 2**bits * e, by its series with guard digits."""
    term = total = 1 << (bits + 64)
    n = 1
    while term:
        term //= n
        total += term
        n += 1
    return total >> 64


def formula_prime(bits: int, added: int, constant: Callable[[int], int]) -> int:
    """2^b - 2^(b-64) - 1 + 2^64 * (floor(2^(b-130) * constant) + added), as all three documents define it."""
    return (1 << bits) - (1 << (bits - 64)) - 1 + ((constant(bits - 130) + added) << 64)


def is_prime(number: int) -> bool:
    """Miller and Rabin's test to bases 2 and 3: enough against a slip of the pen, and 8192 bits take seconds."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        if all((power := power * power % number) != number - 1 for _ in range(twos - 1)):
            return False
    return True


def row(prime: int, name: str, reference: str, derived: str, safe: bool = True) -> Row:
    if not is_prime(prime) or (safe and not is_prime((prime - 1) // 2)):
        sys.exit(f"{name}: not the prime it should be")
    digest = hashlib.sha256(prime.to_bytes((prime.bit_length() + 7) // 8, "big")).hexdigest()
    return digest, prime.bit_length(), name, reference, derived


def first_integer(der: bytes) -> int:
    """The first INTEGER of a SEQUENCE: the prime of PKCS #3 and X9.42 parameters."""

    def length_at(offset: int) -> tuple[int, int]:
        size = der[offset]
        if size < 0x80:
            return size, offset + 1
        following = size & 0x7F
        return int.from_bytes(der[offset + 1 : offset + 1 + following], "big"), offset + 1 + following

    _, offset = length_at(1)
    if der[0] != 0x30 or der[offset] != 0x02:
        raise ValueError("no DH parameters")
    size, start = length_at(offset + 1)
    return int.from_bytes(der[start : start + size], "big")


def openssl_primes() -> Iterator[Row]:
    for number, name, reference in RFC5114:
        command = ["openssl", "genpkey", "-genparam", "-algorithm", "DHX", "-pkeyopt", f"dh_rfc5114:{number}"]
        pem = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        der = base64.b64decode("".join(pem.split("-----")[2].split()))
        yield row(first_integer(der), name, reference, "openssl", safe=False)


def program_primes(path: Path, name: str) -> Iterator[Row]:
    """DH parameters inside a program: PEM texts, and DER of 2048 bits with generator 2."""
    content = path.read_bytes()
    pems = re.findall(rb"-----BEGIN DH PARAMETERS-----(.*?)-----END", content, re.DOTALL)
    ders = re.findall(rb"\x30\x82\x01[\x08\x0c]\x02\x82\x01\x01\x00.{256}\x02\x01\x02", content, re.DOTALL)
    for der in [*(base64.b64decode(pem) for pem in pems), *ders]:
        yield row(first_integer(der), name, name, f"read from {path.name}", safe=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--postfix", type=Path, help="libpostfix-tls.so of Postfix 3.7")
    parser.add_argument("--exim", type=Path, help="the exim4 program")
    options = parser.parse_args()
    rows = [row(formula_prime(bits, x, pi_floor), name, ref, "computed") for bits, x, name, ref in PI_GROUPS]
    rows += [row(formula_prime(bits, x, e_floor), name, ref, "computed") for bits, x, name, ref in E_GROUPS]
    rows += openssl_primes()
    if TABLE.exists() and not (options.postfix and options.exim):
        with TABLE.open(encoding="ascii", newline="") as file:
            kept = [line for line in csv.reader(file) if line[-1].startswith("read from ")]
        rows += [(digest, int(bits), name, ref, derived) for digest, bits, name, ref, derived in kept]
    if options.postfix:
        rows += program_primes(options.postfix, "Postfix built-in")
    if options.exim:
        rows += program_primes(options.exim, "Exim built-in")
    unique: dict[str, Row] = {}
    for entry in rows:
        unique.setdefault(entry[0], entry)
    with TABLE.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(unique.values())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Diffie-Hellman primes that many servers share, known by the SHA-256 of the prime (data/make_dh_primes.py).

A shared prime is no weakness by itself at 2048 bits and more (RFC 7919 wants it so); at 1024 bits it is the one that
a precomputation pays for, and a standard may ask for just these groups.
"""

import csv
import hashlib
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("dh_primes.csv")


@cache
def _names() -> dict[str, str]:
    with _TABLE.open(encoding="ascii", newline="") as file:
        return {row["sha256"]: row["name"] for row in csv.DictReader(file)}


def prime_digest(prime: bytes) -> str:
    """The SHA-256 of a prime as an unsigned big-endian number without leading zeros."""
    return hashlib.sha256(prime.lstrip(b"\0")).hexdigest()


def prime_name(prime: bytes) -> str:
    """The name of a well-known prime ("ffdhe2048", "modp1024", "Postfix built-in"); "" for any other."""
    return _names().get(prime_digest(prime), "")


def prime_bits(prime: bytes) -> int:
    return int.from_bytes(prime, "big").bit_length()

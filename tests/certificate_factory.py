"""Certificates of every kind for tests, right and wrong ones (RFC 5280), written octet by octet.

`root`, `intermediate`, `leaf` and `self_signed` return an `Issued`; keyword arguments change its `Recipe`:

    ca = root()
    good = leaf(intermediate(ca), "mx.example.org", ip("192.0.2.1"))
    old = leaf(ca, "mx.example.org", not_after=SEEN - timedelta(days=1), hash="sha1")

Keys and signatures that libraries still make come from `cryptography`. The structure does not, nor do RSA signatures:
no library writes MD5 signatures, 512-bit keys, two extensions of one kind or a NUL in a name any more, yet servers show
such certificates.
"""

import base64
import hashlib
import random
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from scanner.certificates import certificate_from_der
from scanner.tls_facts import CertificateFacts

SEEN = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
"""A moment at which every certificate is valid that was made without dates of its own."""

# --- DER, written (X.690) ------------------------------------------------------------------------------------------


def der(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + content


def sequence(*contents: bytes) -> bytes:
    return der(0x30, *contents)


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def identifier(dotted: str) -> bytes:
    first, second, *arcs = map(int, dotted.split("."))
    return der(0x06, *(_arc(arc) for arc in (40 * first + second, *arcs)))


def _arc(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(0x80 | value & 0x7F)
    return bytes(reversed(octets))


def bits(content: bytes, unused: int = 0) -> bytes:
    return der(0x03, bytes([unused]), content)


def moment(when: datetime) -> bytes:
    """RFC 5280 section 4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050."""
    if 1950 <= when.year < 2050:
        return der(0x17, when.strftime("%y%m%d%H%M%SZ").encode())
    return der(0x18, f"{when.year:04}".encode(), when.strftime("%m%d%H%M%SZ").encode())


def name(*common_names: str | bytes) -> bytes:
    """A Name of CNs; bytes are taken as the encoded value."""
    values = (value if isinstance(value, bytes) else der(0x0C, value.encode()) for value in common_names)
    return sequence(*(der(0x31, sequence(identifier("2.5.4.3"), value)) for value in values))


# --- GeneralNames for the SAN --------------------------------------------------------------------------------------


def dns(host: str | bytes) -> bytes:
    return der(0x82, host if isinstance(host, bytes) else host.encode("latin-1"))


def ip(address: str) -> bytes:
    return der(0x87, ip_address(address).packed)


def mail(address: str) -> bytes:
    return der(0x81, address.encode("latin-1"))


# --- extensions ----------------------------------------------------------------------------------------------------

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


def extension(oid: str, value: bytes, critical: bool = False) -> bytes:
    return sequence(identifier(oid), der(0x01, b"\xff") if critical else b"", der(0x04, value))


def alternative_names(*general_names: bytes) -> bytes:
    return extension("2.5.29.17", sequence(*general_names))


def basic_constraints(ca: bool, path_length: int | None = None) -> bytes:
    length = b"" if path_length is None else integer(path_length)
    return extension("2.5.29.19", sequence(der(0x01, b"\xff") if ca else b"", length), critical=True)


def key_usage(*flags: int) -> bytes:
    """Numbers of the bits: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign."""
    value = sum(0x8000 >> flag for flag in flags)
    return extension("2.5.29.15", bits(value.to_bytes(2)), critical=True)


def extended_key_usage(*oids: str) -> bytes:
    return extension("2.5.29.37", sequence(*map(identifier, oids)))


def name_constraints(permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = ()) -> bytes:
    trees = [der(tag, *map(sequence, names)) for tag, names in ((0xA0, permitted), (0xA1, excluded)) if names]
    return extension("2.5.29.30", sequence(*trees), critical=True)


# --- keys ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A key pair: its SubjectPublicKeyInfo, its private half as PEM, and what signs bytes with a hash's name."""

    spki: bytes
    pem: bytes
    sign: Callable[[bytes, str], tuple[bytes, bytes]] = field(repr=False)
    """Gives the AlgorithmIdentifier and the signature."""


_NULL = der(0x05)
_RSA_SIGNATURES = {"md5": 4, "sha1": 5, "sha256": 11, "sha384": 12, "sha512": 13}
_ECDSA_SIGNATURES = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3"}
_DIGESTS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


@lru_cache
def ec_key(curve: str = "SECP256R1", label: str = "") -> Key:
    """One key per curve and label."""
    private = ec.generate_private_key(getattr(ec, curve)())

    def sign(data: bytes, digest: str) -> tuple[bytes, bytes]:
        signature = private.sign(data, ec.ECDSA(getattr(hashes, digest.upper())()))
        return sequence(identifier(_ECDSA_SIGNATURES[digest])), signature

    return Key(_spki(private), _private_pem(private), sign)


@lru_cache
def ed25519_key(label: str = "") -> Key:
    private = ed25519.Ed25519PrivateKey.generate()

    def sign(data: bytes, digest: str) -> tuple[bytes, bytes]:
        return sequence(identifier("1.3.101.112")), private.sign(data)

    return Key(_spki(private), _private_pem(private), sign)


@lru_cache
def rsa_key(size: int = 2048, label: str = "") -> Key:
    """One key per size and label; below 2048 bits from primes of our own, as libraries refuse to."""
    p, q = _library_primes(size) if size >= 2048 else _own_primes(size, random.Random(f"{size}{label}"))
    n, e = p * q, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = (0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))

    def sign(data: bytes, digest: str) -> tuple[bytes, bytes]:
        algorithm = sequence(identifier(f"1.2.840.113549.1.1.{_RSA_SIGNATURES[digest]}"), _NULL)
        return algorithm, _rsa_signature(data, digest, (n, p, q, *numbers[6:]))

    public = bits(sequence(integer(n), integer(e)))
    spki = sequence(sequence(identifier("1.2.840.113549.1.1.1"), _NULL), public)
    return Key(spki, pem(sequence(*map(integer, numbers)), "RSA PRIVATE KEY"), sign)


def _rsa_signature(data: bytes, digest: str, numbers: tuple[int, ...]) -> bytes:
    """RFC 8017 section 8.2.1 by the Chinese remainder theorem."""
    n, p, q, d_p, d_q, q_inverse = numbers
    size = (n.bit_length() + 7) // 8
    info = sequence(sequence(identifier(_DIGESTS[digest]), _NULL), der(0x04, hashlib.new(digest, data).digest()))
    message = int.from_bytes(b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info)
    low = pow(message, d_q, q)
    return (low + q * ((pow(message, d_p, p) - low) * q_inverse % p)).to_bytes(size)


def _library_primes(size: int) -> tuple[int, int]:
    numbers = rsa.generate_private_key(65537, size).private_numbers()
    return numbers.p, numbers.q


def _own_primes(size: int, chance: random.Random) -> tuple[int, int]:
    """Two different primes whose product has exactly `size` bits."""
    found: set[int] = set()
    while len(found) < 2:
        candidate = chance.getrandbits(size // 2) | 3 << size // 2 - 2 | 1
        if candidate % 65537 != 1 and all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5, 7, 11)):
            found.add(candidate)
    p, q = sorted(found)
    return q, p


def _spki(private: Any) -> bytes:
    public = private.public_key()
    spki: bytes = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return spki


def _private_pem(private: Any) -> bytes:
    pkcs8 = serialization.PrivateFormat.PKCS8
    text: bytes = private.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption())
    return text


def pem(data: bytes, label: str = "CERTIFICATE") -> bytes:
    """RFC 7468."""
    lines = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()


# --- certificates --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What goes into a certificate. `extensions` come encoded; `raw_*` replace what would be written there."""

    common_names: tuple[str | bytes, ...] = ()
    key: Key = field(default_factory=ec_key)
    hash: str = "sha256"
    serial: int = 0x0DDBA11
    not_before: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    not_after: datetime = datetime(2040, 1, 1, tzinfo=UTC)
    extensions: tuple[bytes, ...] = ()
    raw_subject: bytes | None = None
    raw_validity: bytes | None = None


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and its name for those whom it issues."""

    der: bytes
    key: Key
    subject: bytes

    @property
    def pem(self) -> bytes:
        return pem(self.der)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    @property
    def facts(self) -> CertificateFacts:
        return certificate_from_der(self.der)


def issue(recipe: Recipe, issuer: Issued | None = None) -> Issued:
    """The certificate of a recipe, signed by its issuer, or by itself."""
    subject = name(*recipe.common_names) if recipe.raw_subject is None else recipe.raw_subject
    signer = recipe.key if issuer is None else issuer.key
    algorithm, _ = signer.sign(b"", recipe.hash)
    to_be_signed = sequence(
        der(0xA0, integer(2)),
        integer(recipe.serial),
        algorithm,
        subject if issuer is None else issuer.subject,
        recipe.raw_validity or sequence(moment(recipe.not_before), moment(recipe.not_after)),
        subject,
        recipe.key.spki,
        der(0xA3, sequence(*recipe.extensions)) if recipe.extensions else b"",
    )
    _, signature = signer.sign(to_be_signed, recipe.hash)
    return Issued(sequence(to_be_signed, algorithm, bits(signature)), recipe.key, subject)


def root(common_name: str = "Example Root CA", **changes: Any) -> Issued:
    """A trust anchor, valid for long."""
    return authority(None, common_name, **changes)


def intermediate(issuer: Issued, common_name: str = "Example Intermediate CA", **changes: Any) -> Issued:
    return authority(issuer, common_name, **changes)


def authority(issuer: Issued | None, common_name: str, **changes: Any) -> Issued:
    """A CA: cA and keyCertSign; each name has its own key. `path_length` and `more` extensions may be given."""
    constraints = basic_constraints(True, changes.pop("path_length", None))
    defaults: dict[str, Any] = {
        "common_names": (common_name,),
        "key": ec_key(label=common_name),
        "not_before": datetime(2020, 1, 1, tzinfo=UTC),
        "not_after": datetime(2049, 1, 1, tzinfo=UTC),
        "extensions": (constraints, key_usage(5, 6), *changes.pop("more", ())),
    }
    return issue(Recipe(**(defaults | changes)), issuer)


def leaf(issuer: Issued | None, *names: str | bytes, **changes: Any) -> Issued:
    """A server's certificate; each name is a dNSName, or a GeneralName encoded. Without names it has no SAN."""
    general = [value if isinstance(value, bytes) else dns(value) for value in names]
    first = next((value for value in names if isinstance(value, str)), "server")
    defaults: dict[str, Any] = {
        "common_names": (first,),
        "key": ec_key(label="leaf"),
        "extensions": (
            *([alternative_names(*general)] if general else []),
            extended_key_usage(SERVER_AUTH),
            *changes.pop("more", ()),
        ),
    }
    return issue(Recipe(**(defaults | changes)), issuer)


def self_signed(*names: str | bytes, **changes: Any) -> Issued:
    return leaf(None, *names, **changes)

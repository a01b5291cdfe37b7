"""Certificates of the demo: real ones, the same bytes each time. Keys follow from labels, signatures from RFC 6979."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from scanner.certificates import certificate_from_der
from scanner.tls_facts import CertificateFacts

DAY = timedelta(days=1)
LONG_AGO, FAR_AWAY = datetime(2021, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
_CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}

Chain = tuple[CertificateFacts, ...]


@cache
def key(label: str, curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    """The key of a label. Nobody may use it for anything else: everybody can compute it."""
    number = int.from_bytes(hashlib.sha512(f"demo key {label}".encode()).digest()[:31])
    return ec.derive_private_key(number, _CURVES[curve])


class Authority:
    """A root and the intermediate that issues for it."""

    def __init__(self, organisation: str, intermediate: str) -> None:
        self._known: dict[tuple[tuple[str, ...], datetime, int, str], Chain] = {}
        self._root_name = _name(f"{organisation} Root", organisation)
        self._name = _name(intermediate, organisation)
        self._key = key(f"{organisation} {intermediate}")
        root_key = key(organisation, "P-384")
        self.root = _signed(_authority(self._root_name, self._root_name, root_key), root_key)
        self.intermediate = certificate_from_der(_signed(_authority(self._name, self._root_name, self._key), root_key))

    def chain(self, names: Sequence[str], begin: datetime, days: int, curve: str = "P-256") -> Chain:
        """A server's chain, leaf first. Keys are few: one for each first letter."""
        wanted = tuple(names), begin, days, curve
        if wanted not in self._known:
            own = key(f"server {names[0][0]}", curve)
            leaf = _leaf(names, self._name, (begin, begin + days * DAY), own)
            self._known[wanted] = certificate_from_der(_signed(leaf, self._key)), self.intermediate
        return self._known[wanted]


@cache
def self_signed(names: tuple[str, ...], begin: datetime, days: int) -> Chain:
    """A chain of one certificate that nobody trusts."""
    own = key("self-signed")
    subject = _name(names[0], "")
    return (certificate_from_der(_signed(_leaf(names, subject, (begin, begin + days * DAY), own), own)),)


def _name(common_name: str, organisation: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, span: tuple[datetime, datetime], own: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    spki = own.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    words = f"{subject.rfc4514_string()} {issuer.rfc4514_string()} {span[0]} {span[1]}".encode()
    serial = int.from_bytes(hashlib.sha256(words + spki).digest()[:15]) + 1
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(own.public_key())
    return built.serial_number(serial).not_valid_before(span[0]).not_valid_after(span[1])


def _authority(subject: x509.Name, issuer: x509.Name, own: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    built = _builder(subject, issuer, (LONG_AGO, FAR_AWAY), own)
    return built.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)


def _leaf(
    names: Sequence[str], issuer: x509.Name, span: tuple[datetime, datetime], own: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    first = "".join(letter for letter in names[0] if letter.isprintable())
    built = _builder(_name(first, ""), issuer, span, own)
    # Foreign words in a name are no A-labels; servers send them all the same.
    sans = [x509.DNSName._init_without_validation(name) for name in names]
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return built.add_extension(x509.SubjectAlternativeName(sans), False).add_extension(purpose, False)


def _signed(built: x509.CertificateBuilder, signer: ec.EllipticCurvePrivateKey) -> bytes:
    signed = built.sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(serialization.Encoding.DER)

"""The curve in a certificate, against certificates that cryptography makes."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from scanner.wire.leaf_curve import leaf_curve

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.example.org")])


def certificate(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=90))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("curve", "group"),
    [
        (ec.SECP256R1(), 23),
        (ec.SECP384R1(), 24),
        (ec.SECP521R1(), 25),
        (ec.SECP256K1(), 22),
        (ec.BrainpoolP256R1(), 26),
        (ec.BrainpoolP384R1(), 27),
        (ec.BrainpoolP512R1(), 28),
    ],
)
def test_curves(curve, group):
    assert leaf_curve(certificate(ec.generate_private_key(curve))) == group


def test_no_curve():
    assert leaf_curve(certificate(rsa.generate_private_key(65537, 2048))) is None
    assert leaf_curve(b"") is None
    assert leaf_curve(bytes.fromhex("06072a8648ce3d0201") + b"\x06\x03abc") is None

"""Keys and certificates of the lab: one request in, one signed certificate out (RFC 5280).

The lab needs certificates that no good authority would issue, so nothing here checks whether a request makes sense.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct
from OpenSSL import crypto

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Extension = tuple[x509.ExtensionType, bool]


class Signer(Struct, frozen=True):
    """A certificate with its key: what serves, and what signs others."""

    certificate: x509.Certificate
    key: PrivateKey


class Request(Struct, frozen=True, kw_only=True):
    """What a certificate shall say. Days count from now; `common_names` may be none, one or several."""

    common_names: tuple[str, ...] = ()
    key: str = "ec"
    digest: str = "sha256"
    from_days: float = -30
    to_days: float = 365
    extensions: tuple[Extension, ...] = ()


@cache
def private_key(kind: str, number: int = 0) -> PrivateKey:
    """A key of the kind "ec" or "rsa<bits>"; made once a run for each `number`, because RSA keys cost time."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "rsa512":
        return weakest_key()
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))


def weakest_key() -> PrivateKey:
    """RSA with 512 bits, which cryptography does not make."""
    key = crypto.PKey()
    key.generate_key(crypto.TYPE_RSA, 512)
    made = key.to_cryptography_key()
    assert isinstance(made, rsa.RSAPrivateKey)
    return made


def sign(request: Request, issuer: Signer | None, number: int = 0) -> Signer:
    """Issue what was requested; without an issuer it signs itself."""
    key = private_key(request.key, number)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in request.common_names])
    now = datetime.now(UTC).replace(microsecond=0)
    builder = x509.CertificateBuilder(
        issuer_name=issuer.certificate.subject if issuer else subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now + timedelta(days=request.from_days),
        not_valid_after=now + timedelta(days=request.to_days),
    )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    signing_key = issuer.key if issuer else key
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    builder = builder.add_extension(authority, critical=False)
    for extension, critical in request.extensions:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(signing_key, hashes.SHA256())
    return Signer(certificate if request.digest == "sha256" else signed_again(certificate, signing_key, request), key)


def signed_again(certificate: x509.Certificate, key: PrivateKey, request: Request) -> x509.Certificate:
    """With SHA-1 or MD5, which cryptography refuses to sign with (MD5 needs an RSA key)."""
    weak = crypto.X509.from_cryptography(certificate)
    weak.sign(crypto.PKey.from_cryptography_key(key), request.digest)
    return weak.to_cryptography()


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """The key usage of an authority, or of a server."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


AUTHORITY: tuple[Extension, ...] = (
    (x509.BasicConstraints(ca=True, path_length=None), True),
    (key_usage(signs_certificates=True), True),
)
SERVER: tuple[Extension, ...] = (
    (x509.BasicConstraints(ca=False, path_length=None), True),
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
)


def dns_names(*names: str) -> Extension:
    """A subjectAltName of dNSNames."""
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def key_pem(key: PrivateKey) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

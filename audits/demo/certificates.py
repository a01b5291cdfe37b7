"""The lab's own certificate authority and what its servers show: good, expired, incomplete, self-signed (RFC 5280).

Made anew at each start from ECDSA P-256 keys, which cost a fraction of a millisecond; nothing here is ever trusted
outside the lab.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

AUTHORITY_DAYS = (-3650, 3650)


class Validity(Enum):
    """From and until when a leaf is valid, in days from now."""

    NOW = (-7, 83)
    EXPIRED = (-97, -7)
    NOT_YET = (7, 97)


class Signer(Struct, frozen=True):
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Credential(Struct, frozen=True):
    """What a server shows: the leaf with its key, and the certificates it sends behind it."""

    leaf: Signer
    others: tuple[x509.Certificate, ...] = ()

    @property
    def chain_pem(self) -> bytes:
        """The key, the leaf and the rest, in the order in which OpenSSL loads and sends them."""
        return _key_pem(self.leaf.key) + b"".join(map(certificate_pem, (self.leaf.certificate, *self.others)))


class Authority(Struct, frozen=True):
    """A root and the intermediate below it, which signs the leaves."""

    root: Signer
    intermediate: Signer

    @property
    def root_pem(self) -> bytes:
        """What a client must trust."""
        return certificate_pem(self.root.certificate)

    def credential(self, *names: str, validity: Validity = Validity.NOW, complete: bool = True) -> Credential:
        """A server certificate for these dNSNames; `complete` is false where the intermediate is not sent."""
        leaf = _leaf(names, validity, self.intermediate)
        return Credential(leaf, (self.intermediate.certificate,) if complete else ())


def new_authority(name: str = "Demo") -> Authority:
    """A root that nobody knows yet, and its intermediate."""
    root = _signed(f"{name} Root", None, AUTHORITY_DAYS, _authority_extensions(1))
    return Authority(root, _signed(f"{name} Intermediate", root, AUTHORITY_DAYS, _authority_extensions(0)))


def self_signed(*names: str, validity: Validity = Validity.NOW) -> Credential:
    """A server certificate that vouches for itself, as an installer makes it."""
    return Credential(_leaf(names, validity, None))


def certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


_Extension = tuple[x509.ExtensionType, bool]


def _leaf(names: tuple[str, ...], validity: Validity, issuer: Signer | None) -> Signer:
    extensions: list[_Extension] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False),
    ]
    return _signed(names[0], issuer, validity.value, extensions)


def _authority_extensions(path_length: int) -> list[_Extension]:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(signs_certificates=True), True),
    ]


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(common_name: str, issuer: Signer | None, days: tuple[int, int], extensions: list[_Extension]) -> Signer:
    """One certificate with a new key; no issuer: it signs itself. Key identifiers as RFC 5280 section 4.2.1 asks."""
    key = ec.generate_private_key(ec.SECP256R1())
    signing = issuer.key if issuer else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Signer(builder.sign(signing, hashes.SHA256()), key)

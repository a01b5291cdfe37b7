"""What TLS showed: handshakes and certificates, as data without any library's objects."""

from datetime import datetime
from enum import StrEnum

import msgspec


class HelloStyle(StrEnum):
    """Which ClientHello a session opened with."""

    POSTFIX_MUST = "postfix-must"
    """What Postfix offers at MUST: medium ciphers, no anonymous suites, security level 1, no SNI."""
    CLASSIC = "classic"
    """A small hello with one curve, security level 0, legacy versions, anonymous suites, DHE."""
    CLASSIC_LEVEL1 = "classic-level1"
    """The small hello at security level 1: decides MUST where the large one was not understood."""
    RSA_CHAIN = "rsa-chain"
    ECDSA_CHAIN = "ecdsa-chain"
    """TLS 1.2 with suites of one kind of key alone: shows the other chain of a server that has two."""


OTHER_CHAINS = frozenset({HelloStyle.RSA_CHAIN, HelloStyle.ECDSA_CHAIN})
"""Hellos that no sender makes: what fails for them decides no level."""

LEVEL1_VERSIONS = ("TLSv1.2", "TLSv1.3")
"""What OpenSSL 3 can negotiate at security level 1: the signatures of TLS 1.0 and 1.1 rest on SHA-1 and MD5."""


class HandshakeFacts(msgspec.Struct, frozen=True):
    """One completed handshake. Nothing in it was verified; the chain is judged offline.

    `version` as OpenSSL and the JSON contract spell it ("TLSv1.3"); `suite` is the IANA name, `openssl_suite`
    OpenSSL's; `group` the key exchange group where known; `chain` the SHA-256 of each certificate's DER, leaf first,
    exactly as received (RFC 8446 section 4.4.2 allows disorder). `leaf_key` is "EC" or "RSA" where the leaf is such.
    """

    version: str
    suite: str
    openssl_suite: str
    group: str | None = None
    chain: tuple[str, ...] = ()
    client_certificate_requested: bool | None = None
    sni: str | None = None
    leaf_key: str = ""

    @property
    def fits_level1(self) -> bool:
        """Whether OpenSSL's security level 1, at which Postfix runs MUST, can allow such a handshake.

        MUST needs a certificate, too.
        """
        return self.version in LEVEL1_VERSIONS and bool(self.chain)


class PublicKeyFacts(msgspec.Struct, frozen=True):
    """A key: `algorithm` RSA, EC, DSA, Ed25519, Ed448 or the OID; `bits` its size; `curve` for EC.

    `security_bits` is OpenSSL's measure (EVP_PKEY_get_security_bits): 80 for RSA-1024, 112 for RSA-2048.
    """

    algorithm: str
    bits: int
    security_bits: int
    curve: str | None = None
    spki_sha256: str = ""


class CertificateFacts(msgspec.Struct, frozen=True):
    """One X.509 certificate (RFC 5280), addressed by the SHA-256 of its DER.

    `names_dns` are the SAN dNSNames decoded as latin-1, in order, NUL bytes kept; `common_names` all CNs of the
    subject; times are UTC. `problem` tells why a field is missing where the certificate could not be read; the DER
    is kept in any case.
    """

    sha256: str
    der: bytes
    subject: str = ""
    issuer: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    names_dns: tuple[str, ...] = ()
    names_ip: tuple[str, ...] = ()
    common_names: tuple[str, ...] = ()
    has_san: bool = False
    key: PublicKeyFacts | None = None
    signature_algorithm: str = ""
    signature_hash: str = ""
    is_ca: bool | None = None
    path_length: int | None = None
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    self_issued: bool = False
    ocsp_urls: tuple[str, ...] = ()
    must_staple: bool = False
    problem: str = ""

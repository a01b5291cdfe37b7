"""Keys and signatures of the certificates in a chain."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import msgspec

from audits.established.certificates import ServedChains, ServedKeys
from audits.rules.chain_scope import OfChains, issuers, leaves, words
from audits.rules.question import Item, met, rule
from scanner.answers import Fact
from scanner.tls_facts import CertificateFacts


class Keys(OfChains, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Least bits of each kind of key that is allowed ("RSA", "EC", "DSA", "Ed25519"), and the curves, if not any.

    `multiple_of`: the size of an RSA modulus is divisible by it.
    """

    least_bits: dict[str, int]
    curves: tuple[str, ...] = ()
    multiple_of: int = 1

    def fault(self, certificate: CertificateFacts) -> str:
        """What is wrong with its key; "" where nothing is."""
        key = certificate.key
        assert key is not None
        least = self.least_bits.get(key.algorithm)
        if least is None:
            return "of a kind that is not allowed"
        if key.bits < least:
            return f"fewer than {least} bits"
        if self.curves and key.curve is not None and key.curve not in self.curves:
            return "on a curve that is not allowed"
        if key.algorithm == "RSA" and key.bits % self.multiple_of:
            return f"not divisible by {self.multiple_of}"
        return ""


class Signatures(OfChains, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hashes that are allowed ("SHA-256"), algorithms without a hash of their own, and patterns that are forbidden."""

    hashes: tuple[str, ...]
    without_hash: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def allow(self, certificate: CertificateFacts) -> bool:
        algorithm, digest = certificate.signature_algorithm, certificate.signature_hash
        if any(fnmatchcase(algorithm, pattern) for pattern in self.forbidden):
            return False
        return digest in self.hashes if digest else algorithm in self.without_hash


class Kinds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of keys ("RSA", "EC") of which a chain must be served, and others of which none may be."""

    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


@rule("CERT-010", "The key of the certificate is strong enough")
def leaf_key(seen: ServedChains, wants: Keys) -> Iterable[Item]:
    """Whether the server's key is of an allowed kind, size and curve, in every chain that it serves.

    Why it matters: who finds the private key reads along and speaks in the server's name.

    How to mend it: make a new key (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256, or RSA with 3072
    bits), have a certificate issued for it, and publish TLSA records for it first, where there are some.
    """
    yield from _keys(leaves(seen, wants), wants)


@rule("CERT-011", "The keys of the issuers are strong enough")
def issuer_key(seen: ServedChains, wants: Keys) -> Iterable[Item]:
    """Whether the keys of the authorities between the certificate and the root are of allowed kind, size and curve.

    Why it matters: who finds an issuer's key issues certificates for any name.

    How to mend it: have the certificate issued by another intermediate or authority.
    """
    yield from _keys(issuers(seen, wants), wants)


@rule("CERT-012", "The certificate is signed with an allowed algorithm")
def leaf_signature(seen: ServedChains, wants: Signatures) -> Iterable[Item]:
    """Whether the signature over the server's certificate has an allowed hash and algorithm.

    Why it matters: with a broken hash another certificate can be made for the same signature. Postfix with OpenSSL 3
    does not verify signatures with SHA-1 or MD5.

    How to mend it: have the certificate issued anew; authorities sign with SHA-256 or better today.
    """
    yield from _signatures(leaves(seen, wants), wants)


@rule("CERT-013", "The issuers are signed with allowed algorithms")
def issuer_signature(seen: ServedChains, wants: Signatures) -> Iterable[Item]:
    """Whether the certificates between leaf and root are signed with an allowed hash and algorithm.

    Why it matters: a forged intermediate is as good as a forged certificate. The root's own signature proves nothing
    and is left out.

    How to mend it: send the intermediate that the authority recommends today, not one of years ago.
    """
    yield from _signatures(issuers(seen, wants), wants)


@rule("CERT-014", "Certificates of the wanted kinds of keys are served")
def key_kinds(seen: ServedKeys, wants: Kinds) -> Iterable[Item]:
    """Whether the server has a certificate for each kind of key that is wanted, and none of a kind that is not.

    Why it matters: a server with RSA alone turns away nobody, one with ECDSA alone turns away some old senders; DSA
    keys are of 1024 bits nearly always, and no current client takes them.

    How to mend it: smtpd_tls_chain_files = /path/rsa.pem, /path/ecdsa.pem; remove smtpd_tls_dcert_file (DSA).
    """
    for kind in wants.all_of:
        served = seen.kinds.get(kind, Fact.NOT_TESTED)
        yield Item(served, f"{kind}: {served}")
    for kind in wants.none_of:
        served = seen.kinds.get(kind, Fact.NO)
        yield Item({Fact.YES: Fact.NO, Fact.NO: Fact.YES}.get(served, served), f"{kind}: {served}")


def _keys(certificates: Iterable[CertificateFacts], wants: Keys) -> Iterator[Item]:
    for certificate in certificates:
        key = certificate.key
        if key is None:
            yield Item(Fact.INCONCLUSIVE, words(certificate, f"its key cannot be read ({certificate.problem})"))
            continue
        fault = wants.fault(certificate)
        curve = f" {key.curve}" if key.curve else ""
        yield met(not fault, words(certificate, f"{key.algorithm}{curve}, {key.bits} bits{f': {fault}' * bool(fault)}"))


def _signatures(certificates: Iterable[CertificateFacts], wants: Signatures) -> Iterator[Item]:
    for certificate in certificates:
        if not certificate.signature_algorithm:
            yield Item(Fact.INCONCLUSIVE, words(certificate, f"no signature can be read ({certificate.problem})"))
            continue
        digest = f" ({certificate.signature_hash})" if certificate.signature_hash else ""
        yield met(wants.allow(certificate), words(certificate, f"{certificate.signature_algorithm}{digest}"))

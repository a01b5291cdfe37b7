"""The chains of the lab: trust, time, strength and depth. Each function makes one for the host it gets (RFC 5280)."""

from collections.abc import Callable

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from .authority import AUTHORITY, SERVER, Request, Signer, dns_names, key_pem, key_usage, pem, sign


class Chain(Struct, frozen=True):
    """What a server shows: the leaf with its key, and the certificates it sends after it."""

    leaf: Signer
    others: tuple[Signer, ...] = ()

    def pem(self) -> bytes:
        """Key first, then the chain as it is sent: the order that smtpd_tls_chain_files demands."""
        return key_pem(self.leaf.key) + self.certificates()

    def certificates(self) -> bytes:
        return pem(self.leaf.certificate, *(each.certificate for each in self.others))


class Authorities(Struct, frozen=True):
    """The trusted root of the lab and one good intermediate below it."""

    root: Signer
    intermediate: Signer


Maker = Callable[[Authorities, str], Chain]
CHAINS: dict[str, Maker] = {}
BY_ADDRESS = frozenset({"its-address"})
"""Chains whose maker gets the server's address instead of its name."""


def authority(name: str, issuer: Signer | None, number: int = 1, **changes: object) -> Signer:
    """A certificate authority; `number` picks its key."""
    request = {"common_names": (name,), "extensions": AUTHORITY, **changes}
    return sign(Request(**request), issuer, number)  # type: ignore[arg-type]


def make_authorities() -> Authorities:
    root = authority("Lab Root", None, 1)
    return Authorities(root, authority("Lab Intermediate", root, 2))


def leaf(issuer: Signer | None, host: str, **changes: object) -> Signer:
    """A server certificate for `host`, good unless the changes say otherwise."""
    request = {"common_names": (host,), "extensions": (*SERVER, dns_names(host)), **changes}
    return sign(Request(**request), issuer)  # type: ignore[arg-type]


def chain(maker: Maker) -> Maker:
    """Enter a chain under its function's name: `not_yet_valid` becomes the state "not-yet-valid"."""
    CHAINS[maker.__name__.strip("_").replace("_", "-")] = maker
    return maker


def below_intermediate(pki: Authorities, host: str, **changes: object) -> Chain:
    """A leaf below the good intermediate, which is sent with it."""
    return Chain(leaf(pki.intermediate, host, **changes), (pki.intermediate,))


# --- good ones -----------------------------------------------------------------------------------------------------


@chain
def good_rsa(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, key="rsa2048")


@chain
def good_ecdsa(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host)


@chain
def rsa_1024(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, key="rsa1024")


@chain
def rsa_512(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, key="rsa512")


@chain
def rsa_3072(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, key="rsa3072")


@chain
def root_included(pki: Authorities, host: str) -> Chain:
    return Chain(leaf(pki.intermediate, host), (pki.intermediate, pki.root))


@chain
def out_of_order(pki: Authorities, host: str) -> Chain:
    second = authority("Lab Lower", pki.intermediate, 3)
    return Chain(leaf(second, host), (pki.intermediate, pki.root, second))


@chain
def stranger_included(pki: Authorities, host: str) -> Chain:
    """A certificate that has nothing to do with the chain is sent along."""
    return Chain(leaf(pki.intermediate, host), (authority("Lab Stranger", None, 4), pki.intermediate))


@chain
def root_signs_leaf(pki: Authorities, host: str) -> Chain:
    return Chain(leaf(pki.root, host))


# --- time ----------------------------------------------------------------------------------------------------------


@chain
def expired(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, from_days=-90, to_days=-1)


@chain
def not_yet_valid(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, from_days=10)


@chain
def expired_intermediate(pki: Authorities, host: str) -> Chain:
    old = authority("Lab Old", pki.root, 5, from_days=-90, to_days=-1)
    return Chain(leaf(old, host), (old,))


# --- trust ---------------------------------------------------------------------------------------------------------


@chain
def self_signed(pki: Authorities, host: str) -> Chain:
    return Chain(leaf(None, host))


@chain
def self_signed_rsa(pki: Authorities, host: str) -> Chain:
    return Chain(leaf(None, host, key="rsa2048"))


@chain
def private_ca(pki: Authorities, host: str) -> Chain:
    stranger = authority("Private Root", None, 6)
    return Chain(leaf(stranger, host), (stranger,))


@chain
def same_name_ca(pki: Authorities, host: str) -> Chain:
    """A stranger that bears the name of the trusted root, with another key."""
    return Chain(leaf(authority("Lab Root", None, 7), host))


@chain
def missing_intermediate(pki: Authorities, host: str) -> Chain:
    return Chain(leaf(pki.intermediate, host))


@chain
def non_ca_intermediate(pki: Authorities, host: str) -> Chain:
    server = authority("Lab Server", pki.root, 8, extensions=SERVER)
    return Chain(leaf(server, host), (server,))


@chain
def intermediate_without_constraints(pki: Authorities, host: str) -> Chain:
    """No basicConstraints at all: a version 3 certificate without them is no authority."""
    bare = authority("Lab Bare", pki.root, 9, extensions=())
    return Chain(leaf(bare, host), (bare,))


@chain
def no_cert_sign(pki: Authorities, host: str) -> Chain:
    """An intermediate whose key usage lacks keyCertSign."""
    usage = (AUTHORITY[0], (key_usage(signs_certificates=False), True))
    broken = authority("Lab No Sign", pki.root, 10, extensions=usage)
    return Chain(leaf(broken, host), (broken,))


@chain
def path_length(pki: Authorities, host: str) -> Chain:
    """pathLenConstraint 0, and yet another authority below."""
    constrained = (x509.BasicConstraints(ca=True, path_length=0), True)
    upper = authority("Lab Short", pki.root, 11, extensions=(constrained, AUTHORITY[1]))
    lower = authority("Lab Too Low", upper, 12)
    return Chain(leaf(lower, host), (lower, upper))


@chain
def name_constraint(pki: Authorities, host: str) -> Chain:
    """An intermediate that may name hosts of example.org only."""
    permitted = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    narrow = authority("Lab Narrow", pki.root, 13, extensions=(*AUTHORITY, (permitted, True)))
    return Chain(leaf(narrow, host), (narrow,))


@chain
def name_constraint_kept(pki: Authorities, host: str) -> Chain:
    permitted = x509.NameConstraints(permitted_subtrees=[x509.DNSName(host.partition(".")[2])], excluded_subtrees=None)
    narrow = authority("Lab Narrow Enough", pki.root, 14, extensions=(*AUTHORITY, (permitted, True)))
    return Chain(leaf(narrow, host), (narrow,))


@chain
def client_purpose(pki: Authorities, host: str) -> Chain:
    """Extended key usage without serverAuth."""
    usage = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    return below_intermediate(pki, host, extensions=(SERVER[0], usage, dns_names(host)))


@chain
def client_purpose_intermediate(pki: Authorities, host: str) -> Chain:
    usage = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    narrow = authority("Lab Clients", pki.root, 15, extensions=(*AUTHORITY, usage))
    return Chain(leaf(narrow, host), (narrow,))


@chain
def any_purpose(pki: Authorities, host: str) -> Chain:
    usage = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False)
    return below_intermediate(pki, host, extensions=(SERVER[0], usage, dns_names(host)))


@chain
def no_purpose(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, extensions=(SERVER[0], dns_names(host)))


@chain
def leaf_is_authority(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, extensions=(*AUTHORITY, dns_names(host)))


@chain
def critical_unknown(pki: Authorities, host: str) -> Chain:
    """A critical extension that nobody knows (RFC 5280 section 4.2: reject)."""
    unknown = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\x05\x00"), True)
    return below_intermediate(pki, host, extensions=(*SERVER, dns_names(host), unknown))


# --- strength ------------------------------------------------------------------------------------------------------


@chain
def sha1_leaf(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host, digest="sha1")


@chain
def md5_leaf(pki: Authorities, host: str) -> Chain:
    signer = authority("Lab MD5 Signer", pki.root, 16, key="rsa2048")
    return Chain(leaf(signer, host, digest="md5"), (signer,))


@chain
def sha1_intermediate(pki: Authorities, host: str) -> Chain:
    weak = authority("Lab SHA-1", pki.root, 17, digest="sha1")
    return Chain(leaf(weak, host), (weak,))


@chain
def rsa_1024_intermediate(pki: Authorities, host: str) -> Chain:
    weak = authority("Lab RSA-1024", pki.root, 18, key="rsa1024")
    return Chain(leaf(weak, host), (weak,))


# --- depth: verify depth N admits N + 1 intermediates --------------------------------------------------------------


def deep(pki: Authorities, host: str, intermediates: int) -> Chain:
    signers = [pki.root]
    for number in range(intermediates):
        signers.append(authority(f"Lab Depth {number + 1}", signers[-1], 20 + number))
    return Chain(leaf(signers[-1], host), tuple(reversed(signers[1:])))


for count in (2, 9, 10, 11, 12):
    CHAINS[f"deep-{count}"] = lambda pki, host, count=count: deep(pki, host, count)  # type: ignore[misc]

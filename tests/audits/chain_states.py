"""Chains in every state that a mail server was seen in, and some more, for the tests of trust.

`code` is OpenSSL's error (0: trusted) at the moment `SEEN` and security level 1; the tests ask the real
`openssl verify` whether that is so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.certificate_factory import (
    CLIENT_AUTH,
    SEEN,
    SERVER_AUTH,
    Issued,
    Key,
    Recipe,
    alternative_names,
    basic_constraints,
    der,
    dns,
    ec_key,
    ed25519_key,
    extended_key_usage,
    extension,
    identifier,
    intermediate,
    issue,
    key_usage,
    leaf,
    name_constraints,
    root,
    rsa_key,
    self_signed,
    sequence,
)

MX = "mx.example.org"
DAY = timedelta(days=1)

ROOT = root()
OTHER_ROOT = root("Another Root CA")
INTER = intermediate(ROOT)
LEAF = leaf(INTER, MX)

EXPIRED = {"not_after": SEEN - DAY}
NOT_YET_VALID = {"not_before": SEEN + DAY}


@dataclass(frozen=True)
class State:
    """One chain as a server sends it, the anchors of the one who verifies, and what OpenSSL says."""

    title: str
    chain: tuple[Issued, ...]
    code: int = 0
    anchors: tuple[Issued, ...] = (ROOT,)
    verify_depth: int = 9


def states() -> tuple[State, ...]:
    return (
        *plain_states(),
        *authority_states(),
        *purpose_states(),
        *constraint_states(),
        *strength_states(),
        *order_states(),
        *cross_states(),
        *depth_states(),
        *odd_states(),
    )


def plain_states() -> Iterator[State]:
    yield State("issued by the anchor itself", (leaf(ROOT, MX),))
    yield State("one intermediate", (LEAF, INTER))
    yield State("missing intermediate", (LEAF,), 20)
    yield State("self-signed", (self_signed(MX),), 18)
    own = self_signed(MX, key=ec_key(label="own"))
    yield State("self-signed, and an anchor", (own,), 0, (own,))
    private = root("Private CA")
    yield State("private CA", (leaf(private, MX),), 20)
    yield State("private CA that sends its root", (leaf(private, MX), private), 19)
    yield State("leaf expired", (leaf(INTER, MX, **EXPIRED), INTER), 10)
    yield State("leaf not yet valid", (leaf(INTER, MX, **NOT_YET_VALID), INTER), 9)
    old, young = intermediate(ROOT, "Old", **EXPIRED), intermediate(ROOT, "Young", **NOT_YET_VALID)
    yield State("intermediate expired", (leaf(old, MX), old), 10)
    yield State("intermediate not yet valid", (leaf(young, MX), young), 9)
    ended = root("Ended Root CA", **EXPIRED)
    yield State("anchor expired", (leaf(ended, MX),), 10, (ended,))
    second = timedelta(seconds=1)
    yield State("expires in a second", (leaf(INTER, MX, not_after=SEEN + second), INTER))
    yield State("expired a second ago", (leaf(INTER, MX, not_after=SEEN - second), INTER), 10)


def authority_states() -> Iterator[State]:
    """RFC 5280 sections 4.2.1.3 and 4.2.1.9: who may issue."""
    no_ca = intermediate(ROOT, "No CA", extensions=(basic_constraints(False),))
    yield State("intermediate is no CA", (leaf(no_ca, MX), no_ca), 79)
    plain = intermediate(ROOT, "Plain", extensions=())
    yield State("intermediate says nothing about being a CA", (leaf(plain, MX), plain), 79)
    server = leaf(ROOT, "other.example.org", key=ec_key(label="server"))
    yield State("issued by another server", (leaf(server, MX), server), 79)
    mute = intermediate(ROOT, "Mute", extensions=(basic_constraints(True), key_usage(0)))
    yield State("intermediate must not sign certificates", (leaf(mute, MX), mute), 79)
    last = intermediate(ROOT, "Last", path_length=0)
    yield State("path length kept", (leaf(last, MX), last))
    beyond = intermediate(last, "Beyond")
    yield State("path length exceeded", (leaf(beyond, MX), beyond, last), 25)


def purpose_states() -> Iterator[State]:
    """Extended key usage and key usage of a TLS server."""
    san = alternative_names(dns(MX))
    usages = {
        "for clients only": ((extended_key_usage(CLIENT_AUTH),), 26),
        "for servers and clients": ((extended_key_usage(CLIENT_AUTH, SERVER_AUTH),), 0),
        "for any purpose": ((extended_key_usage("2.5.29.37.0"),), 26),
        "without extended key usage": ((), 0),
        "key usage of a CA only": ((key_usage(5, 6),), 26),
        "key usage of a server": ((key_usage(0, 2),), 0),
    }
    for title, (more, code) in usages.items():
        yield State(title, (leaf(INTER, MX, extensions=(san, *more)), INTER), code)
    clients = intermediate(ROOT, "Clients", more=(extended_key_usage(CLIENT_AUTH),))
    yield State("intermediate for clients only", (leaf(clients, MX), clients), 26)
    servers = intermediate(ROOT, "Servers", more=(extended_key_usage(SERVER_AUTH),))
    yield State("intermediate for servers", (leaf(servers, MX), servers))
    both = intermediate(ROOT, MX, extensions=(basic_constraints(True), key_usage(0, 5), alternative_names(dns(MX))))
    yield State("a CA as server", (both,))
    yield State("a CA that may only sign as server", (INTER,), 26)


def constraint_states() -> Iterator[State]:
    """RFC 5280 section 4.2.1.10."""
    bound = intermediate(ROOT, "Bound", more=(name_constraints([dns("example.net")]),))
    yield State("outside the permitted names", (leaf(bound, MX), bound), 47)
    yield State("inside the permitted names", (leaf(bound, "mx.example.net"), bound))
    yield State("a CN outside the permitted names", (leaf(bound, common_names=(MX,)), bound), 47)
    barred = intermediate(ROOT, "Barred", more=(name_constraints([], [dns("example.org")]),))
    yield State("an excluded name", (leaf(barred, MX), barred), 48)


def strength_states() -> Iterator[State]:
    """Level 1: 80 bits in every key, and in every signature but the anchor's own."""
    strong = root("RSA Root CA", key=rsa_key(2048, "root"))
    middle = intermediate(strong, "RSA Intermediate CA", key=rsa_key(2048, "middle"))
    for digest, code in (("md5", 68), ("sha1", 68), ("sha256", 0), ("sha384", 0)):
        yield State(f"leaf signed with RSA and {digest}", (leaf(middle, MX, hash=digest), middle), code, (strong,))
        weak = intermediate(strong, "Signed", key=rsa_key(2048, "middle"), hash=digest)
        yield State(f"intermediate signed with {digest}", (leaf(weak, MX), weak), code, (strong,))
        anchor = root("RSA Root CA", key=rsa_key(2048, "root"), hash=digest)
        yield State(f"anchor that signed itself with {digest}", (leaf(middle, MX), middle), 0, (anchor,))
    yield State("leaf signed with ECDSA and SHA-1", (leaf(INTER, MX, hash="sha1"), INTER), 68)
    for size, code in ((512, 66), (912, 66), (920, 0), (1024, 0)):
        yield State(f"leaf of RSA-{size}", (leaf(INTER, MX, key=rsa_key(size)), INTER), code)
    for size, code in ((768, 67), (1024, 0)):
        tiny = intermediate(ROOT, "Tiny", key=rsa_key(size, "tiny"))
        yield State(f"intermediate of RSA-{size}", (leaf(tiny, MX), tiny), code)
        base = root("Tiny Root CA", key=rsa_key(size, "base"))
        yield State(f"anchor of RSA-{size}", (leaf(base, MX),), code, (base,))
    yield State("leaf of Ed25519", (leaf(INTER, MX, key=ed25519_key()), INTER))
    for pss_digest, code in ((hashes.SHA1(), 68), (hashes.SHA256(), 0)):
        pss = root("PSS Root CA", key=pss_key(pss_digest))
        yield State(f"leaf signed with PSS and {pss_digest.name}", (leaf(pss, MX),), code, (pss,))


def pss_key(digest: hashes.HashAlgorithm) -> Key:
    """An RSA key whose signatures are RSASSA-PSS (RFC 4055 section 3.1)."""
    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    name = sequence(identifier({"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}[digest.name]))
    mask = sequence(identifier("1.2.840.113549.1.1.8"), name)
    salt = der(0x02, bytes([digest.digest_size]))
    parameters = sequence(der(0xA0, name), der(0xA1, mask), der(0xA2, salt))
    algorithm = sequence(identifier("1.2.840.113549.1.1.10"), parameters)

    def sign(data: bytes, _: str) -> tuple[bytes, bytes]:
        pad = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return algorithm, private.sign(data, pad, digest)

    return Key(public, b"", sign)


def order_states() -> Iterator[State]:
    second = intermediate(INTER, "Second Intermediate CA")
    end = leaf(second, MX)
    yield State("two intermediates", (end, second, INTER))
    yield State("out of order", (end, INTER, second))
    yield State("root included", (end, second, INTER, ROOT))
    yield State("root included, out of order", (end, ROOT, INTER, second))
    yield State("duplicate leaf", (end, end, second, INTER))
    yield State("every certificate twice", (end, second, INTER, end, second, INTER))
    yield State("unrelated certificates", (end, OTHER_ROOT, second, self_signed("x.example"), INTER))
    yield State("leaf not first", (INTER, LEAF), 26)
    yield State("anchors on our side complete the chain", (end,), 0, (ROOT, INTER, second))
    yield State("an intermediate alone is no anchor", (end, second), 2, (INTER,))


def cross_states() -> Iterator[State]:
    """Two certificates for one name and key (RFC 5280 section 3.2), or for one name and two keys."""
    key = ec_key(label="cross")
    ours, theirs = (intermediate(issuer, "Cross", key=key) for issuer in (ROOT, OTHER_ROOT))
    end = leaf(ours, MX)
    yield State("cross-signed, ours first", (end, ours, theirs))
    yield State("cross-signed, ours last: OpenSSL takes the first and never turns back", (end, theirs, ours), 20)
    yield State("cross-signed by a stranger only", (end, theirs), 20)
    new_root = root("New Root CA", key=key)
    bridge = intermediate(ROOT, "New Root CA", key=key)
    below = leaf(new_root, MX)
    yield State("new root by way of the old one", (below, bridge))
    yield State("new root sent beside its bridge", (below, new_root, bridge), 19)
    yield State("new root known as well", (below, bridge), 0, (ROOT, new_root))
    old_bridge = intermediate(ROOT, "New Root CA", key=key, **EXPIRED)
    yield State("bridge expired, new root known", (below, old_bridge), 0, (ROOT, new_root))
    yield State("bridge expired, new root unknown", (below, old_bridge), 10)
    twin = intermediate(ROOT, "Cross", key=ec_key(label="twin"))
    yield State("another key under the issuer's name", (end, twin), 7)
    yield State("both keys under one name", (end, twin, ours), 7)


def depth_states() -> Iterator[State]:
    """postfix-policy: N admits N + 1 intermediates."""
    for depth in (0, 1, 2, 5, 9):
        for between in (depth, depth + 1, depth + 2):
            chain = long_chain(between)
            yield State(
                f"depth {depth}, {between} intermediates", chain, 22 if between > depth + 1 else 0, (ROOT,), depth
            )
    yield State("an anchor alone at depth 0", (self_signed(MX),), 18, (ROOT,), 0)


def long_chain(between: int) -> tuple[Issued, ...]:
    """A leaf and so many intermediates."""
    issuers: list[Issued] = []
    for number in range(between):
        issuers.append(intermediate(issuers[-1] if issuers else ROOT, f"Level {number}"))
    return leaf(issuers[-1] if issuers else ROOT, MX), *reversed(issuers)


def odd_states() -> Iterator[State]:
    """What strict libraries refuse to read."""
    yield State("signature broken", (Issued(LEAF.der[:-4] + b"nope", LEAF.key, LEAF.subject), INTER), 7)
    yield State("unknown critical extension", (leaf(INTER, MX, more=(extension("1.2.3.4", b"", True),)), INTER), 34)
    yield State("unknown extension", (leaf(INTER, MX, more=(extension("1.2.3.4", b""),)), INTER))
    yield State("negative serial number", (leaf(INTER, MX, serial=-5), INTER))
    odd_time = sequence(der(0x17, b"250101000000+0100"), der(0x17, b"400101000000Z"))
    yield State("a time with an offset", (leaf(INTER, MX, raw_validity=odd_time), INTER), 13)
    nul = leaf(INTER, dns(b"mx.example.org\0"), common_names=(MX,))
    yield State("NUL in a name", (nul, INTER))
    nameless = issue(Recipe(common_names=(), extensions=()), INTER)
    yield State("no names and no extensions", (nameless, INTER))

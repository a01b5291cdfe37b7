"""Chains of real certificates as facts, for the examples of the rules about certificates."""

from typing import Any

from audits.established.certificates import ServedChain, ServedChains, ServedLeaf
from audits.trust import TrustStore, verify_chain
from scanner.tls_facts import CertificateFacts
from tests.certificate_factory import SEEN, Issued, intermediate, leaf, root

MX = "mx.example.org"
ROOT = root()
INTER = intermediate(ROOT)
STORE = TrustStore([ROOT.der])


def served(*chain: Issued, anchored: bool = True, host: str = MX) -> ServedChains:
    """One chain, leaf first, looked at when every certificate of the factory is valid."""
    return ServedChains(host, SEEN, (ServedChain(tuple(each.facts for each in chain), anchored),))


def one(*names: str | bytes, **changes: Any) -> ServedChains:
    """A leaf below the intermediate."""
    return served(leaf(INTER, *names, **changes), INTER)


def shaped(*chain: Issued, root_needed: bool = False) -> ServedLeaf:
    """The same with what OpenSSL says of it."""
    facts = tuple(each.facts for each in chain)
    return ServedLeaf(MX, SEEN, facts, verify_chain(STORE, facts, SEEN), root_needed)


GOOD = one(MX)
"""Passes every rule that wants nothing unusual."""


def broken(field: str) -> ServedChains:
    """A leaf of which a field could not be read, and so is as if it were not there."""
    facts = CertificateFacts("ab" * 32, b"x", subject="CN=x", problem=f"key: odd; {field}: given 2 times")
    return ServedChains(MX, SEEN, (ServedChain((facts,), anchored=True),))

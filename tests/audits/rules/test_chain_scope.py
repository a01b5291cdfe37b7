"""Which chains a rule about certificates looks at."""

import msgspec

from audits.established.certificates import ServedChains
from audits.rules.chain_scope import OfChains, issuers, leaves, words
from tests.audits.rules.chains import GOOD, INTER, MX, ROOT, served
from tests.certificate_factory import SEEN, leaf, self_signed

OWN = served(self_signed(MX), anchored=False)
BOTH = ServedChains(MX, SEEN, (*GOOD.chains, *OWN.chains, *GOOD.chains))


def test_each_leaf_counts_once():
    assert [leaf.self_issued for leaf in leaves(BOTH, OfChains())] == [False, True]


def test_a_standard_for_public_authorities_leaves_other_chains_alone():
    assert [leaf.self_issued for leaf in leaves(BOTH, OfChains(trusted_only=True))] == [False]
    assert not [*leaves(OWN, OfChains(trusted_only=True))]
    private = served(leaf(INTER, MX), INTER, anchored=False)
    assert [issuer.sha256 for issuer in issuers(private, OfChains())] == [INTER.sha256]
    assert not [*issuers(private, OfChains(trusted_only=True))]
    assert not [*issuers(msgspec.structs.replace(BOTH, chains=OWN.chains), OfChains())]


def test_roots_are_no_issuers_to_look_at():
    whole = served(leaf(INTER, MX), INTER, ROOT)
    assert [issuer.subject for issuer in issuers(whole, OfChains())] == ["CN=Example Intermediate CA"]


def test_evidence_names_the_certificate():
    assert words(INTER.facts, "fine") == "CN=Example Intermediate CA: fine"
    bare = msgspec.structs.replace(INTER.facts, subject="")
    assert words(bare, "fine") == f"sha256 {INTER.sha256[:16]}: fine"

"""Groups and primes as far as they are settled."""

import msgspec
import pytest

from audits.established.tls_key_exchange import HYBRIDS, DhGroups, KeyExchangeGroups
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.wire_facts import DhFacts, TlsFacts, VersionFacts
from tests.audits.established.test_tls_features import GCM, seen, tls12

DHE, DHE_CODE, RSA = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009E, "TLS_RSA_WITH_AES_128_GCM_SHA256"
HYBRID = "X25519MLKEM768"


def spoken(version: str, *groups: str, suites: tuple[str, ...] = (GCM,), complete: bool = True) -> VersionFacts:
    return VersionFacts(version=version, offered=Fact.YES, suites=suites, groups=groups, groups_complete=complete)


def without(version: str) -> VersionFacts:
    return VersionFacts(version=version, offered=Fact.NO)


def prime(name: str = "", *, named_offered: bool = True) -> DhFacts:
    return DhFacts(2048, name, "ab" * 32, 2, named_offered, ("TLSv1.2",), DHE)


# --- groups ----------------------------------------------------------------------------------------------------------


def test_both_kinds_of_versions_complete_the_groups():
    tls = TlsFacts(versions=(spoken("TLSv1.3", HYBRID, "x25519"), spoken("TLSv1.2", "secp256r1")))
    found = seen(KeyExchangeGroups, tls)
    assert found.complete
    assert [found.offers(name) for name in (HYBRID, "secp256r1", "secp192r1")] == [Fact.YES, Fact.YES, Fact.NO]


@pytest.mark.parametrize(
    "versions",
    [
        (spoken("TLSv1.3", "x25519", complete=False), spoken("TLSv1.2", "x25519")),
        (spoken("TLSv1.3", "x25519"), spoken("TLSv1.2", "x25519", complete=False)),
        (spoken("TLSv1.3", "x25519"), VersionFacts(version="TLSv1.2", offered=Fact.INCONCLUSIVE)),
    ],
)
def test_otherwise_what_was_not_seen_is_open(versions):
    found = seen(KeyExchangeGroups, TlsFacts(versions=versions))
    assert found.offers("x25519") is Fact.YES
    assert found.offers("secp192r1") is Fact.NOT_TESTED


def test_versions_below_the_highest_older_one_have_no_groups_of_their_own():
    tls = TlsFacts(versions=(spoken("TLSv1.2", "x25519"), spoken("TLSv1.1", "x25519", complete=False)))
    assert seen(KeyExchangeGroups, tls).complete


def test_without_curves_nothing_is_asked_of_them():
    rsa_alone = TlsFacts(versions=(without("TLSv1.3"), spoken("TLSv1.2", suites=(RSA,), complete=False)))
    assert isinstance(seen(KeyExchangeGroups, rsa_alone), Inapplicable)


def test_the_hybrid_is_known_at_standard_depth():
    tls = TlsFacts(versions=(spoken("TLSv1.3", "x25519", complete=False),), hybrid_group=Fact.YES)
    assert seen(KeyExchangeGroups, tls).offers(HYBRID) is Fact.YES
    refused = seen(KeyExchangeGroups, msgspec.structs.replace(tls, hybrid_group=Fact.NO))
    assert [refused.offers(name) for name in HYBRIDS[:2]] == [Fact.NO, Fact.NOT_TESTED]


def test_hybrids_need_tls_1_3():
    tls = TlsFacts(versions=(without("TLSv1.3"), spoken("TLSv1.2", "x25519", complete=False)))
    assert {seen(KeyExchangeGroups, tls).offers(name) for name in HYBRIDS} == {Fact.NO}


# --- primes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("primes", "settled"),
    [
        ((prime("Postfix built-in"),), True),
        ((prime(),), True),
        ((prime("ffdhe2048"),), False),
        ((prime("ffdhe2048", named_offered=False),), False),
        ((prime("ffdhe2048"), prime("ffdhe3072", named_offered=False)), True),
    ],
)
def test_a_server_that_ignores_names_has_shown_all(primes, settled):
    assert seen(DhGroups, tls12(DHE, dh=primes)) == DhGroups(primes, settled)


def test_without_primes_it_is_known_only_where_all_such_suites_are_refused():
    assert isinstance(seen(DhGroups, tls12(GCM)), Inapplicable)
    assert isinstance(seen(DhGroups, tls12(GCM, unsettled=(DHE_CODE,))), Missing)
    assert isinstance(seen(DhGroups, tls12(DHE)), Missing)
    doubtful = TlsFacts(versions=(spoken("TLSv1.2"), VersionFacts(version="TLSv1.1", offered=Fact.INCONCLUSIVE)))
    assert isinstance(seen(DhGroups, doubtful), Missing)

"""The hellos that plans are made of."""

import msgspec
import pytest

from scanner.wire.code_points import SHA1_SCHEMES, SSL2, SSL3, TLS10, TLS12, TLS13
from scanner.wire.hello import encode_hello, fresh_entropy
from scanner.wire.ledger import SMALL_OFFER, all_offers
from scanner.wire.questions import CLASSIC_SCHEMES, CLASSIC_SUITES, all_groups, hello_for, small_hello
from scanner.wire.registry import offered_suites


@pytest.mark.parametrize("version", [SSL3, TLS10, TLS12, TLS13])
def test_everything_is_offered(version):
    hello = hello_for(version)
    assert hello.versions == (version,)
    assert sorted(hello.suites) == sorted(offered_suites(tls13=version == TLS13))
    assert len(set(hello.groups)) == len(hello.groups)
    assert set(hello.groups) == (set() if version == SSL3 else set(all_groups(version)))


def test_tls13_asks_for_a_retry_with_the_hybrid_first():
    hello = hello_for(TLS13)
    assert hello.shares == ()
    assert hello.groups[0] == 0x11EC
    assert {29, 23, 0x11EB, 0x11ED, 256, 41} <= set(hello.groups)
    assert hello.compressions == (0,)


def test_tls13_names_no_obsolete_curve():
    """RFC 8446 section 4.2.7 forbids them, and tlslite-ng refuses a hello with one."""
    assert {*range(1, 23), 26, 27, 28}.isdisjoint(all_groups(TLS13))


def test_older_versions_have_no_groups_of_tls13():
    assert {31, 32, 33, 512, 513, 514, 0x11EC}.isdisjoint(all_groups(TLS12))
    assert {1, 22, 23, 26, 29, 30, 256} <= set(all_groups(TLS12))
    assert hello_for(TLS10).schemes == ()


def test_ssl2():
    assert hello_for(SSL2).versions == (SSL2,)
    assert len(hello_for(SSL2).suites) == 7


def test_restricted_offers():
    hello = hello_for(TLS12, (0xC02F,), (29,))
    assert (hello.suites, hello.groups) == ((0xC02F,), (29,))
    assert hello_for(TLS12, (0xC02F,), ()).groups == ()


@pytest.mark.parametrize("suites", [CLASSIC_SUITES, all_offers(TLS12)[:SMALL_OFFER]])
def test_a_small_hello_stays_below_the_size_at_which_old_stacks_stumble(suites):
    hello = small_hello(hello_for(TLS12, suites))
    assert len(encode_hello(hello, fresh_entropy())) < 256
    assert hello.suites == suites
    assert not hello.heartbeat


def test_a_small_hello_keeps_at_least_some_groups():
    assert small_hello(hello_for(TLS12, (0xC02F,), (1, 2, 3, 4))).groups == (1, 2, 3)


def test_a_small_hello_asks_what_the_large_one_asked():
    """For SHA-1 alone: a server that signs with SHA-256 has not said that it would not."""
    asked = msgspec.structs.replace(hello_for(TLS12), schemes=SHA1_SCHEMES)
    assert set(small_hello(asked).schemes) <= set(SHA1_SCHEMES)
    assert small_hello(asked).schemes
    assert small_hello(hello_for(TLS12)).schemes == CLASSIC_SCHEMES

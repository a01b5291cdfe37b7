"""Unused offers of STARTTLS, by the effective level for each next-hop and host."""

from audits.policy_table.offers import Offer, unused_offers
from audits.postfix.main_cf import parse_main_cf
from audits.postfix.resolve import configuration
from tests.audits.sample_records import HOSTILE, OBEYED

from .look_factory import address, look


def offers(text, *looks):
    return unused_offers(looks, configuration(parse_main_cf(f"compatibility_level = 3.6\n{text}", "main.cf")))


def at(entry, *addresses):
    return look(*addresses, entry=entry)


OFFERING = address(host="mx.test", offers=True)


def test_a_host_is_noted_once_with_all_its_next_hops():
    found = offers("", at("a.test", OFFERING), at("b.test", OFFERING))
    assert found.unused == (Offer("mx.test", ("a.test", "b.test")),)
    assert found.unused[0].line == "Host offered STARTTLS: [mx.test]"


def test_the_policy_decides_for_each_way_to_a_host():
    table = "smtp_tls_per_site = inline:{a.test=MAY}\n"
    found = offers(table, at("a.test", OFFERING), at("b.test", OFFERING))
    assert found.unused == (Offer("mx.test", ("b.test",)),)
    assert offers("smtp_use_tls = yes\n", at("a.test", OFFERING)).unused == ()
    assert offers("smtp_use_tls = yes\nsmtp_tls_per_site = inline:{mx.test=NONE}\n", at("a.test", OFFERING)).unused


def test_a_host_that_the_policy_forbids_is_not_asked():
    assert offers("smtp_tls_per_site = inline:{a.test=nonsense}\n", at("a.test", OFFERING)).unused == ()


def test_counts():
    others = address(host="clear.test", at="192.0.2.2"), address({}, host="silent.test", at="192.0.2.3")
    used = address(host="used.test", offers=True, at="192.0.2.4")
    table = "smtp_tls_per_site = inline:{used.test=MUST}\n"
    found = offers(table, at("a.test", OFFERING, *others, used))
    assert (len(found.unused), found.used, found.without, found.silent) == (1, 1, 1, 1)


def test_hostile_names_are_escaped():
    (offer,) = offers("", at("a.test", address(host=HOSTILE, offers=True))).unused
    assert not [char for char in (*OBEYED, "\n") if char in offer.line]

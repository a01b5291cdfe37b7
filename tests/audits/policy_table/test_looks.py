"""A stored judgement as a look: facts by address, and what the network says escaped."""

from datetime import UTC, datetime

import msgspec
import pytest

from audits.grade import domain_verdict
from audits.policy_table.looks import Look, Rung, Way, look_of, worst
from audits.published import published_verdict
from audits.records import domain_record
from scanner.facts import Dnssec, Fact, RouteStatus
from scanner.failures import Kind, ProbeFailure, Stage
from tests.audits.policy_factory import MATCH, MISMATCH, host_tlsa, seen_of, tlsa_answer
from tests.audits.sample_records import OBEYED, hostile_facts, hostile_record
from tests.audits.session_factory import GOOD, LEAF, MX, NO_TLS, OTHER, SEEN, SILENT, Server, handshake, trusting
from tests.audits.test_mta_sts import sts

STARTED = datetime(2026, 11, 21, tzinfo=UTC)
STRANGER = Server(shake=handshake(chain=(OTHER,)))


def looked(*arguments, verify=trusting, **options) -> Look:
    """What a scan of such a domain stores, read again."""
    seen = seen_of(*arguments, **options)
    verdict = domain_verdict(seen.facts, seen.endpoints, verify)
    record = domain_record(seen.facts, seen.endpoints, verdict, seen.facts.target.entry)
    record = msgspec.structs.replace(record, published=published_verdict(seen, verdict.sustained, verify))
    return look_of(seen.facts, msgspec.json.encode(record), "run-1", STARTED)


def said(look: Look) -> dict[Rung, Fact]:
    (address,) = look.addresses
    return dict(address.facts)


def test_a_healthy_server():
    look = looked()
    (address,) = look.addresses
    assert (look.run, look.at, look.entry, look.hosts) == ("run-1", SEEN, "example.org", (MX,))
    assert (address.host, address.address, address.offers, address.until) == (MX, "192.0.2.1", True, LEAF.not_after)
    assert (address.names, address.trusted, address.delayed, address.seen_at) == ((MX,), True, False, SEEN)
    assert all(address.fact(rung) is Fact.YES for rung in (Rung.NONE, Rung.MAY, Rung.MUST_NOPEERMATCH, Rung.MUST))


def test_no_tls_and_no_answer():
    look = looked(NO_TLS)
    assert said(look)[Rung.MUST_NOPEERMATCH] is Fact.NO
    assert look.addresses[0].reasons[Rung.MUST].startswith("starttls-not-supported: ")
    assert not look.addresses[0].offers
    silent = looked(SILENT)
    assert silent.addresses[0].facts == {}
    assert not silent.answered
    assert silent.addresses[0].fact(Rung.NONE) is Fact.INCONCLUSIVE


def test_a_server_that_verifies_with_its_name_only():
    assert said(looked(STRANGER, named=GOOD))[Rung.MUST_BY_NAME] is Fact.YES
    assert said(looked(GOOD, named=STRANGER))[Rung.MUST_BY_NAME] is Fact.NO
    assert Rung.MUST_BY_NAME not in said(looked(GOOD, named=SILENT))


@pytest.mark.parametrize(
    ("tlsa", "dane", "only"),
    [
        ((host_tlsa(tlsa_answer(MATCH)),), Fact.YES, Fact.YES),
        ((host_tlsa(tlsa_answer(MISMATCH)),), Fact.NO, Fact.NO),
        ((host_tlsa(tlsa_answer(MATCH, dnssec=Dnssec.INSECURE)),), Fact.NO, Fact.NO),
        ((host_tlsa(tlsa_answer(MATCH, dnssec=Dnssec.INDETERMINATE)),), Fact.INCONCLUSIVE, Fact.INCONCLUSIVE),
        ((host_tlsa(tlsa_answer()),), Fact.NO, Fact.NO),
    ],
)
def test_dane_counts_with_usable_records_only(tlsa, dane, only):
    facts = said(looked(GOOD, *tlsa))
    assert (facts[Rung.DANE], facts[Rung.DANE_ONLY]) == (dane, only)


def test_dane_over_unsigned_mx_records_is_not_dane_only():
    facts = said(looked(GOOD, host_tlsa(tlsa_answer(MATCH)), mx_dnssec=Dnssec.INSECURE))
    assert (facts[Rung.DANE], facts[Rung.DANE_ONLY]) == (Fact.YES, Fact.NO)


@pytest.mark.parametrize(
    ("options", "ways"),
    [
        ({"mx_dnssec": Dnssec.SECURE}, {Way.DNSSEC: Fact.YES, Way.NEXTHOP: Fact.NO}),
        ({"mx_dnssec": Dnssec.INDETERMINATE}, {Way.DNSSEC: Fact.INCONCLUSIVE}),
        ({"mx_dnssec": Dnssec.INSECURE}, {Way.DNSSEC: Fact.NO, Way.STS: Fact.INCONCLUSIVE}),
        ({"status": RouteStatus.IMPLICIT_MX}, {Way.DNSSEC: Fact.NO, Way.NEXTHOP: Fact.YES}),
        ({"sts": sts()}, {Way.STS: Fact.YES}),
        ({"sts": sts(None, status=404)}, {Way.STS: Fact.NO}),
    ],
)
def test_ways(options, ways):
    found = looked(**options).ways
    assert {way: found[way] for way in ways} == ways


def test_nothing_is_said_of_the_names_where_must_is_open():
    assert looked(SILENT).ways[Way.NEXTHOP] is Fact.INCONCLUSIVE


def test_one_host_that_does_not_name_the_domain_settles_it_while_another_is_open():
    """MUST of the domain is open, but at this host match=nexthop fails today: an older look must not say otherwise."""
    host = {"mx_host": MX, "port": 25, "use": "mail", "state": "ok", "sustained": ["MUST"]}
    open_host = {**host, "address": "192.0.2.2", "state": "inconclusive", "sustained": [], "unknown": ["MUST"]}
    for names, way in (([MX], Fact.NO), ([MX, "*.org"], Fact.NO), ([MX, "example.org"], Fact.INCONCLUSIVE)):
        settled = {**host, "address": "192.0.2.1", "leaf": {"names": names}}
        judgement = msgspec.json.encode({"endpoints": [settled, open_host]})
        assert look_of(seen_of().facts, judgement, "run", STARTED).ways[Way.NEXTHOP] is way


def test_the_policy_and_the_cliffs_are_taken_along():
    look = looked(sts=sts())
    assert look.sts_mx == (MX,)
    assert ("MUST", LEAF.not_after, f"leaf certificate expires ({MX})") in look.cliffs


def test_a_day_that_rolls_on_is_no_cliff():
    facts, _ = hostile_facts()
    cliff = {"at": "2026-12-01T00:00:00Z", "what": "DANE", "why": "signatures end", "where": "a.test"}
    for rolling, expected in ((True, 0), (False, 1)):
        judgement = msgspec.json.encode({"published": {"cliffs": [{**cliff, "rolling": rolling}]}})
        assert len(look_of(facts, judgement, "run", STARTED).cliffs) == expected


def test_a_host_is_unlocated_until_all_its_addresses_were_looked_up():
    seen = seen_of()
    (host,) = seen.facts.route.hosts
    host = msgspec.structs.replace(host, failure=ProbeFailure(Stage.DNS, Kind.SERVFAIL, "AAAA"))
    facts = msgspec.structs.replace(seen.facts, route=msgspec.structs.replace(seen.facts.route, hosts=(host,)))
    assert look_of(facts, b"{}", "run", STARTED).unlocated == (MX,)
    assert look_of(seen.facts, b"{}", "run", STARTED).unlocated == ()


def test_the_time_of_the_run_stands_in_where_nobody_was_asked():
    facts, _ = hostile_facts()
    assert look_of(facts, b"{}", "run", STARTED).at == STARTED


def test_hostile_words_are_escaped():
    facts, _ = hostile_facts()
    look = look_of(facts, msgspec.json.encode(hostile_record()), "run", STARTED)
    words = [word for address in look.addresses for word in address.reasons.values()]
    assert words
    assert not [word for word in words if any(char in word for char in (*OBEYED, "\n"))]


def test_what_is_no_judgement_is_an_error():
    facts, _ = hostile_facts()
    with pytest.raises(msgspec.MsgspecError):
        look_of(facts, b'{"endpoints": 1}', "run", STARTED)


def test_a_host_that_is_listed_twice_is_one():
    seen = seen_of()
    verdict = domain_verdict(seen.facts, seen.endpoints, trusting)
    record = domain_record(seen.facts, seen.endpoints, verdict, "example.org")
    doubled = msgspec.structs.replace(record, endpoints=(*record.endpoints, *record.endpoints))
    look = look_of(seen.facts, msgspec.json.encode(doubled), "run", STARTED)
    assert [address.host for address in look.addresses] == [MX]


def test_the_worst_fact():
    assert worst(iter([Fact.YES, Fact.INCONCLUSIVE])) is Fact.INCONCLUSIVE
    assert worst(iter([Fact.YES, Fact.NO])) is Fact.NO
    assert worst(iter([])) is Fact.INCONCLUSIVE

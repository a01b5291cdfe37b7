"""The rule of the window: down at once, up slowly, never by what was not answered."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.policy_table.evidence import HORIZON, Recheck, evidence_of
from audits.policy_table.looks import Rung, Way
from scanner.facts import Fact, RouteStatus

from .look_factory import LADDER, MX, NOON, address, facts, look, window

GOOD = address()
EXPIRED = address(facts(Rung.MUST_NOPEERMATCH))
SILENT = address({})
OPEN = address(facts(unknown=[Rung.MUST]))


def proof(*newest_first, wanted=None):
    looks = [look(each, days_ago=day) for day, each in enumerate(newest_first)]
    return evidence_of(looks, wanted or len(looks)).proofs[Rung.MUST].fact


@pytest.mark.parametrize(
    ("newest_first", "fact"),
    [
        ((GOOD, GOOD, GOOD), Fact.YES),
        ((EXPIRED, GOOD, GOOD), Fact.NO),
        ((GOOD, EXPIRED, EXPIRED), Fact.NO),
        ((GOOD, GOOD, EXPIRED), Fact.NO),
        ((SILENT, GOOD, GOOD), Fact.YES),
        ((OPEN, GOOD, GOOD), Fact.YES),
        ((SILENT, OPEN, GOOD), Fact.YES),
        ((SILENT, SILENT, SILENT), Fact.INCONCLUSIVE),
        ((OPEN, OPEN, OPEN), Fact.INCONCLUSIVE),
        ((SILENT, EXPIRED, SILENT), Fact.NO),
    ],
)
def test_the_window(newest_first, fact):
    assert proof(*newest_first) is fact


def test_a_window_that_is_not_full_proves_only_what_demands_nothing():
    seen = evidence_of([look(GOOD), look(GOOD)], 3)
    assert {rung: each.fact for rung, each in seen.proofs.items()} == {
        Rung.NONE: Fact.YES,
        Rung.MAY: Fact.YES,
        Rung.MUST_NOPEERMATCH: Fact.INCONCLUSIVE,
        Rung.MUST: Fact.INCONCLUSIVE,
        Rung.MUST_BY_NAME: Fact.INCONCLUSIVE,
        Rung.DANE: Fact.INCONCLUSIVE,
        Rung.DANE_ONLY: Fact.INCONCLUSIVE,
        Rung.DANE_OR_LESS: Fact.INCONCLUSIVE,
    }
    assert seen.proofs[Rung.MUST].why == "seen in 2 of 3 runs"
    assert evidence_of([look(EXPIRED)], 3).proofs[Rung.MUST].fact is Fact.NO


def test_looks_behind_the_window_do_not_count():
    assert evidence_of([look(GOOD), look(GOOD), look(EXPIRED)], 2).proven(Rung.MUST)


def test_every_address_must_have_answered_once():
    other = address({}, host="mx2.example.org", at="192.0.2.2")
    there = address(host="mx2.example.org", at="192.0.2.2")
    silent = evidence_of([look(GOOD, other), look(GOOD, other)], 2)
    assert silent.gap == "mx2.example.org [192.0.2.2] answered in none of 2 runs"
    assert not any(silent.proven(rung) for rung in Rung)
    assert evidence_of([look(GOOD, other), look(GOOD, there)], 2).proven(Rung.MUST)


def test_an_address_that_a_host_of_today_had_in_the_window_counts_and_a_former_host_does_not():
    rotated = address({}, at="192.0.2.9")
    assert "192.0.2.9" in evidence_of([look(GOOD), look(rotated)], 2).gap
    former = address({}, host="old.example.org", at="192.0.2.9")
    assert evidence_of([look(GOOD), look(GOOD, former)], 2).proven(Rung.MUST)


def test_a_no_of_a_former_host_holds_the_line_down():
    former = address(facts(Rung.MAY), host="old.example.org", at="192.0.2.9")
    assert evidence_of([look(GOOD), look(former)], 2).refuted(Rung.MUST)


def test_ipv6_is_left_out_for_a_sender_without_it():
    six = address({}, at="2001:db8::1")
    assert evidence_of([look(GOOD, six)], 1).gap
    assert evidence_of([look(GOOD, six)], 1, ipv4_only=True).proven(Rung.MUST)


@pytest.mark.parametrize(
    ("newest", "gap"),
    [
        (look(status=RouteStatus.NULL_MX), "it takes no mail (null-mx)"),
        (look(status=RouteStatus.UNRESOLVED), "its MX records could not be looked up in 1 run"),
        (look(unlocated=(MX,)), f"the addresses of {MX} could not be looked up"),
        (look(), "no address of its hosts was asked"),
        (look(GOOD), ""),
    ],
)
def test_gaps(newest, gap):
    assert evidence_of([newest], 1).gap == gap


def test_a_domain_that_stopped_taking_mail_has_no_line_and_one_that_was_not_resolved_keeps_it():
    assert evidence_of([look(status=RouteStatus.NULL_MX), look(GOOD)], 2).gap
    unresolved = evidence_of([look(status=RouteStatus.UNRESOLVED), look(GOOD)], 2)
    assert unresolved.proven(Rung.MUST)
    assert unresolved.hosts == (MX,)
    assert not evidence_of([look(unlocated=(MX,), hosts=(MX,)), look(GOOD)], 2).gap


def test_the_reason_names_the_place_and_the_day():
    assert window(EXPIRED, GOOD).proofs[Rung.MUST].why == (
        f"certificate-expired: certificate has expired, {MX} [192.0.2.1] on 2026-11-21"
    )


def test_ways_are_refuted_by_a_no_and_not_by_silence():
    said = [{Way.DNSSEC: Fact.INCONCLUSIVE}, {Way.DNSSEC: Fact.YES}]
    assert evidence_of([look(GOOD, ways=each) for each in said], 2).ways[Way.DNSSEC] is Fact.YES
    said.append({Way.DNSSEC: Fact.NO})
    assert evidence_of([look(GOOD, ways=each) for each in said], 3).ways[Way.DNSSEC] is Fact.NO


def test_recheck_by_the_next_cliff_or_the_horizon():
    soon, later = NOON + timedelta(days=3), NOON + timedelta(days=400)
    assert window(GOOD).recheck(Rung.MUST) == Recheck(NOON + HORIZON)
    assert window(address(until=soon)).recheck(Rung.MUST) == Recheck(soon, f"certificate of {MX} expires")
    assert window(address(until=soon)).recheck(Rung.MUST_NOPEERMATCH) == Recheck(NOON + HORIZON)
    assert window(address(until=later)).recheck(Rung.MUST) == Recheck(NOON + HORIZON)
    cliff = (("MUST", soon, "intermediate certificate expires"), ("DANE", NOON, "signatures end"))
    assert evidence_of([look(GOOD, cliffs=cliff)], 1).recheck(Rung.MUST).what == "intermediate certificate expires"
    assert evidence_of([look(GOOD, cliffs=cliff)], 1).recheck(Rung.DANE).by == NOON


def test_the_horizon_begins_with_the_newest_answer():
    assert window(SILENT, GOOD).recheck(Rung.MUST).by == NOON - timedelta(days=1) + HORIZON


def test_the_oldest_proof_of_an_address_counts():
    """A host that was last heard of in spring carries no line in autumn, however well the others answer."""
    there, silent = (address(said, "mx2.example.org", "192.0.2.2") for said in (None, {}))
    looks = [look(GOOD, silent), look(GOOD, silent, days_ago=1), look(GOOD, there, days_ago=150)]
    assert evidence_of(looks, 3).recheck(Rung.MUST).by == NOON - timedelta(days=150) + HORIZON
    seen = look(address(seen_at=NOON - timedelta(days=9)))
    assert evidence_of([seen], 1).recheck(Rung.MUST).by == NOON - timedelta(days=9) + HORIZON


def test_the_certificate_that_was_verified_counts_where_the_newest_look_saw_none():
    soon = NOON + timedelta(days=2)
    cliff = (("MUST", soon, "intermediate certificate expires"),)
    assert window(OPEN, address(until=soon)).recheck(Rung.MUST).by == soon
    assert evidence_of([look(OPEN), look(GOOD, days_ago=1, cliffs=cliff)], 2).recheck(Rung.MUST).by == soon


def test_all_addresses_of_a_host_must_have_been_looked_up_once():
    """A says one thing, AAAA nothing: whoever answers there was not asked."""
    half = look(GOOD, unlocated=(MX,))
    six = address({}, at="2001:db8::1")
    assert evidence_of([half, half], 2).gap == f"the addresses of {MX} could not be looked up"
    assert not evidence_of([half, look(GOOD)], 2).gap
    assert not evidence_of([half], 1, ipv4_only=True).gap
    assert evidence_of([look(six, unlocated=(MX,))], 1, ipv4_only=True).gap


# --- laws ----------------------------------------------------------------------------------------------------------

ANSWERS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({rung: st.sampled_from([Fact.YES, Fact.NO, Fact.INCONCLUSIVE]) for rung in LADDER}),
)
ADDRESSES = st.tuples(ANSWERS, st.sampled_from(["192.0.2.1", "192.0.2.2"]), st.sampled_from([MX, "b.example.org"]))
LOOKS = st.lists(ADDRESSES, max_size=4).map(
    lambda drawn: look(*(address(*each[:1], each[2], each[1]) for each in drawn))
)


@given(st.lists(LOOKS, min_size=1, max_size=5), st.integers(1, 5))
def test_laws_of_proof(looks, wanted):
    """What is proven was never denied in the window and was said by each address; silence refutes nothing."""
    seen = evidence_of(looks, wanted)
    for rung in LADDER:
        said = [a.fact(rung) for each in seen.looks for a in each.addresses]
        assert seen.refuted(rung) == (Fact.NO in said)
        if seen.proven(rung):
            assert seen.complete or rung in (Rung.NONE, Rung.MAY)
            assert all(each.fact(rung) is not Fact.NO for each in seen.addresses)
            assert Fact.YES in said


@given(st.lists(LOOKS, min_size=1, max_size=3))
def test_an_unanswered_look_lowers_nothing_that_a_full_window_holds(looks):
    before = evidence_of(looks, len(looks))
    silent = look(*(address({}, each.host, each.address) for each in before.addresses), hosts=before.hosts)
    after = evidence_of([silent, *looks], len(looks) + 1)
    for rung in LADDER:
        assert after.proofs[rung].fact is before.proofs[rung].fact

"""The plans against imaginary servers: exact where every question is answered, and never false where some are not."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.answers import Fact
from scanner.wire.asking import Answer
from scanner.wire.code_points import SSL3, TLS10, TLS11, TLS12, TLS13, VERSION_NAMES
from scanner.wire.events import Alert
from scanner.wire.registry import offered_suites, suite_code, suite_name
from scanner.wire.server_flight import FlightEnd, ServerFlight
from scanner.wire.tls_plans import STANDARD_BUDGET, full_plan, standard_plan, stop_plan
from scanner.wire.weakness import SEARCH_CLASSES, classes_of
from scanner.wire_facts import Preference, TlsFacts
from tests.scanner.wire.imaginary_server import (
    RESET,
    STOPPED,
    THROTTLED,
    TIMEOUT,
    ImaginaryServer,
    Manner,
    run,
    with_failures,
)

MODERN = ImaginaryServer(
    pairs=(
        (TLS13, 0x1302),
        (TLS13, 0x1303),
        (TLS13, 0x1301),
        *((TLS12, code) for code in (0xC02C, 0xC030, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8)),
    ),
    groups=(29, 23, 24),
    server_order=True,
)
OLD = ImaginaryServer(
    pairs=tuple(
        (version, code)
        for version in (TLS12, TLS11, TLS10)
        for code in (0x0005, 0x000A, 0x002F, 0x0035, 0xC013, 0x0018)
    ),
)

OLD_SUITES = st.sampled_from(offered_suites(tls13=False))
NEW_SUITES = st.sampled_from(offered_suites(tls13=True))
PAIRS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([SSL3, TLS10, TLS11, TLS12]), OLD_SUITES), st.tuples(st.just(TLS13), NEW_SUITES)
    ),
    unique=True,
    max_size=25,
)
SERVERS = st.builds(
    ImaginaryServer,
    pairs=PAIRS.map(tuple),
    groups=st.lists(st.sampled_from([29, 23, 24, 25, 30, 0x11EC]), unique=True, min_size=1).map(
        lambda groups: (*groups, 23) if 0x11EC in groups and len(groups) == 1 else tuple(groups)
    ),
    server_order=st.booleans(),
    manner=st.sampled_from(Manner),
)


def proves_nothing(failures: dict[int, Answer]) -> bool:
    """Two silences may fall just around an accepted hello, which is how a mute server refuses, and two vague alerts
    in a row are how OpenSSL refuses TLS 1.1. Nothing on the wire tells them apart, so there is at most one of each."""
    silences = [one for one in failures.values() if one == RESET or getattr(one, "end", None) is FlightEnd.CLOSED]
    alerts = [one for one in failures.values() if getattr(one, "end", None) is FlightEnd.ALERT]
    return len(silences) < 2 and len(alerts) < 2


FAILURES = st.dictionaries(
    st.integers(0, 60),
    st.sampled_from([
        RESET,
        TIMEOUT,
        THROTTLED,
        ServerFlight(end=FlightEnd.CLOSED),
        ServerFlight(end=FlightEnd.NOT_TLS, text=b"454 no"),
        ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, 80)),
        ServerFlight(end=FlightEnd.DONE, version=TLS12, suite=0xFFFF),
    ]),
    max_size=8,
).filter(lambda failures: proves_nothing(failures))  # fmt: skip
"""Answers instead of the server's, at any place."""


def pairs_of(facts: TlsFacts) -> set[tuple[str, int]]:
    return {(version.version, suite_code(name) or 0) for version in facts.versions for name in version.suites}


def truth_of(server: ImaginaryServer) -> set[tuple[str, int]]:
    return {(VERSION_NAMES[version], code) for version, code in server.pairs}


def floor_of(server: ImaginaryServer) -> int:
    """Accepted + 1 for each version, 1 for each of the other versions of the plan, SSL 2.0 among them."""
    return len(server.pairs) + len(VERSION_NAMES)


@settings(deadline=None)
@given(SERVERS)
def test_full_is_exact(server):
    picture, asked = run(full_plan(), server.answer)
    facts = picture.facts
    visible = bool(server.pairs)
    if not visible and server.manner is not Manner.ALERT:
        assert {version.offered for version in facts.versions} <= {Fact.INCONCLUSIVE, Fact.NO}
        return
    assert pairs_of(facts) == truth_of(server)
    assert facts.complete
    assert facts.connections == len(asked)
    offered = {version.version for version in facts.versions if version.offered is Fact.YES}
    assert offered == {VERSION_NAMES[version] for version in server.versions}
    assert all(version.offered is not Fact.INCONCLUSIVE for version in facts.versions)
    assert all(version.complete for version in facts.versions if version.offered is Fact.YES)
    if TLS13 in server.versions:
        assert set(facts.version("TLSv1.3").groups) == {VERSION_GROUPS[group] for group in server.groups}
        assert facts.hybrid_group is (Fact.YES if 0x11EC in server.groups else Fact.NO)


VERSION_GROUPS = {
    29: "x25519",
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    30: "x448",
    0x11EC: "X25519MLKEM768",
}


@settings(deadline=None)
@given(SERVERS.filter(lambda server: server.pairs and server.manner is Manner.ALERT))
def test_full_costs_little_more_than_the_floor_and_the_groups(server):
    """Real servers keep to floor + groups + 3 (test_real_servers); tiny ones leave some questions nothing to share."""
    picture, asked = run(full_plan(), server.answer)
    groups = sum(len(version.groups) for version in picture.facts.versions)
    assert len(asked) <= floor_of(server) + groups + 6


@settings(deadline=None)
@given(SERVERS.filter(lambda server: bool(server.pairs)), st.booleans())
def test_preference_is_never_wrong(server, exact):
    facts = run(full_plan() if exact else standard_plan(), server.answer)[0].facts
    wrong = Preference.CLIENT if server.server_order else Preference.SERVER
    for version in facts.versions:
        assert version.preference not in (wrong, Preference.MIXED)
        assert version.group_preference not in (wrong, Preference.MIXED)


@settings(deadline=None, max_examples=300)
@given(SERVERS, FAILURES, st.sampled_from([full_plan, standard_plan]))
def test_nothing_false_is_ever_said(server, failures, plan):
    facts = run(plan(), with_failures(server, failures))[0].facts
    truth = truth_of(server)
    assert pairs_of(facts) <= truth
    for version in facts.versions:
        exists = version.version in {name for name, _ in truth}
        assert version.offered is not (Fact.NO if exists else Fact.YES), version
        if version.complete:
            assert pairs_of(facts) >= {pair for pair in truth if pair[0] == version.version}
        unsettled = {(version.version, code) for code in version.unsettled}
        missing = {pair for pair in truth if pair[0] == version.version} - pairs_of(facts)
        assert version.offered is not Fact.YES or missing <= unsettled
    for entry in facts.classes:
        exists = any(entry.name in classes_of(code) for _, code in truth)
        assert entry.accepted is not (Fact.NO if exists else Fact.YES), entry
    hybrid = 0x11EC in server.groups and TLS13 in server.versions
    assert facts.hybrid_group is not (Fact.NO if hybrid else Fact.YES)


@settings(deadline=None)
@given(SERVERS.filter(lambda server: bool(server.pairs)))
def test_standard_settles_every_version_and_every_class(server):
    facts = run(standard_plan(limit=2000), server.answer)[0].facts
    offered = {version.version for version in facts.versions if version.offered is Fact.YES}
    assert offered == {VERSION_NAMES[version] for version in server.versions}
    accepted = {name for _, code in server.pairs for name in classes_of(code)}
    assert {entry.name for entry in facts.classes if entry.accepted is Fact.YES} == accepted
    assert all(entry.accepted is not Fact.INCONCLUSIVE for entry in facts.classes)
    assert facts.complete


@pytest.mark.parametrize("plan", [full_plan, standard_plan])
@pytest.mark.parametrize("server", [MODERN, OLD])
def test_a_plan_may_be_stopped_after_any_question(plan, server):
    whole, asked = run(plan(), server.answer)
    for count in range(len(asked)):
        facts = run(plan(), with_failures(server, {count: STOPPED}))[0].facts
        assert facts.connections == count
        assert not facts.complete
        assert pairs_of(facts) <= truth_of(server)
        names = {version.version for version in facts.versions}
        assert names == {version.version for version in whole.facts.versions}
        if count == 0:
            assert {version.offered for version in facts.versions} == {Fact.INCONCLUSIVE}
            assert {entry.accepted for entry in facts.classes} == {Fact.INCONCLUSIVE}
            assert facts.extended_master_secret is Fact.INCONCLUSIVE


def test_stop_plan_ends_a_plan_started_or_not():
    assert stop_plan(full_plan(), STOPPED).facts.connections == 0
    plan = standard_plan()
    next(plan)
    picture = stop_plan(plan, STOPPED)
    assert picture.facts.failures == (STOPPED,)
    with pytest.raises(ValueError, match="timeout"):
        stop_plan(standard_plan(), TIMEOUT)


def test_standard_keeps_its_budget_on_a_modern_server():
    _, asked = run(standard_plan(), MODERN.answer)
    assert len(asked) <= STANDARD_BUDGET


def test_a_limit_is_kept_and_the_rest_is_inconclusive():
    picture, asked = run(standard_plan(limit=4), OLD.answer)
    assert len(asked) == picture.facts.connections == 4
    assert not picture.facts.complete
    assert Fact.INCONCLUSIVE in {entry.accepted for entry in picture.facts.classes}


def test_a_server_that_never_answers_is_left_alone_after_three_questions():
    for failure in (TIMEOUT, THROTTLED, RESET, ServerFlight(end=FlightEnd.CLOSED)):
        picture, asked = run(full_plan(), lambda _, failure=failure: failure)
        assert len(asked) == 3
        assert {version.offered for version in picture.facts.versions} == {Fact.INCONCLUSIVE}
        assert len(picture.facts.failures) == 3


def test_throttling_in_the_middle_leaves_at_least_these():
    answers = iter(range(1000))
    picture, asked = run(full_plan(), lambda hello: OLD.answer(hello) if next(answers) < 6 else THROTTLED)
    tls12 = picture.facts.version("TLSv1.2")
    assert len(asked) == 9
    assert tls12.offered is Fact.YES
    assert not tls12.complete
    assert tls12.suites
    assert picture.facts.version("TLSv1.0").offered is Fact.INCONCLUSIVE


@pytest.mark.parametrize("limit", [30, 100, 255])
def test_a_server_that_chokes_on_large_hellos_is_still_known_exactly(limit):
    server = msgspec.structs.replace(OLD, largest_hello=max(limit, 40))
    facts = run(full_plan(), server.answer)[0].facts
    assert pairs_of(facts) == truth_of(OLD)


@pytest.mark.parametrize("plan", [full_plan, standard_plan])
@pytest.mark.parametrize("failure", [RESET, ServerFlight(end=FlightEnd.CLOSED)])
@pytest.mark.parametrize("server", [MODERN, OLD])
def test_where_every_other_connection_fails_nothing_is_refused_in_silence(server, failure, plan):
    for first in range(12):
        failing = dict.fromkeys(range(first, 2000, 2), failure)
        facts = run(plan(), with_failures(server, failing))[0].facts
        names = {name for name, _ in truth_of(server)}
        assert not {version.version for version in facts.versions if version.offered is Fact.NO} & names
        for version in facts.versions:
            missing = {pair for pair in truth_of(server) if pair[0] == version.version} - pairs_of(facts)
            assert version.offered is not Fact.YES or missing <= {(version.version, c) for c in version.unsettled}


def test_chains_of_both_kinds():
    picture, _ = run(standard_plan(), MODERN.answer)
    assert {chain.authentication for chain in picture.facts.chains} == {"ECDSA", "RSA"}
    assert set(picture.certificates) == {b"ECDSA", b"RSA"}


def test_order_of_suites_is_the_servers():
    facts = run(full_plan(), MODERN.answer)[0].facts
    expected = [suite_name(code) for version, code in MODERN.pairs if version == TLS12]
    assert list(facts.version("TLSv1.2").suites) == expected
    assert facts.version("TLSv1.2").preference is Preference.SERVER


def test_a_suite_that_the_server_cannot_finish_is_called_broken():
    def answer(hello):
        flight = OLD.answer(hello)
        failing = isinstance(flight, ServerFlight) and flight.suite == 0x000A
        return msgspec.structs.replace(flight, end=FlightEnd.ALERT, alert=Alert(2, 80)) if failing else flight

    facts = run(full_plan(), answer)[0].facts
    tls12 = facts.version("TLSv1.2")
    assert tls12.broken == ("TLS_RSA_WITH_3DES_EDE_CBC_SHA",)
    assert "TLS_RSA_WITH_3DES_EDE_CBC_SHA" not in tls12.suites
    assert len(tls12.suites) == 5


def test_internal_error_refuses_only_if_something_is_taken_up_later():
    server = msgspec.structs.replace(MODERN, manner=Manner.INTERNAL_ERROR)
    assert run(full_plan(), server.answer)[0].facts.version("TLSv1.1").offered is Fact.NO
    alone = ImaginaryServer(pairs=(), manner=Manner.INTERNAL_ERROR)
    facts = run(full_plan(), alone.answer)[0].facts
    assert {version.offered for version in facts.versions} == {Fact.INCONCLUSIVE}


def test_classes_come_with_every_picture():
    facts = run(full_plan(), MODERN.answer)[0].facts
    assert [entry.name for entry in facts.classes] == [entry.name for entry in SEARCH_CLASSES]


@settings(deadline=None)
@given(st.data(), st.sampled_from([full_plan, standard_plan]))
def test_a_server_that_answers_at_random_breaks_nothing(data, plan):
    """Whatever is said, the plan ends, and within a bound."""
    ends = st.sampled_from([*FlightEnd])
    versions = st.sampled_from([None, 0, 2, SSL3, TLS10, TLS11, TLS12, TLS13, 0x7F17])
    groups = st.sampled_from([None, 0, 23, 29, 0x11EC, 0xFFFF])
    seed = data.draw(st.randoms(use_true_random=False))
    habits = data.draw(st.lists(st.tuples(ends, versions, groups), min_size=1, max_size=4))

    def answer(hello):
        if seed.random() < 0.05:
            return seed.choice([RESET, TIMEOUT, THROTTLED])
        end, version, group = seed.choice(habits)
        suite = seed.choice((*hello.suites, 0xFFFF))
        alert = Alert(2, seed.choice([0, 40, 70, 80, 86]))
        version = hello.highest if seed.random() < 0.7 else version
        return ServerFlight(end=end, version=version, suite=suite, group=group, alert=alert, prime=b"\0\x07")

    picture, asked = run(plan(), answer)
    assert picture.facts.connections == len(asked)
    assert msgspec.json.encode(picture.facts)


def test_facts_survive_a_round_trip():
    facts = run(full_plan(), OLD.answer)[0].facts
    assert msgspec.json.decode(msgspec.json.encode(facts), type=TlsFacts) == facts

"""All ways through the hosts of a domain: order, limits, next-hops, and the second attempt in clear."""

import pytest

from audits.simulate.outcomes import Kind, Outcome, Step, Why, Word
from audits.simulate.sender import Limits
from audits.simulate.walk import Hop, as_scanned, possible_outcomes

CLEAR = Step(Kind.CLEAR)
TLS = Step(Kind.TLS, Word.TRUSTED)
FAILS = Step(Kind.NEXT_MX, why=Why("certificate-expired"))
LATE = Step(Kind.NEXT_MX, why=Why("mail-refused"), late=True)
BOUNCES = Step(Kind.BOUNCED, why=Why("starttls-refused"))
BROKEN = Step(Kind.NEXT_MX, why=Why("handshake-failed"), later=CLEAR)
BROKEN_AND_REFUSED = Step(Kind.NEXT_MX, why=Why("handshake-failed"), later=BOUNCES)
MUTE = Step(Kind.NEXT_MX, why=Why("unreachable"), silent=True)
MOOD = Step(Kind.UNKNOWN, why=Why("throttled"), seen=Kind.NEXT_MX)
UNKNOWN = Step(Kind.UNKNOWN, why=Why("not-scanned"))


def ends(*groups: tuple[Step, ...], limits: Limits | None = None) -> list[str]:
    """The possible ends in words."""
    return [str(end) for end in possible_outcomes([Hop(groups)], limits or Limits())]


@pytest.mark.parametrize(
    ("hosts", "end"),
    [
        ([TLS], "Trusted TLS"),
        ([CLEAR], "clear"),
        ([FAILS], "deferred"),
        ([FAILS, TLS], "Trusted TLS"),
        ([BOUNCES, TLS], "bounced"),
        ([FAILS, BOUNCES, TLS], "bounced"),
        ([BROKEN], "deferred, then clear"),
        ([BROKEN, TLS], "Trusted TLS"),
        ([BROKEN, FAILS], "deferred, then clear"),
        ([FAILS, BROKEN], "deferred, then clear"),
        ([BROKEN_AND_REFUSED], "bounced"),
        ([MUTE, TLS], "Trusted TLS"),
        ([MUTE], "unknown"),
        ([MUTE, FAILS], "unknown"),
        ([MOOD, TLS], "unknown"),
        ([UNKNOWN], "unknown"),
        ([TLS, UNKNOWN], "Trusted TLS"),
        ([LATE, LATE, TLS], "deferred"),
        ([FAILS, FAILS, FAILS, FAILS, FAILS, TLS], "deferred"),
        ([MUTE, MUTE, MUTE, MUTE, MUTE, TLS], "unknown"),
    ],
)
def test_hosts_in_order(hosts: list[Step], end: str) -> None:
    assert ends(*((host,) for host in hosts)) == [end]


@pytest.mark.parametrize(
    ("limits", "end"),
    [
        (Limits(addresses=2), "deferred"),
        (Limits(addresses=3), "Trusted TLS"),
        (Limits(sessions=1), "deferred"),
        (Limits(sessions=0, addresses=0), "Trusted TLS"),
    ],
)
def test_limits_cut_the_walk_off(limits: Limits, end: str) -> None:
    assert ends((LATE,), (FAILS,), (TLS,), limits=limits) == [end]


def test_of_equal_hosts_chance_takes_the_first() -> None:
    assert ends((CLEAR, TLS)) == ["clear", "Trusted TLS"]
    assert ends((FAILS, TLS)) == ["Trusted TLS"]
    assert ends((BOUNCES, TLS)) == ["bounced", "Trusted TLS"]
    assert ends((BROKEN, CLEAR)) == ["clear"]
    assert ends((TLS,) * 12) == ["Trusted TLS"]


def test_a_deferral_that_chance_made_ends_with_the_next_attempt() -> None:
    one = Limits(addresses=1)
    found = possible_outcomes([Hop(((FAILS, TLS),))], one)
    assert sorted((str(end), end.late) for end in found) == [("Trusted TLS", False), ("Trusted TLS", True)]
    assert ends((FAILS, FAILS), limits=one) == ["deferred"]


def test_many_equal_hosts_cost_no_time() -> None:
    """As many as a domain may name, all different."""
    group = tuple(Step(Kind.NEXT_MX, why=Why("certificate-expired", str(number))) for number in range(60))
    found = possible_outcomes([Hop((group,))], Limits(addresses=2))
    assert {end.kind for end in found} == {Kind.DEFERRED}


def test_next_hops_in_turn() -> None:
    nothing = Hop(failure=Outcome(Kind.BOUNCED, None, "no-such-domain"))
    relay = Hop(((TLS,),))
    limits = Limits(addresses=1)
    assert [str(end) for end in possible_outcomes([Hop(((FAILS,), (CLEAR,))), relay], limits)] == ["Trusted TLS"]
    assert [str(end) for end in possible_outcomes([Hop(((BOUNCES,),)), relay], limits)] == ["bounced"]
    assert [str(end) for end in possible_outcomes([nothing, relay], limits)] == ["Trusted TLS"]
    assert [str(end) for end in possible_outcomes([nothing], limits)] == ["bounced"]
    assert [str(end) for end in possible_outcomes([relay, nothing], limits)] == ["Trusted TLS"]


def test_a_later_bounce_tells_that_it_came_late() -> None:
    (end,) = possible_outcomes([Hop(((BROKEN_AND_REFUSED,),))], Limits())
    assert (end.kind, end.late) == (Kind.BOUNCED, True)
    (end,) = possible_outcomes([Hop(((BROKEN,),))], Limits())
    assert (end.kind, end.cause, end.late) == (Kind.THEN_CLEAR, "handshake-failed", True)


@pytest.mark.parametrize(
    ("hosts", "end"), [([MOOD, TLS], "Trusted TLS"), ([MOOD], "deferred"), ([MUTE], "deferred"), ([UNKNOWN], "unknown")]
)
def test_servers_that_behave_again_as_they_did(hosts: list[Step], end: str) -> None:
    hops = as_scanned([Hop(tuple((host,) for host in hosts))])
    assert [str(each) for each in possible_outcomes(hops, Limits())] == [end]


def test_a_look_up_that_fails_again_defers() -> None:
    hops = as_scanned([Hop(failure=Outcome(Kind.UNKNOWN, None, "dns-unanswered"))])
    assert [end.kind for end in possible_outcomes(hops, Limits())] == [Kind.DEFERRED]

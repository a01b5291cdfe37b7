"""The settled view: what stays open makes no change, and what was open is compared with its last answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.diff.view import advanced, view_of
from audits.verdicts import Grade
from scanner.facts import Fact, RouteStatus
from scanner.failures import Kind
from tests.audits.diff.looks import DROPS, THROTTLED, Night, changes, kinds, look, one
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, Server, any_server, reply

UP = {"192.0.2.1": GOOD}
BAD = {"192.0.2.2": NO_TLS}
DOWN = {"192.0.2.2": SILENT}


def two(second: dict[str, Server], first: dict[str, Server] = UP) -> Night:
    return Night(servers={"mx1.example.org": first, "mx2.example.org": second})


UNANSWERED = [one(DROPS), one(THROTTLED), one(SILENT), one(Server(ehlo=reply(451))), one(Server(starttls=reply(454)))]
UNRESOLVED = Night(servers={}, status=RouteStatus.UNRESOLVED)
BOTH = two({"192.0.2.2": GOOD})


@pytest.mark.parametrize("open_", [*UNANSWERED, UNRESOLVED], ids=str)
def test_what_stays_open_is_no_change(open_):
    assert kinds(one(), open_) == []
    assert kinds(one(), open_, one()) == []


@pytest.mark.parametrize("open_", [*UNANSWERED, UNRESOLVED], ids=str)
def test_what_was_open_is_compared_with_its_last_answer(open_):
    found = changes(one(), open_, one(NO_TLS))
    assert [change.kind.value for change in found] == ["grade-down", "starttls-lost"]
    assert {change.since for change in found} == {"night-0"}


def test_an_answer_older_than_the_window_is_forgotten():
    """Nothing is known of the nights between, so nothing is told; two nights of silence are within."""
    assert kinds(one(), one(DROPS), one(DROPS), one(NO_TLS)) == ["grade-down", "starttls-lost"]
    assert kinds(one(), one(DROPS), one(DROPS), one(DROPS), one(NO_TLS)) == []


# --- an address that does not answer takes part in the grade no more: an upper bound ------------------------------


def test_a_better_grade_for_want_of_answers_is_no_news():
    assert look(0, two(BAD)).record.grade is Grade.MAY
    assert look(0, two(DOWN)).record.grade is Grade.MUST_NOPEERMATCH
    assert kinds(two(BAD), two(DOWN)) == []
    assert kinds(two(BAD), two(DOWN), two(BAD)) == []


def test_a_worse_grade_is_news_whoever_is_silent_and_is_told_once():
    worse = two(DOWN, {"192.0.2.1": NO_TLS})
    assert "grade-down" in kinds(two(UP), two(UP), worse)
    assert kinds(two({"192.0.2.2": GOOD}), worse, two({"192.0.2.2": GOOD}, {"192.0.2.1": NO_TLS})) == []


def test_a_silence_that_lasts_is_told_once_together_with_what_it_does_to_the_grade():
    nights = [two(BAD), two(DOWN), two(DOWN), two(DOWN), two(DOWN), two(DOWN)]
    told = [kinds(*nights[:count]) for count in range(2, len(nights) + 1)]
    assert told == [[], [], ["grade-up", "host-silent"], [], []]
    assert set(kinds(two(BAD), two(DOWN), two(DOWN), two(DOWN), two(BAD))) == {"grade-down", "host-answers"}


def silences(*nights):
    return [(c.severity.value, c.where) for c in changes(*nights) if c.kind.value == "host-silent"]


def test_a_domain_of_which_nothing_is_heard_any_more_is_more_than_information():
    assert silences(BOTH, *[two(DOWN)] * 3) == [("information", "mx2.example.org [192.0.2.2]")]
    none = two(DOWN, {"192.0.2.1": SILENT})
    assert {severity for severity, _ in silences(BOTH, *[none] * 3)} == {"notice"}
    assert silences(BOTH, two(DOWN), none, none, none) == [("notice", "mx1.example.org [192.0.2.1]")]


def test_a_dns_that_is_silent_for_long_is_told_once_and_so_is_its_end():
    nights = [one(), *[UNRESOLVED] * 5, one(), one()]
    told = [kinds(*nights[:count]) for count in range(2, len(nights) + 1)]
    assert told == [[], [], ["host-silent"], [], [], ["host-answers"], []]
    assert silences(one(), UNRESOLVED, UNRESOLVED, UNRESOLVED) == [("notice", "the DNS")]
    assert kinds(UNRESOLVED, UNRESOLVED, UNRESOLVED, UNRESOLVED) == [], "never heard"


def test_an_address_that_never_answered_is_no_gap():
    """Many hosts have an IPv6 address that is dead; the grade of the others counts all the same."""
    assert kinds(two(DOWN), two(DOWN), two(DOWN), two(DOWN, {"192.0.2.1": NO_TLS})) == ["grade-down", "starttls-lost"]
    better = kinds(two(DOWN, {"192.0.2.1": NO_TLS}), two(DOWN))
    assert set(better) == {"grade-up", "starttls-gained"}


def test_a_host_that_was_not_looked_up_is_no_gain():
    without = Night(servers={"mx1.example.org": UP}, unresolved=("mx2.example.org",))
    assert kinds(two(BAD), without) == []
    assert kinds(two(BAD), without, two(BAD)) == []


def test_a_host_taken_out_is_one():
    assert set(kinds(two(BAD), Night(servers={"mx1.example.org": UP}))) == {"grade-up", "mx-gone"}


# --- laws ----------------------------------------------------------------------------------------------------------

MUTE = [SILENT, THROTTLED, DROPS, Server(connect=Kind.RESET)]
NIGHTS = st.lists(any_server(), min_size=2, max_size=2).map(
    lambda servers: two({"192.0.2.2": servers[0]}, {"192.0.2.1": servers[1]})
)


@settings(max_examples=150, deadline=None)
@given(st.lists(NIGHTS, min_size=1, max_size=4))
def test_the_same_look_once_more_changes_nothing(nights):
    looks = [look(number, night) for number, night in enumerate(nights)]
    view = view_of(looks)
    assert advanced(view, looks[-1]) == view


@settings(max_examples=150, deadline=None)
@given(
    st.lists(NIGHTS, min_size=1, max_size=3), st.sampled_from([SILENT, THROTTLED, DROPS, Server(connect=Kind.RESET)])
)
def test_a_night_without_answers_changes_nothing_but_the_count_of_silences(nights, silent):
    nothing = two({"192.0.2.2": silent}, {"192.0.2.1": silent})
    assert set(kinds(*nights, nothing)) <= {"host-silent"}


def test_only_both_answers_make_a_change_of_versions():
    yes, no, unknown = ({"TLSv1.0": fact} for fact in (Fact.YES, Fact.NO, Fact.INCONCLUSIVE))
    assert kinds(one(versions=yes), one(versions=no)) == ["protocol-lost"]
    assert kinds(one(versions=no), one(versions=yes)) == ["protocol-gained"]
    assert kinds(one(versions=yes), one(versions=unknown)) == []
    assert kinds(one(versions=yes), one()) == []
    assert kinds(one(), one(versions=yes)) == []
    assert kinds(one(versions=yes), one(versions=unknown), one(), one(versions=no)) == ["protocol-lost"]

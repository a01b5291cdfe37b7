"""Whose order decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.wire.preference import Choices, Pick, preference_of
from scanner.wire_facts import Preference


@pytest.mark.parametrize(
    ("picks", "expected"),
    [
        ([], Preference.UNKNOWN),
        ([((1, 2, 3), 1)], Preference.UNKNOWN),
        ([((1, 2, 3), 1), ((2, 3), 2)], Preference.UNKNOWN),
        ([((1, 2), 1), ((2, 1), 2)], Preference.CLIENT),
        ([((1, 2), 2), ((1,), 1)], Preference.SERVER),
        ([((1, 2), 1), ((2,), 2), ((2, 1), 1)], Preference.SERVER),
        ([((1, 2, 3), 2), ((1, 3), 3), ((2, 1), 1), ((3, 2), 3)], Preference.MIXED),
        ([((), 1)], Preference.UNKNOWN),
        ([((1, 2), 3), ((1, 2), 2), ((1,), 1)], Preference.SERVER),
    ],
)
def test_preference(picks, expected):
    assert preference_of(Pick(offered, picked) for offered, picked in picks) is expected


@given(
    st.permutations(range(8)),
    st.lists(st.permutations(range(12)), max_size=12),
    st.booleans(),
    st.lists(st.integers(1, 12), min_size=12, max_size=12),
)
def test_the_true_preference_is_never_contradicted(order, offers, by_server, sizes):
    picks = []
    for offer, size in zip(offers, sizes, strict=False):
        offered = tuple(offer[:size])
        ranked = [code for code in (order if by_server else offered) if code in order and code in offered]
        if ranked:
            picks.append(Pick(offered, ranked[0]))
    truth = Preference.SERVER if by_server else Preference.CLIENT
    assert preference_of(picks) in (truth, Preference.UNKNOWN)


@given(
    st.lists(st.permutations(range(6)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=12),
)
def test_choices_kept_short_say_the_same(orders, steps):
    """Offers that shrink by what was taken, begin anew, repeat, and answers that were not offered."""
    choices, picks, offered = Choices(), [], tuple(orders[0])
    for at, (size, picked) in enumerate(steps):
        choices.note(offered, picked)
        picks.append(Pick(offered, picked))
        offered = tuple(code for code in offered if code != picked) or tuple(orders[at % len(orders)][:size])
    assert preference_of(choices.picks()) is preference_of(picks)


def test_an_enumeration_is_kept_as_one_offer():
    choices, offered = Choices(), tuple(range(400))
    for picked in range(37):
        choices.note(offered[picked:], picked)
    assert [tuple(pick.offered) for pick in choices.picks()] == [tuple(range(at, 37)) for at in range(37)]
    assert len(choices._runs) == 1

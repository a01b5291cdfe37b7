"""Whose order decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.wire.preference import Pick, preference_of
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

"""The geometry of pictures: to scale, inside the frame, and empty where there is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.reports.pictures import OPEN, WIDTH, bars, columns, stacked

NUMBERS = st.integers(0, 10**6)


@given(st.lists(NUMBERS, max_size=20))
def test_bars_are_to_scale_and_inside(numbers):
    picture = bars("t", [(str(n), "plain", n) for n in numbers])
    widths = [bar.parts[0].width for bar in picture.bars]
    assert all(bar.parts[0].x + bar.parts[0].width <= WIDTH for bar in picture.bars)
    assert [w == 0 for w in widths if not max(numbers, default=0)] == [True] * len(numbers) * (not any(numbers))
    assert sorted(widths) == [w for _, w in sorted(zip(numbers, widths, strict=True))]


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=6))
def test_shares_fill_the_row_and_no_more(rows):
    given_ = {str(n): [("a", "x", a), ("b", "y", b), ("c", "z", c)] for n, (a, b, c) in enumerate(rows)}
    for bar, (a, b, c) in zip(stacked("t", given_).bars, rows, strict=True):
        total = sum(part.width for part in bar.parts)
        full = WIDTH - 266
        assert (abs(total - full) < 1) == bool(a + b + c)
        assert all(part.x + part.width <= WIDTH for part in bar.parts)


@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_columns_stand_on_the_floor_and_what_is_there_is_seen(numbers):
    picture = columns("t", [("", "", "plain", n) for n in numbers])
    for column, number in zip(picture.columns, numbers, strict=True):
        assert column.y + column.height == picture.floor
        assert (column.height >= 2) == (number > 0)
        assert column.y >= 0


@pytest.mark.parametrize(
    ("yes", "open_", "no", "words"),
    [(3, 0, 1, "75 %"), (3, 4, 1, "38–88 %"), (0, 0, 5, "0 %"), (0, 7, 0, "?"), (0, 0, 0, "?"), (0, 1, 999, "0 %")],
)
def test_what_is_not_known_is_no_part_of_a_share(yes, open_, no, words):
    (bar,) = stacked("t", {"TLSv1.3": [("yes", "f-yes", yes), ("not known", OPEN, open_), ("no", "f-no", no)]}).bars
    assert bar.number == words

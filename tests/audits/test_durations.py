"""Durations as people write them."""

import click
import pytest

from audits.durations import duration_s


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("7d", 604800)]
)
def test_what_people_write(text, seconds):
    assert duration_s(text, "--patience") == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "8d", "nan", "inf", "2 weeks", "1e9"])
def test_anything_else_is_refused_with_the_name_of_the_option(text):
    with pytest.raises(click.BadParameter, match="write seconds, or 90s, 30m, 2h") as refused:
        duration_s(text, "--patience")
    assert refused.value.param_hint == "--patience"

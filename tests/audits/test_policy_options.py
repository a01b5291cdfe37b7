"""The options about published policy."""

import click
import pytest

from audits.policy_options import BAD, GOOD, canaries


def test_two_names():
    assert canaries(f"{GOOD},{BAD}") == (GOOD, BAD)
    assert canaries(" a.example , b.example ") == ("a.example", "b.example")


@pytest.mark.parametrize("text", ["", "a.example", "a.example,", ",b.example", "a,b,c"])
def test_anything_else_is_refused(text):
    with pytest.raises(click.BadParameter, match="GOOD,BAD"):
        canaries(text)

"""Answers that are kept: a new one replaces, a missing one leaves the old with its run."""

from audits.diff.settled import Settled, kept
from tests.audits.diff.looks import look, one


def test_new_answers_join_those_that_were_known():
    first, second = look(0, one()), look(1, one())
    known = kept(first, {}, {"a": 1, "b": 2})
    assert kept(second, known, {"b": 3}) == {
        "a": Settled(1, "night-0", first.at),
        "b": Settled(3, "night-1", second.at),
    }
    assert known["b"].value == 2

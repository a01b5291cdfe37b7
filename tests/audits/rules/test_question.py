"""What a rule is: made from a function, its annotations and its docstring."""

from collections.abc import Iterable

import pytest

from audits.established.tls_abilities import ProtocolVersions
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact


def test_its_annotations_name_the_fact_and_the_expectations():
    @rule("X-001", "Title", result_type="validation-failure")
    def question(_seen: ProtocolVersions, _wants: NoExpectations) -> Iterable[Item]:
        """A page."""
        yield met(True, "seen")

    assert (question.fact, question.expects) == (ProtocolVersions, NoExpectations)
    assert (question.page, question.result_type) == ("A page.", "validation-failure")
    assert [*question.ask(None, None)] == [Item(Fact.YES, "seen")]


@pytest.mark.parametrize("id", ["X-1", "x-001", "X001", "X-0001", ""])
def test_an_id_is_prefix_and_three_digits(id):
    with pytest.raises(ValueError, match="PREFIX-123"):
        rule(id, "Title")


def test_it_needs_a_page():
    def question(_seen: ProtocolVersions, _wants: NoExpectations) -> Iterable[Item]:
        return ()

    with pytest.raises(ValueError, match="docstring"):
        rule("X-001", "Title")(question)


def test_met_is_a_settled_item():
    assert (met(True, "a").met, met(False, "a").met) == (Fact.YES, Fact.NO)

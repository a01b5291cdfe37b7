"""The four answers are one and the same type wherever they are used."""

from scanner import answers, facts


def test_the_facts_use_the_same_answers():
    assert facts.Fact is answers.Fact
    assert [fact.value for fact in answers.Fact] == ["yes", "no", "inconclusive", "not-tested"]

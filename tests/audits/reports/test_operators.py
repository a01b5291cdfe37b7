"""Operators: their domains, and notices that blame nobody for what was not answered."""

from audits.reports.operators import NAMED, Operators
from tests.audits.reports.report_factory import few, judged, many


def operators_of(names):
    operators = Operators()
    for domain in judged(names):
        operators.take(domain.record)
    return operators.all()


def test_domains_of_one_operator_share_a_notice():
    (operator,) = operators_of(few())
    assert operator.name == "example.org"
    assert len(operator.domains) == len(few())
    assert "plain.example" in operator.notice
    assert "starttls-not-supported" in operator.notice


def test_silence_is_no_fault():
    (operator,) = operators_of({"silent.example": few()["silent.example"]})
    assert (operator.faults, operator.notice) == ((), "")


def test_a_notice_names_a_bounded_number_of_domains():
    (operator,) = operators_of(many(NAMED + 5) | {"plain.example": few()["plain.example"]})
    assert f"and {NAMED + 6 - NAMED} more" in operator.notice

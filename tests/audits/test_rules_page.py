"""RULES.md is drawn from the rules and baselines, and never by hand."""

from audits.baseline import shipped, shipped_baseline
from audits.rules import all_rules
from audits.rules_page import rule_page, rules_markdown
from tests.environments import ROOT


def test_the_file_is_what_the_rules_say():
    assert (ROOT / "RULES.md").read_text() == rules_markdown(), "python -m audits.rules_page > RULES.md"


def test_it_has_every_rule_and_every_requirement():
    text = rules_markdown()
    for rule in all_rules().values():
        assert f"## {rule.id}: {rule.title}\n" in text
    for id in shipped():
        for question in shipped_baseline(id).questions:
            assert f"- {id}: {question.requirement.id}, " in text


def test_a_page_says_who_asks():
    page = rule_page(all_rules()["TLS-001"])
    assert "mozilla-intermediate: MOZ-INTER-VERSIONS, must" in page


def test_every_rule_is_asked_by_a_shipped_baseline():
    asked = {question.rule.id for id in shipped() for question in shipped_baseline(id).questions}
    assert all_rules().keys() == asked

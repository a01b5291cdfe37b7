"""The contract of every rule: a passing and a failing example, and no verdict of silence."""

import importlib
import pkgutil

import msgspec
import pytest

import tests.audits.rules as package
from audits.baseline import Baseline, Confidence, Head, Obligation, Question, Requirement, Scale
from audits.evaluate import Evaluator, folded
from audits.findings import Verdict
from audits.rules import all_rules
from tests.audits.rules.examples import Examples
from tests.audits.views_factory import silent_view

RULES = all_rules()


def _examples() -> dict[str, Examples]:
    found: dict[str, Examples] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("test_"):
            given = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "EXAMPLES", {})
            assert not found.keys() & given.keys()
            found |= given
    return found


EXAMPLES = _examples()


def verdict_of(id: str, fact) -> Verdict:
    rule = RULES[id]
    assert isinstance(fact, rule.fact), f"{id} asks for {rule.fact.__name__}"
    expects = msgspec.convert(EXAMPLES[id].expects, rule.expects)
    verdict, evidence = folded(tuple(rule.ask(fact, expects)), Verdict.FAIL)
    assert evidence
    return verdict


def test_every_rule_has_examples_and_every_example_a_rule():
    assert RULES.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("id", RULES)
def test_its_examples_pass_fail_and_stay_open(id):
    given = EXAMPLES[id]
    assert given.passes
    assert given.fails
    assert {verdict_of(id, fact) for fact in given.passes} == {Verdict.PASS}
    assert {verdict_of(id, fact) for fact in given.fails} == {Verdict.FAIL}
    assert {verdict_of(id, fact) for fact in given.opens} <= {Verdict.UNKNOWN}


@pytest.mark.parametrize("id", RULES)
def test_it_never_judges_silence(id):
    requirement = Requirement(
        id="R", rule=id, level=Obligation.MUST, clause="1", text="t", confidence=Confidence.CONFIRMED
    )
    question = Question(requirement, RULES[id], msgspec.convert(EXAMPLES[id].expects, RULES[id].expects))
    baseline = Baseline(Head("b", "t", ports={"25": Scale.STRICT}), (question,))
    judged = Evaluator([baseline]).judge(silent_view())
    assert {finding.verdict for finding in judged.findings} <= {Verdict.UNKNOWN, Verdict.NOT_APPLICABLE}
    assert all(finding.evidence for finding in judged.findings)


@pytest.mark.parametrize("id", RULES)
def test_its_page_says_what_why_and_how(id):
    page = RULES[id].page
    assert "Why it matters:" in page
    assert "How to mend it:" in page


@pytest.mark.parametrize("id", RULES)
def test_wrong_expectations_are_refused(id):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"nonsense": 1}, RULES[id].expects)

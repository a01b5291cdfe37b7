"""What depth standard searches for settles every suite that some shipped baseline forbids."""

import pytest

from audits.baseline import Question, shipped, shipped_baseline
from audits.rules.suite_patterns import SuitePatterns, matches
from audits.rules.tls_cipher_grades import CipherGrades
from audits.rules.tls_suites import SuiteLabels
from audits.rules.tls_versions import ForbiddenVersions
from scanner.wire.registry import offered_suites, suite_name
from scanner.wire.weakness import uncovered

NAMES = tuple(suite_name(code) for tls13 in (False, True) for code in offered_suites(tls13=tls13))
LIST_RULE = "CIPHER-002"
"""The rule whose patterns are the only suites allowed."""


def forbidden_suites(question: Question) -> set[str]:
    """The known suites that fail this question."""
    match question.expects:
        case SuitePatterns() as wants:
            return {name for name in NAMES if wants.match(name) is not (question.rule.id == LIST_RULE)}
        case SuiteLabels(classes):
            return {name for name in NAMES if any(matches(name, patterns) for patterns in classes.values())}
        case CipherGrades() as wants:
            return {name for name in NAMES if wants.grade_of(name) not in wants.good}
        case _:
            return set()


def forbidden_versions(questions: tuple[Question, ...]) -> set[str]:
    return {
        version
        for question in questions
        if isinstance(question.expects, ForbiddenVersions)
        for version in question.expects.forbidden
    }


@pytest.mark.parametrize("id", shipped())
def test_every_forbidden_suite_is_searched_for(id):
    questions = shipped_baseline(id).questions
    versions = forbidden_versions(questions)
    left = {question.requirement.id: uncovered(forbidden_suites(question), versions) for question in questions}
    assert not {requirement: suites for requirement, suites in left.items() if suites}


def test_the_baselines_forbid_suites_in_each_of_the_known_ways():
    """So that a new form of expectation does not pass unseen: every rule about suites is met by this test."""
    asked = {
        question.rule.id
        for id in shipped()
        for question in shipped_baseline(id).questions
        if forbidden_suites(question)
    }
    unknown = {
        question.rule.id
        for id in shipped()
        for question in shipped_baseline(id).questions
        if question.rule.id.startswith("CIPHER-") and not forbidden_suites(question)
    }
    assert asked >= {"CIPHER-001", LIST_RULE}
    assert unknown <= {"CIPHER-003", "CIPHER-006", "CIPHER-007"}, "only these ask for a suite, or for an order"

"""The gate: every word of --fail-on, and what makes a domain miss it."""

import msgspec
import pytest

from audits.findings import Verdict
from audits.gate import Gate, GateError, gate_from_words
from audits.verdicts import Grade
from tests.audits.baseline_factory import finding
from tests.audits.sample_records import record

RECORD = record()


def judged(*findings, grade: Grade = Grade.MUST):
    return msgspec.structs.replace(RECORD, findings=findings, grade=grade)


@pytest.mark.parametrize(
    ("word", "verdicts"),
    [
        ("fail", {"fail"}),
        ("warn", {"warn", "fail"}),
        ("advice", {"advice", "warn", "fail"}),
        ("FAIL", {"fail"}),
        ("unknown", {"unknown"}),
    ],
)
def test_a_verdict_stands_for_what_is_worse(word, verdicts):
    gate = gate_from_words([word])
    for verdict in Verdict:
        at_stake = verdict if verdict in (Verdict.ADVICE, Verdict.WARN) else Verdict.FAIL
        assert bool(gate.missed_by(judged(finding(verdict, at_stake)))) == (verdict.value in verdicts)


@pytest.mark.parametrize(
    ("word", "missed"),
    [
        ("NONE", {"NONE"}),
        ("MAY", {"NONE", "MAY"}),
        ("must_nopeermatch", {"NONE", "MAY", "MUST_NOPEERMATCH"}),
        ("MUST", {"NONE", "MAY", "MUST_NOPEERMATCH", "MUST"}),
        ("INCONCLUSIVE", {"INCONCLUSIVE"}),
        ("NO_MAIL", {"NO_MAIL"}),
    ],
)
def test_a_grade_stands_for_what_is_weaker(word, missed):
    gate = gate_from_words([word])
    assert {grade.value for grade in Grade if gate.missed_by(judged(grade=grade))} == missed


@pytest.mark.parametrize("word", ["TLS", "TLS-", "TLS-001", "R-1"])
def test_a_prefix_names_rules_and_requirements_that_are_not_met(word):
    gate = gate_from_words([word], ["R-1"])
    for verdict in Verdict:
        unmet = verdict in (Verdict.ADVICE, Verdict.WARN, Verdict.FAIL)
        assert bool(gate.missed_by(judged(finding(verdict)))) == unmet
    assert not gate.missed_by(judged(finding(rule="CIPHER-001", requirement="R-2")))


@pytest.mark.parametrize("word", ["fial", "pass", "waived", "", "R-1", "tls"])
def test_a_word_that_names_nothing_is_refused(word):
    if word == "":
        assert gate_from_words([word]).rules == ("",), "every rule begins with nothing"
        return
    with pytest.raises(GateError, match="is no verdict"):
        gate_from_words([word])


def test_words_add_up_and_each_reason_is_told():
    gate = gate_from_words(["fail", "MAY"])
    assert gate.missed_by(judged(finding(), grade=Grade.MAY)) == (
        "grade MAY",
        "fail R-1 (TLS-001) mx.example.org [192.0.2.1]:25",
    )


def test_without_words_everything_passes():
    assert not Gate().missed_by(judged(finding(), grade=Grade.NONE))

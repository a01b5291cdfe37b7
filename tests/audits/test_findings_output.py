"""Findings as text and JSON lines; nothing hostile is obeyed."""

import json

import msgspec
import pytest

from audits.evaluate import Evaluator
from audits.findings import Verdict, overall
from audits.findings_output import WORST_SHOWN, verdict_lines, writer
from tests.audits.baseline_factory import baseline, finding, question
from tests.audits.sample_records import HOSTILE, OBEYED, record
from tests.audits.session_factory import GOOD, asked
from tests.audits.views_factory import domain_view


def judged(*findings):
    return msgspec.structs.replace(record(), findings=findings, baselines=(overall("house", findings),))


def test_the_worst_come_first_and_the_rest_is_counted():
    verdicts = [Verdict.PASS, Verdict.ADVICE, Verdict.UNKNOWN, Verdict.WARN, Verdict.FAIL]
    lines = [*verdict_lines(judged(*map(finding, verdicts)))]
    assert lines[:2] == [
        "example.org: MUST",
        "  house: fail (pass: 1, advice: 1, warn: 1, fail: 1, unknown: 1)",
    ]
    assert [line.split()[0] for line in lines[2:]] == ["fail", "unknown", "warn", "advice"]
    assert "R-1 (TLS-001, 1.2): mx.example.org [192.0.2.1]:25: TLSv1.0: yes" in lines[2]
    many = [*verdict_lines(judged(*[finding()] * (WORST_SHOWN + 3)))]
    assert many[-1] == "    and 3 more: --format findings"


def test_hostile_words_do_nothing_on_a_terminal():
    hostile = finding(evidence=HOSTILE, subject=HOSTILE)
    assert not any(sign in line for line in verdict_lines(judged(hostile)) for sign in OBEYED)


def test_a_finding_is_one_json_line(capsys):
    writer("findings", ())([judged(finding(), finding(Verdict.PASS, evidence=HOSTILE))])
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["finding"]["verdict"] for line in lines] == ["fail", "pass"]
    assert {json.loads(line)["domain"] for line in lines} == {"example.org"}
    assert not any(sign in line for line in lines for sign in OBEYED)


@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_other_forms_show_the_verdict(capsys, form):
    house = baseline(question())
    found = Evaluator([house]).judge(domain_view(asked(GOOD)))
    given = msgspec.structs.replace(record(), findings=found.findings, baselines=found.baselines)
    writer(form, (house,))([given])
    out = capsys.readouterr().out
    if form == "jsonl":
        assert json.loads(out)["baselines"] == [{"baseline": "house", "verdict": "unknown", "counts": {"unknown": 1}}]
    else:
        assert "house: unknown (unknown: 1)" in out

"""Small baselines and findings for the tests of the judgement, made of the shipped rules."""

from typing import Any

import msgspec

from audits.baseline import Baseline, Confidence, Head, Obligation, Question, Requirement, Scale
from audits.findings import Finding, Verdict
from audits.rules import all_rules

STRICT = {"25": Scale.STRICT, "465": Scale.STRICT, "587": Scale.STRICT}
OLD = {"forbidden": ["TLSv1.0", "TLSv1.1"]}


def question(id: str = "R-1", rule: str = "TLS-001", expects: dict[str, Any] | None = None, **more: Any) -> Question:
    """A requirement with its rule; confirmed, and a must, unless told otherwise."""
    said = {"level": Obligation.MUST, "clause": "1.2", "text": "text", "confidence": Confidence.CONFIRMED} | more
    given = OLD if expects is None else expects
    known = all_rules()[rule]
    return Question(Requirement(id=id, rule=rule, expects=given, **said), known, msgspec.convert(given, known.expects))


def baseline(*questions: Question, id: str = "house", ports: dict[str, Scale] | None = None) -> Baseline:
    return Baseline(Head(id, "House rules", ports=STRICT if ports is None else ports), questions)


def finding(verdict: Verdict = Verdict.FAIL, at_stake: Verdict = Verdict.FAIL, **more: Any) -> Finding:
    said = {
        "baseline": "house",
        "requirement": "R-1",
        "rule": "TLS-001",
        "title": "text",
        "subject": "mx.example.org [192.0.2.1]:25",
        "level": "must",
        "clause": "1.2",
        "confidence": "confirmed",
        "evidence": "TLSv1.0: yes",
    } | more
    return Finding(verdict=verdict, at_stake=at_stake, **said)

"""Puts the questions of baselines to one domain: findings with verdict, clause and evidence.

A rule is asked only about an established fact. Where the fact is missing the finding is UNKNOWN with the failure as
evidence; where the question does not arise, NOT_APPLICABLE. So no rule can turn silence into a pass or a fail.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from audits.baseline import Baseline, Question, Scale
from audits.established.views import DomainView, EndpointView, Inapplicable, Missing
from audits.findings import EVIDENCE_CHARS, BaselineVerdict, Finding, Verdict, overall
from audits.rules.question import Item
from audits.waivers import Waivers
from scanner.answers import Fact


class Judged(msgspec.Struct, frozen=True):
    """All findings of one domain, and the verdict of each baseline, side by side."""

    findings: tuple[Finding, ...]
    baselines: tuple[BaselineVerdict, ...]


class _Subject(msgspec.Struct, frozen=True):
    """What a question is put to: its name, its port (None: the domain itself), and when it was looked at."""

    name: str
    port: int | None
    at: datetime | None


class Evaluator:
    """The baselines and waivers of one judgement."""

    def __init__(self, baselines: Sequence[Baseline], waivers: Waivers | None = None) -> None:
        self._baselines = tuple(baselines)
        self._waivers = waivers or Waivers(())

    def judge(self, view: DomainView) -> Judged:
        """The findings in the order of the baselines and their requirements."""
        domain = _Established(view)
        findings = tuple(
            self._waived(view, finding)
            for baseline in self._baselines
            for question in baseline.questions
            for finding in _asked(domain, baseline, question)
        )
        return Judged(findings, tuple(overall(baseline.head.id, findings) for baseline in self._baselines))

    def _waived(self, view: DomainView, finding: Finding) -> Finding:
        if finding.verdict not in (Verdict.ADVICE, Verdict.WARN, Verdict.FAIL):
            return finding
        waiver = self._waivers.covering(finding, view.subject, view.at)
        if waiver is None:
            return finding
        words = f"{waiver.owner}, until {waiver.expires}: {waiver.reason}"
        return msgspec.structs.replace(finding, verdict=Verdict.WAIVED, waiver=words)


class _Established:
    """The facts of one domain, each established once however many requirements ask for it."""

    def __init__(self, view: DomainView) -> None:
        self._view = view
        self._endpoints = tuple(view.endpoint_views())
        self._known: dict[Any, list[Any]] = {}

    def facts(self, baseline: Baseline, question: Question) -> Iterator[tuple[_Subject, Any]]:
        """The subjects of a question, each with the fact that was established of it or why it was not."""
        fact: Any = question.rule.fact
        known = self._known.get(fact)
        if hasattr(fact, "of_domain"):
            if known is None:
                known = self._known[fact] = list(fact.of_domain(self._view))
            for name, established in known:
                yield _Subject(name, None, self._view.at), established
            return
        if known is None:
            known = self._known[fact] = [fact.of_endpoint(endpoint) for endpoint in self._endpoints]
        for endpoint, established in zip(self._endpoints, known, strict=True):
            if _concerns(baseline, question, endpoint):
                yield _Subject(endpoint.subject, endpoint.port, endpoint.at), established


def _asked(domain: _Established, baseline: Baseline, question: Question) -> Iterator[Finding]:
    for subject, established in domain.facts(baseline, question):
        scale = Scale.STRICT if subject.port is None else baseline.scale(subject.port, question)
        if scale is None:
            continue
        at_stake = question.at_stake(scale, subject.at.date() if subject.at else None)
        verdict, evidence = _answer(question, established, at_stake)
        yield _finding(baseline, question, subject, (verdict, at_stake, evidence))


def _concerns(baseline: Baseline, question: Question, endpoint: EndpointView) -> bool:
    ports = question.requirement.ports
    return baseline.scale(endpoint.port, question) is not None and (not ports or endpoint.port in ports)


def _answer(question: Question, established: Any, at_stake: Verdict) -> tuple[Verdict, str]:
    match established:
        case Missing(why=why):
            return Verdict.UNKNOWN, why
        case Inapplicable(why=why):
            return Verdict.NOT_APPLICABLE, why
    return folded(tuple(question.rule.ask(established, question.expects)), at_stake)


def folded(items: Sequence[Item], at_stake: Verdict) -> tuple[Verdict, str]:
    """The verdict over all that a rule looked at: one "no" decides, else an open one leaves the question open."""
    for decided, verdict in ((Fact.NO, at_stake), (Fact.INCONCLUSIVE, Verdict.UNKNOWN)):
        wanted = (decided, Fact.NOT_TESTED) if decided is Fact.INCONCLUSIVE else (decided,)
        if found := [item.evidence for item in items if item.met in wanted]:
            return verdict, "; ".join(found)
    if not items:
        return Verdict.NOT_APPLICABLE, "nothing to ask about"
    return Verdict.PASS, "; ".join(item.evidence for item in items)


def _finding(baseline: Baseline, question: Question, subject: _Subject, said: tuple[Verdict, Verdict, str]) -> Finding:
    verdict, at_stake, evidence = said
    asked = question.requirement
    return Finding(
        baseline=baseline.head.id,
        requirement=asked.id,
        rule=question.rule.id,
        title=asked.text,
        subject=subject.name,
        verdict=verdict,
        at_stake=at_stake,
        level=asked.level.value,
        clause=asked.clause,
        confidence=asked.confidence.value,
        evidence=evidence[:EVIDENCE_CHARS],
        grade=asked.grade if verdict in (Verdict.ADVICE, Verdict.WARN, Verdict.FAIL) else "",
        result_type=question.rule.result_type if verdict in (Verdict.WARN, Verdict.FAIL) else "",
    )

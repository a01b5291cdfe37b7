"""What the report knows of each domain, packed for the page: what many domains share is written once.

The page reads it as JSON when the first domain is opened, and shows every word of it as text, never as markup.
"""

from typing import Any

import msgspec

from audits.baseline import Baseline
from audits.findings import Finding, Verdict
from audits.records import EndpointRecord
from audits.reports.judged import JudgedDomain
from audits.tables import moment
from scanner.facts import EndpointFacts

TRANSCRIPT_LINES = 80
LINE_CHARS = 300
"""What the page keeps of a transcript; the store has all."""
ORDER = (Verdict.FAIL, Verdict.WARN, Verdict.WAIVED, Verdict.ADVICE, Verdict.UNKNOWN)
"""The verdicts that the page lists, in this order; passes are counted."""


class RequirementRow(msgspec.Struct, frozen=True, array_like=True):
    """A requirement, once for all its findings; `mend` is from the page of its rule."""

    baseline: str
    id: str
    rule: str
    title: str
    clause: str
    level: str
    confidence: str
    mend: str


class Details:
    """Gathers the details; `json()` gives them all."""

    def __init__(self, baselines: tuple[Baseline, ...]) -> None:
        self._mend = {
            (baseline.head.id, question.requirement.id): mend_of(question.rule.page)
            for baseline in baselines
            for question in baseline.questions
        }
        self._requirements: dict[tuple[str, str], int] = {}
        self._rows: list[RequirementRow] = []
        self._texts: dict[str, int] = {}
        self._endpoints: dict[tuple[str, str, int], int] = {}
        self._shown: list[dict[str, Any]] = []
        self._domains: list[dict[str, Any]] = []

    def take(self, domain: JudgedDomain) -> None:
        """Packs one domain; its place is its number on the page."""
        record = domain.record
        facts = {(s.endpoint.address, s.endpoint.port, s.endpoint.sni): s for s in domain.endpoints}
        packed: dict[str, Any] = {
            "domain": record.domain_unicode,
            "ascii": record.domain,
            "grade": record.grade.value,
            "sustained": [str(level) for level in record.sustained],
            "unknown": [str(level) for level in record.unknown],
            "today": record.today.value,
            "coverage": f"{record.coverage.answered} of {record.coverage.asked} addresses answered",
            "endpoints": [
                self._endpoint(e, facts.get((e.address, e.port, e.sni))) for e in record.endpoints if not e.sni
            ],
            "findings": [self._finding(finding) for finding in _sorted(record.findings)],
            "passed": sum(finding.verdict is Verdict.PASS for finding in record.findings),
        }
        if record.binding:
            bound = record.binding
            packed["binding"] = [bound.reason, bound.mx_host, bound.detail, bound.remedy]
        if record.published:
            packed["names"] = list(record.published.must_by)
            packed["cliffs"] = [
                [f"{cliff.at:%Y-%m-%d}", " ".join(filter(None, (cliff.what, cliff.why, cliff.where)))]
                for cliff in record.published.cliffs
            ]
        if record.remarks:
            packed["remarks"] = list(record.remarks)
        self._domains.append(packed)

    def json(self) -> bytes:
        """All of it as one JSON object that may stand inside a script element."""
        encoded = msgspec.json.encode(
            {
                "verdicts": ORDER,
                "texts": list(self._texts),
                "requirements": self._rows,
                "endpoints": self._shown,
                "domains": self._domains,
            }
        )
        return (
            encoded.replace(b"<", b"\\u003c").replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
        )

    def _finding(self, finding: Finding) -> list[int]:
        """[requirement, verdict, subject, evidence, note]: places in the lists of the page, no note where none is."""
        key = (finding.baseline, finding.requirement)
        if key not in self._requirements:
            self._requirements[key] = len(self._rows)
            f = finding
            self._rows.append(
                RequirementRow(*key, f.rule, f.title, f.clause, f.level, f.confidence, self._mend.get(key, ""))
            )
        words = (finding.subject, finding.evidence, finding.waiver or finding.grade)
        return [self._requirements[key], ORDER.index(finding.verdict), *map(self._text, filter(None, words))]

    def _text(self, words: str) -> int:
        """The place of a text that many findings share."""
        return self._texts.setdefault(words, len(self._texts))

    def _endpoint(self, record: EndpointRecord, facts: EndpointFacts | None) -> int:
        key = (record.mx_host, record.address, record.port)
        if key not in self._endpoints:
            self._endpoints[key] = len(self._shown)
            self._shown.append(_endpoint(record, facts))
        return self._endpoints[key]


def _endpoint(record: EndpointRecord, facts: EndpointFacts | None) -> dict[str, Any]:
    leaf = record.leaf
    packed: dict[str, Any] = {
        "name": f"{record.mx_host} [{record.address}]:{record.port}",
        "state": record.state.value,
        "starttls": record.starttls.value,
        "detail": record.detail,
        "sustained": [str(level) for level in record.sustained],
        "reasons": [[r.level, r.sustained, r.reason, r.detail] for r in record.reasons],
        "protocols": record.protocols,
        "suites": record.suites,
        "incomplete": [version for version, whole in record.suites_complete.items() if not whole],
        "seen": moment(record.seen_at) + _earlier(record),
        "connections": record.connections,
    }
    if leaf:
        days = [f"{day:%Y-%m-%d}" if day else "?" for day in (leaf.not_before, leaf.not_after)]
        packed["leaf"] = [leaf.subject, leaf.issuer, ", ".join(leaf.names), " to ".join(days), leaf.sha256]
    if record.trust:
        packed["trust"] = record.trust.reason or "trusted"
    if facts:
        lines = [line[:LINE_CHARS] for session in facts.sessions for line in (*session.transcript, "")]
        packed["transcript"] = lines[:TRANSCRIPT_LINES]
    return packed


def _earlier(record: EndpointRecord) -> str:
    """When versions and suites were asked for, where that was on an earlier night."""
    return f" (versions and suites: {moment(record.tls_seen_at)})" if record.tls_seen_at else ""


def _sorted(findings: tuple[Finding, ...]) -> list[Finding]:
    """Those that are no pass, the worst first; in each verdict in the order of the baselines."""
    return sorted((f for f in findings if f.verdict in ORDER), key=lambda finding: ORDER.index(finding.verdict))


def mend_of(page: str) -> str:
    """The part of a rule's page that says how to mend it."""
    _, _, mend = page.partition("How to mend it:")
    return " ".join(mend.split())

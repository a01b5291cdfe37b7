"""Findings for people and programs: the verdict of each baseline a domain, or one JSON line a finding."""

import sys
from collections.abc import Callable, Iterator, Sequence

import msgspec

from audits.baseline import Baseline
from audits.findings import SEVERITY, Finding, Verdict
from audits.json_text import json_text
from audits.output import jsonl_writer
from audits.records import DomainRecord
from scanner.domain_name import printable

WORST_SHOWN = 5
"""Findings shown under one domain; `--format findings` has all."""
_ORDER = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.WAIVED, Verdict.ADVICE)


class DomainFinding(msgspec.Struct, frozen=True):
    """A finding with its domain, as one line of `judge --format findings`."""

    domain: str
    finding: Finding


def writer(form: str, baselines: Sequence[Baseline]) -> Callable[[Sequence[DomainRecord]], None]:
    """Writes records to stdout in one of the forms of `tlsaudit judge`."""
    if form == "jsonl":
        return jsonl_writer(sys.stdout)
    if form == "nagios":
        return lambda _records: None
    if form == "findings":
        return _write_findings
    return lambda records: _write_lines(line for record in records for line in verdict_lines(record))


def _write_findings(records: Sequence[DomainRecord]) -> None:
    for record in records:
        for finding in record.findings:
            sys.stdout.write(json_text(msgspec.json.encode(DomainFinding(record.domain, finding))) + "\n")


def _write_lines(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def verdict_lines(record: DomainRecord) -> Iterator[str]:
    """A domain: its grade, the verdict of each baseline, and the worst findings."""
    yield f"{printable(record.domain_unicode)}: {record.grade}"
    for verdict in record.baselines:
        counts = ", ".join(f"{word}: {count}" for word, count in verdict.counts.items())
        yield f"  {verdict.baseline}: {verdict.verdict} ({counts})"
        own = [f for f in record.findings if f.baseline == verdict.baseline and f.verdict in _ORDER]
        own.sort(key=_urgency)
        for finding in own[:WORST_SHOWN]:
            words = f"{finding.requirement} ({finding.rule}, {finding.clause}): {finding.subject}: {finding.evidence}"
            yield f"    {finding.verdict:7} {printable(words, 400)}"
        if len(own) > WORST_SHOWN:
            yield f"    and {len(own) - WORST_SHOWN} more: --format findings"


def _urgency(finding: Finding) -> tuple[int, int]:
    """What fails first, then what could still fail, warnings, and at last open questions of which little depends."""
    mild = finding.verdict is Verdict.UNKNOWN and finding.at_stake is not Verdict.FAIL
    return len(_ORDER) if mild else _ORDER.index(finding.verdict), SEVERITY[::-1].index(finding.at_stake)

"""Tickets in Markdown (CommonMark): one section an operator that has something to mend, with a list to tick off."""

import re
from collections.abc import Iterable
from typing import TextIO

from audits.findings import Verdict
from audits.reports.judged import JudgedDomain
from audits.reports.operators import Operator, Operators
from scanner.domain_name import printable

CELL = 300
FINDINGS = 2000
"""Findings listed in one file; the HTML report has all."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@]|:(?=//))")


def write_markdown(stream: TextIO, run: str, domains: Iterable[JudgedDomain], warning: str = "") -> None:
    """Writes a warning if there is one, the tickets, and the failing findings of the baselines by domain."""
    operators = Operators()
    failing: list[str] = []
    more = 0
    for domain in domains:
        operators.take(domain.record)
        for finding in domain.record.findings:
            if finding.verdict is not Verdict.FAIL:
                continue
            more += len(failing) >= FINDINGS
            if len(failing) < FINDINGS:
                words = f"{finding.title} ({finding.baseline} {finding.requirement}, {finding.clause})"
                failing.append(
                    f"- [ ] {escaped(domain.record.domain_unicode)}, {escaped(finding.subject)}: {escaped(words)}."
                    f" Seen: {escaped(finding.evidence)}"
                )
    stream.write(f"# Mail TLS: what to mend (run {escaped(run)})\n")
    if warning:
        stream.write(f"\n**Warning: {escaped(warning)}**\n")
    for operator in operators.all():
        if operator.faults:
            stream.write(_ticket(operator))
    if failing:
        stream.write("\n## Failing requirements\n\n" + "\n".join(failing) + "\n")
    if more:
        stream.write(f"\nAnd {more} more: see the HTML report.\n")


def _ticket(operator: Operator) -> str:
    named = ", ".join(map(escaped, operator.domains[:20]))
    more = f" and {len(operator.domains) - 20} more" if len(operator.domains) > 20 else ""
    lines = [f"\n## {escaped(operator.name)}\n", f"Domains: {named}{more}\n"]
    for fault in operator.faults:
        detail = f" ({escaped(fault.detail)})" if fault.detail else ""
        lines.append(f"- [ ] {escaped(fault.host)}: {escaped(fault.reason)}{detail}. {escaped(fault.remedy)}.")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Foreign text that is neither markup nor a link nor a mention, on one line."""
    return _SPECIAL.sub(r"\\\1", printable(text, CELL))

"""The page of a rule, and RULES.md: drawn from the rules and the baselines, never written by hand."""

from collections.abc import Iterator

from audits.baseline import Baseline, shipped, shipped_baseline
from audits.rules import all_rules
from audits.rules.question import Rule

HEAD = """\
# Rules

Drawn from the rules and baselines by `python -m audits.rules_page > RULES.md`; a test compares them. A rule is a
question; a baseline is a standard's answer. `tlsaudit rules ID` shows one page, `tlsaudit baselines ID` one standard.
"""


def rule_page(rule: Rule) -> str:
    """The page of one rule, with the requirements of the shipped baselines that ask it."""
    lines = [f"{rule.id}: {rule.title}", "", rule.page, ""]
    if rule.result_type:
        lines += [f"TLS reports (RFC 8460) call it {rule.result_type}.", ""]
    asked = [*_asked_by(rule)]
    lines += ["Asked by:", *(f"  {line}" for line in asked)] if asked else ["Asked by no shipped baseline."]
    return "\n".join(lines)


def rules_markdown() -> str:
    """RULES.md."""
    parts = [HEAD, "| baseline | title |", "| --- | --- |"]
    parts += [f"| `{id}` | {shipped_baseline(id).head.title} |" for id in shipped()]
    for rule in all_rules().values():
        parts += ["", f"## {rule.id}: {rule.title}", "", rule.page, ""]
        if rule.result_type:
            parts += [f"RFC 8460 result type: `{rule.result_type}`.", ""]
        parts += [f"- {line}" for line in _asked_by(rule)]
    return "\n".join(parts) + "\n"


def _asked_by(rule: Rule) -> Iterator[str]:
    for id in shipped():
        baseline: Baseline = shipped_baseline(id)
        for question in baseline.questions:
            asked = question.requirement
            if asked.rule == rule.id:
                doubt = "" if asked.confidence == "confirmed" else f" (clause {asked.confidence}: advises only)"
                yield f"{id}: {asked.id}, {asked.level}, {asked.clause}: {asked.text}{doubt}"


if __name__ == "__main__":
    print(rules_markdown(), end="")

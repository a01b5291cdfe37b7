"""What a baseline says of one subject: the verdict, with its clause and the evidence behind it."""

from enum import StrEnum

import msgspec

EVIDENCE_CHARS = 2000
"""Characters of evidence that a finding keeps; the facts themselves stand in the store."""


class Verdict(StrEnum):
    """What became of one requirement, the worst last but for the three that are no judgement."""

    PASS = "pass"
    ADVICE = "advice"
    """Not met, and the document only recommends it, or its clause is not confirmed: it never counts against anyone."""
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    """A fact that the question needs was not established; the evidence says why."""
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    """Not met, and somebody answers for it until a day (`--waivers`)."""


SEVERITY = (Verdict.PASS, Verdict.ADVICE, Verdict.WARN, Verdict.FAIL)
"""The verdicts of an answered question, in rising severity."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement of one baseline, asked of one subject.

    `requirement` is the baseline's own id, `rule` the question (`tlsaudit rules ID` shows its page); `subject` the
    domain, "host [address]:port" or the policy host; `level` the document's word (must, should, may); `grade` its own
    grade where it has several; `confidence` how well the clause was confirmed. `at_stake` is the verdict that the
    requirement gives where it is not met, so that an UNKNOWN can be weighed. `waiver` says who waived it and why.
    """

    baseline: str
    requirement: str
    rule: str
    title: str
    subject: str
    verdict: Verdict
    at_stake: Verdict
    level: str
    clause: str
    confidence: str
    evidence: str
    grade: str = ""
    result_type: str = ""
    waiver: str = ""


class BaselineVerdict(msgspec.Struct, frozen=True):
    """What one baseline says of a domain as a whole: never merged with another's.

    `verdict` is fail where a requirement fails, unknown where an open question could still fail it, warn where
    something is warned about, unknown again where an open question could still be warned about, where nothing was
    answered, or where all that applies rests on unconfirmed clauses and some of it is not met; else pass.
    `counts`: verdict -> findings.
    """

    baseline: str
    verdict: Verdict
    counts: dict[str, int]


def overall(baseline: str, findings: tuple[Finding, ...]) -> BaselineVerdict:
    """The verdict of one baseline over the findings of one domain; not-applicable where no question applied."""
    own = [finding for finding in findings if finding.baseline == baseline]
    counts = {verdict.value: sum(f.verdict is verdict for f in own) for verdict in Verdict}
    said = {finding.verdict for finding in own}
    at_stake = {finding.at_stake for finding in own if finding.verdict is Verdict.UNKNOWN}
    if Verdict.FAIL in said:
        verdict = Verdict.FAIL
    elif Verdict.FAIL in at_stake:
        verdict = Verdict.UNKNOWN
    elif Verdict.WARN in said:
        verdict = Verdict.WARN
    elif Verdict.WARN in at_stake or _rests_on_doubt(own):
        verdict = Verdict.UNKNOWN
    elif said - {Verdict.NOT_APPLICABLE, Verdict.UNKNOWN}:
        verdict = Verdict.PASS
    else:
        verdict = Verdict.UNKNOWN if Verdict.UNKNOWN in said else Verdict.NOT_APPLICABLE
    return BaselineVerdict(baseline, verdict, {word: count for word, count in counts.items() if count})


def _rests_on_doubt(own: list[Finding]) -> bool:
    """Whether nothing that applies could count against anyone, and what an unconfirmed clause demands is not met."""
    weighty = any(f.at_stake is not Verdict.ADVICE and f.verdict is not Verdict.NOT_APPLICABLE for f in own)
    unmet = [f for f in own if f.verdict in (Verdict.ADVICE, Verdict.UNKNOWN) and f.level != "may"]
    return not weighty and any(f.confidence != "confirmed" for f in unmet)

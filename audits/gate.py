"""The gate of a run: what makes its exit code 1 (`--fail-on`)."""

from collections.abc import Iterable

import msgspec

from audits.findings import SEVERITY, Verdict
from audits.records import DomainRecord
from audits.rules import all_rules
from audits.verdicts import Grade

_GRADES = (Grade.NONE, Grade.MAY, Grade.MUST_NOPEERMATCH, Grade.MUST)


class GateError(Exception):
    """A word of --fail-on that names nothing; says what there is."""


class Gate(msgspec.Struct, frozen=True):
    """What must not happen: findings of these verdicts, failing findings of these rules, these grades."""

    verdicts: frozenset[Verdict] = frozenset()
    rules: tuple[str, ...] = ()
    grades: frozenset[Grade] = frozenset()

    def missed_by(self, record: DomainRecord) -> tuple[str, ...]:
        """Why a domain does not pass, one line each; nothing where it passes. Waived findings pass."""
        reasons = [f"grade {record.grade}"] if record.grade in self.grades else []
        for finding in record.findings:
            unmet = finding.verdict in (Verdict.ADVICE, Verdict.WARN, Verdict.FAIL)
            if finding.verdict in self.verdicts or (unmet and self._names(finding.rule, finding.requirement)):
                reasons.append(f"{finding.verdict} {finding.requirement} ({finding.rule}) {finding.subject}")
        return tuple(reasons)

    def _names(self, *ids: str) -> bool:
        return any(id.startswith(prefix) for id in ids for prefix in self.rules)


def gate_from_words(words: Iterable[str], requirements: Iterable[str] = ()) -> Gate:
    """Reads the words of --fail-on: a verdict (and what is worse), a grade (and what is weaker), or a rule's prefix.

    `requirements` are the ids of the chosen baselines, which may stand there, too.
    """
    verdicts: set[Verdict] = set()
    grades: set[Grade] = set()
    rules: list[str] = []
    known = (*all_rules(), *requirements)
    for word in words:
        if word.lower() in {v.value for v in SEVERITY[1:]}:
            verdicts.update(SEVERITY[SEVERITY.index(Verdict(word.lower())) :])
        elif word.lower() == Verdict.UNKNOWN:
            verdicts.add(Verdict.UNKNOWN)
        elif word.upper() in {grade.value for grade in Grade}:
            grades.update(_this_and_weaker(Grade(word.upper())))
        elif any(id.startswith(word) for id in known):
            rules.append(word)
        else:
            raise GateError(
                f"{word!r} is no verdict (advice, warn, fail, unknown), no grade, and no rule or requirement of the"
                " chosen baselines begins so; `tlsaudit rules` lists the rules"
            )
    return Gate(frozenset(verdicts), tuple(rules), frozenset(grades))


def _this_and_weaker(grade: Grade) -> Iterable[Grade]:
    return _GRADES[: _GRADES.index(grade) + 1] if grade in _GRADES else (grade,)

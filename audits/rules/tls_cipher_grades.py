"""Which of a program's cipher grades a server's suites reach."""

from collections.abc import Iterable

import msgspec

from audits.established.tls_abilities import AcceptedSuites
from audits.rules.question import Item, met, rule
from audits.rules.suite_patterns import SuitePatterns, some
from scanner.answers import Fact

_SHOWN = 6
_NO_GRADE = "no grade"


class CipherGrade(SuitePatterns, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One grade with its suites."""

    name: str


class CipherGrades(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grades, the best first; a suite has the first that it matches. `wanted` and what is better is as expected."""

    grades: tuple[CipherGrade, ...]
    wanted: str

    def graded(self, suites: Iterable[str]) -> dict[str, list[str]]:
        """Grade -> its suites, the best first; a last one for those without."""
        left = list(suites)
        by_grade: dict[str, list[str]] = {}
        for grade in self.grades:
            if found := grade.among(left):
                by_grade[grade.name] = found
                taken = {*found}
                left = [name for name in left if name not in taken]
        return by_grade | ({_NO_GRADE: left} if left else {})

    def grade_of(self, suite: str) -> str:
        (grade,) = self.graded((suite,))
        return grade

    @property
    def good(self) -> frozenset[str]:
        names = [grade.name for grade in self.grades]
        return frozenset(names[: names.index(self.wanted) + 1]) if self.wanted in names else frozenset()


@rule("CIPHER-005", "No suite is below the wanted cipher grade")
def cipher_grade(seen: AcceptedSuites, wants: CipherGrades) -> Iterable[Item]:
    """Which cipher grade the accepted suites reach: the weakest of them decides.

    Why it matters: smtpd_tls_ciphers and smtpd_tls_mandatory_ciphers name the weakest grade that a Postfix server
    takes. What a grade holds changed with the versions of Postfix and OpenSSL, so the same word is not the same list.

    How to mend it: smtpd_tls_mandatory_ciphers = high, and smtpd_tls_ciphers = high where no peer needs less; leave
    tls_high_cipherlist alone. Suites that belong to no grade come from a cipher list of your own.
    """
    for grade, names in wants.graded(seen.accepted).items():
        yield met(grade in wants.good, f"{grade}: {some(names, _SHOWN)}")
    doubtful = sorted(wants.graded(seen.unsettled).keys() - wants.good)
    if seen.all_unsettled:
        yield Item(Fact.NOT_TESTED, "suites were not asked for (--depth standard does)")
    elif doubtful:
        yield Item(Fact.INCONCLUSIVE, f"suites of {', '.join(doubtful)} were neither accepted nor refused")

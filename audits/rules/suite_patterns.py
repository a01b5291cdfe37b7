"""How baselines name cipher suites: IANA names, and patterns of them with *."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

REMEMBERED = 2_000
"""Names whose answer is kept for each list; there are some 400 suites, and code points without a name."""
SHOWN = 12
"""Suites named in one line of evidence; the record of the endpoint has all."""


class SuitePatterns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """IANA names, or patterns of them with *; what `unless` matches is left out."""

    patterns: tuple[str, ...]
    unless: tuple[str, ...] = ()

    def match(self, name: str) -> bool:
        return bool(self.among((name,)))

    def among(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are meant, in their order."""
        without = {*among(names, self.unless)} if self.unless else ()
        return [name for name in among(names, self.patterns) if name not in without]


class _Answers(dict[str, bool]):
    """Name -> whether one of the patterns matches: the same suites meet the same patterns at every endpoint."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns

    def __missing__(self, name: str) -> bool:
        answer = any(fnmatchcase(name, pattern) for pattern in self._patterns)
        if len(self) < REMEMBERED:
            self[name] = answer
        return answer


_answers = lru_cache(1000)(_Answers)


def among(names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Those of the names that match one of the patterns, in their order."""
    answers = _answers(patterns)
    return [name for name in names if answers[name]]


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a suite is one of these."""
    return _answers(patterns)[name]


def some(names: Sequence[str], shown: int = SHOWN) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more

"""How baselines name cipher suites: IANA names, and patterns of them with *."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

SHOWN = 12
"""Suites named in one line of evidence; the record of the endpoint has all."""


class SuitePatterns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """IANA names, or patterns of them with *; what `unless` matches is left out."""

    patterns: tuple[str, ...]
    unless: tuple[str, ...] = ()

    def match(self, name: str) -> bool:
        return matches(name, self.patterns) and not matches(name, self.unless)


@lru_cache(200_000)
def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a suite is one of these. Remembered: the same suites meet the same lists at every endpoint."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def some(names: Sequence[str], shown: int = SHOWN) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more

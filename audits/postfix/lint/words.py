"""The words of the linter: a message, and the check that gives it, with its page and its two examples.

A check is declared beside the code that makes it, with an id that stays, one example that fails and one that passes;
the examples drive the tests, and docstring, examples and remedy together are the check's documentation.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from audits.postfix.source_text import shown


class Severity(StrEnum):
    """error: Postfix refuses it, or it does not do what it says; warning: it does harm; info: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Kind(StrEnum):
    """What a file is."""

    PER_SITE = "per-site"
    POLICY_MAPS = "policy-maps"
    MAIN_CF = "main.cf"


TABLE_KINDS = (Kind.PER_SITE, Kind.POLICY_MAPS)


class LintMessage(msgspec.Struct, frozen=True, order=True):
    """One finding; `line` is 0 where the whole file is meant."""

    path: str
    line: int
    id: str
    severity: Severity
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.severity}: {self.message} [{self.id}] {self.remedy}"


class Check(msgspec.Struct, frozen=True):
    """What is checked: `page` says why it matters, `fails` and `passes` are the texts of two small files.

    Where a check needs the facts of a scan, `facts` are those of its examples: a domain, an MX host and the strongest
    level that it sustains a line.
    """

    id: str
    severity: Severity
    page: str
    remedy: str
    fails: str
    passes: str
    kinds: tuple[Kind, ...] = TABLE_KINDS
    type: str = "hash"
    facts: str = ""

    def at(self, path: str, line: int, message: str, severity: Severity | None = None) -> LintMessage:
        """A message of this check; `severity` where one case is milder or graver than the check itself."""
        return LintMessage(path, line, self.id, severity or self.severity, shown(message), self.remedy)


CHECKS: dict[str, Check] = {}
"""Every check of every module that has been imported, by its id."""


def declare(check: Check) -> Check:
    """Enter a check into the list; an id is given once."""
    if check.id in CHECKS:
        raise ValueError(f"the id {check.id} is taken")
    CHECKS[check.id] = check
    return check


Place = int | tuple[str, int]
"""A line of the file at hand, or a file and its line."""
Found = Iterator[tuple[Place, str] | tuple[Place, str, Severity]]
"""What a check function yields: the place, the sentence, and another severity where it differs."""

Function = TypeVar("Function", bound=Callable[..., Any])


class Rules:
    """The check functions of one module: each is entered by its decorator, and all are run on one subject."""

    def __init__(self, *kinds: Kind, facts: str = "") -> None:
        self._kinds = kinds
        self._facts = facts
        self._functions: list[tuple[Check, Callable[..., Found]]] = []

    def check(
        self, id: str, severity: Severity, *, fails: str, passes: str, remedy: str
    ) -> Callable[[Function], Function]:
        """Enter a function `(subject) -> Found` as a check; its docstring is the check's page."""

        def enter(function: Function) -> Function:
            page = " ".join((function.__doc__ or "").split())
            check = declare(Check(id, severity, page, remedy, fails, passes, self._kinds, facts=self._facts))
            self._functions.append((check, function))
            return function

        return enter

    def messages(self, path: str, subject: object) -> Iterator[LintMessage]:
        """Run all checks of the module on one subject."""
        for check, function in self._functions:
            for found in function(subject):
                place, sentence = found[0], found[1]
                where = (path, place) if isinstance(place, int) else place
                yield check.at(*where, sentence, found[2] if len(found) > 2 else None)

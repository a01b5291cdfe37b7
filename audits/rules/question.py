"""What a rule is: a question about one kind of established fact, put with the answers that a standard expects.

A rule is a function of two arguments: the fact, and the expectations that a baseline fills in. It yields one `Item` for
each thing that it looked at. It never sees a fact that was not established: the evaluator turns a missing one into
UNKNOWN. It holds no number, suite or clause of its own: those stand in the baselines.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, get_type_hints

import msgspec

from audits.established.views import DomainFact, EndpointFact
from scanner.answers import Fact

_ID = re.compile(r"[A-Z]+-\d{3}")


class Item(msgspec.Struct, frozen=True):
    """One thing that a rule looked at: whether it is as expected, and what was seen of it.

    `met` is INCONCLUSIVE or NOT_TESTED where this part of the fact stayed open.
    """

    met: Fact
    evidence: str


def met(condition: bool, evidence: str) -> Item:
    """An item of a settled fact."""
    return Item(Fact.YES if condition else Fact.NO, evidence)


class NoExpectations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For questions that every standard answers alike."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A question. `page` is its documentation: what is checked, why it matters, how to mend it in Postfix.

    `fact` is the kind of fact that it needs, `expects` what a baseline has to say; `result_type` the word of RFC 8460
    section 4.3 for what a sender would report, where there is one.
    """

    id: str
    title: str
    page: str
    fact: type[EndpointFact] | type[DomainFact]
    expects: type[msgspec.Struct]
    ask: Callable[[Any, Any], Iterable[Item]]
    result_type: str = ""
    module: str = ""


def rule(id: str, title: str, *, result_type: str = "") -> Callable[[Callable[..., Iterable[Item]]], Rule]:
    """Makes a function a rule; its annotations name the fact and the expectations, its docstring is the page."""
    if not _ID.fullmatch(id):
        raise ValueError(f"{id}: a rule's id is PREFIX-123")

    def mark(function: Callable[..., Iterable[Item]]) -> Rule:
        page = inspect.getdoc(function)
        if not page:
            raise ValueError(f"{id}: the docstring is the rule's page")
        hints = get_type_hints(function)
        fact, expects = (hints[name] for name in inspect.signature(function).parameters)
        return Rule(
            id=id,
            title=title,
            page=page,
            fact=fact,
            expects=expects,
            ask=function,
            result_type=result_type,
            module=function.__module__,
        )

    return mark

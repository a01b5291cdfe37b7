"""How a server's sessions are resumed, and how long its tickets live."""

from typing import Self

import msgspec

from audits.established.tls_asked import unanswered
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.deep_facts import ResumptionFacts


class Resumption(msgspec.Struct, frozen=True):
    """Each way of resumption that the versions of a server leave open."""

    ways: tuple[ResumptionFacts, ...]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := unanswered(view):
            return trouble
        assert view.facts is not None
        ways = view.facts.deep.resumption if view.facts.deep else ()
        return cls(ways) if ways else Missing("not asked for (--depth full does)")

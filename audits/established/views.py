"""What a fact is established from: an endpoint or a domain, with its facts and verdicts; and how it can be missing.

A fact type is a frozen struct with one class method. It gives the fact, or `Missing` (the question stays open, and
why), or `Inapplicable` (there is nothing to ask: no such port, no TLS).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, Self

import msgspec

from audits.published import PublishedVerdict
from audits.verdicts import DomainVerdict, EndpointVerdict, State
from scanner.facts import DomainFacts, Endpoint, EndpointFacts, EndpointUse, Fact


class Missing(msgspec.Struct, frozen=True):
    """The fact is not established; `why` is the failure in its own words."""

    why: str


class Inapplicable(msgspec.Struct, frozen=True):
    """The question does not arise here."""

    why: str


class EndpointView(msgspec.Struct, frozen=True):
    """One endpoint of a domain; `facts` is None where nobody was to be asked. `published` is that of the domain."""

    verdict: EndpointVerdict
    facts: EndpointFacts | None
    published: PublishedVerdict | None = None

    @property
    def subject(self) -> str:
        """ "mx.example.org [192.0.2.1]:25"."""
        ref = self.verdict.ref
        return f"{ref.mx_host} [{ref.endpoint.address}]:{ref.endpoint.port}"

    @property
    def port(self) -> int:
        return self.verdict.ref.endpoint.port

    @property
    def at(self) -> datetime | None:
        """When it was looked at."""
        return self.facts.seen_at if self.facts else None

    def unanswered(self) -> Missing | Inapplicable | None:
        """Why nothing can be asked of this endpoint's TLS; None where TLS was spoken or may be asked about."""
        state, reason = self.verdict.state, self.verdict.reason
        why = f"{reason.cause}: {reason.detail}".rstrip(": ") if reason else str(state)
        if state is State.CLOSED:
            return Inapplicable(f"port {self.port} is closed ({why})")
        if self.facts is None or not self.facts.sessions:
            return Missing(why)
        if self.verdict.starttls is Fact.NO:
            return Inapplicable("no STARTTLS, hence no TLS")
        return None if state is State.OK else Missing(why)


class DomainView(msgspec.Struct, frozen=True):
    """One domain with everything that was seen and judged of it."""

    facts: DomainFacts
    endpoints: Mapping[Endpoint, EndpointFacts]
    verdict: DomainVerdict
    published: PublishedVerdict | None

    @property
    def subject(self) -> str:
        return self.facts.target.entry

    @property
    def at(self) -> datetime | None:
        """The latest look at one of its endpoints."""
        return max((seen.seen_at for seen in self.endpoints.values()), default=None)

    def endpoint_views(self) -> Iterable[EndpointView]:
        """Its mail and submission endpoints, as they are met without a server name."""
        for verdict in self.verdict.endpoints:
            if verdict.ref.use is not EndpointUse.POLICY:
                yield EndpointView(verdict, self.endpoints.get(verdict.ref.endpoint), self.published)


class EndpointFact(Protocol):
    """A fact about one endpoint."""

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable: ...


class DomainFact(Protocol):
    """A fact about a domain; `of_domain` gives it with its subject, once or for several subjects."""

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterable[tuple[str, Self | Missing | Inapplicable]]: ...

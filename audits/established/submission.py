"""Submission: on which ports it works inside TLS, and what SRV records say of it (RFC 8314, RFC 6186)."""

from collections.abc import Iterator
from typing import Self

import msgspec

from audits.established.mail_route import without_mail
from audits.established.views import DomainView, Inapplicable, Missing
from audits.levels import both
from audits.verdicts import EndpointVerdict, State
from scanner.answers import Fact
from scanner.facts import NO_MAIL_ROUTES, EndpointUse, RouteStatus, ServiceLookup, Transport


class SubmissionPorts(msgspec.Struct, frozen=True):
    """Port -> whether submission works there inside TLS on some host, and what was seen of each host.

    A "no" is only said of hosts that SRV records name: a port that is closed on an MX host may be open on another host
    of the provider. `visible`: a port is open, or an SRV record names a host; else there may be no submission at all.
    """

    works: dict[int, Fact]
    seen: dict[int, tuple[str, ...]]
    visible: bool = True

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        beside = [v for v in view.verdict.endpoints if v.ref.use is EndpointUse.SUBMISSION]
        if beside:
            yield view.subject, cls(*_by_port(view, beside), _is_visible(view))
        else:
            yield view.subject, without_mail(view) or Missing("no submission port was asked (--ports 25,465,587 does)")


class SubmissionServices(msgspec.Struct, frozen=True):
    """The SRV look-ups of the submission services; `visible` as in `SubmissionPorts`."""

    lookups: tuple[ServiceLookup, ...]
    visible: bool = True

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        route = view.facts.route
        if route.status in NO_MAIL_ROUTES:
            yield view.subject, Inapplicable(f"no mail: {route.status}")
        elif route.services:
            yield view.subject, cls(route.services, _is_visible(view))
        elif route.status is RouteStatus.NEXT_HOP:
            yield view.subject, Inapplicable("a next-hop in brackets has no SRV records")
        else:
            yield view.subject, without_mail(view) or Missing("no SRV record was looked for (--ports 25,465,587 does)")


def _is_visible(view: DomainView) -> bool:
    beside = (verdict for verdict in view.verdict.endpoints if verdict.ref.use is EndpointUse.SUBMISSION)
    return bool(view.facts.route.submission) or any(verdict.state is not State.CLOSED for verdict in beside)


def _by_port(view: DomainView, beside: list[EndpointVerdict]) -> tuple[dict[int, Fact], dict[int, tuple[str, ...]]]:
    named = {(service.host.name, service.port) for service in view.facts.route.submission}
    works: dict[int, Fact] = {}
    seen: dict[int, tuple[str, ...]] = {}
    for port in sorted({verdict.ref.endpoint.port for verdict in beside}):
        here = [verdict for verdict in beside if verdict.ref.endpoint.port == port]
        answers = {_works(verdict, (verdict.ref.mx_host, port) in named) for verdict in here}
        works[port] = next((fact for fact in (Fact.YES, Fact.INCONCLUSIVE) if fact in answers), Fact.NO)
        seen[port] = tuple(f"{verdict.ref.mx_host}:{port} {_words(verdict)}" for verdict in here)
    return works, seen


def _works(verdict: EndpointVerdict, is_named: bool) -> Fact:
    if verdict.state is State.CLOSED:
        return Fact.NO if is_named and _refuses(verdict) else Fact.INCONCLUSIVE
    if verdict.seen is None or not verdict.seen.answered:
        return Fact.INCONCLUSIVE
    if verdict.starttls is Fact.NO:
        return Fact.NO if is_named else Fact.INCONCLUSIVE
    implicit = verdict.ref.endpoint.transport is Transport.IMPLICIT
    return verdict.seen.tls0 if implicit else both([verdict.starttls, verdict.seen.tls0])


def _refuses(verdict: EndpointVerdict) -> bool:
    failure = verdict.seen.failure if verdict.seen else None
    return failure is not None and failure.kind == "refused"


def _words(verdict: EndpointVerdict) -> str:
    if verdict.seen is not None and verdict.seen.answered:
        return "without STARTTLS" if verdict.starttls is Fact.NO else f"TLS works: {verdict.seen.tls0}"
    return f"{verdict.state}" + (f" ({verdict.reason.detail})" if verdict.reason and verdict.reason.detail else "")

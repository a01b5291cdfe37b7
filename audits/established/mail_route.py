"""How the mail of a domain finds its hosts: MX records, aliases, addresses, signatures (RFC 5321 5.1, RFC 7505)."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Self

import msgspec

from audits.established.views import DomainView, EndpointView, Inapplicable, Missing
from audits.verdicts import State
from scanner.dns_facts import Dnssec, MxRecord
from scanner.facts import NO_MAIL_ROUTES, EndpointUse, Fact, MxHost, RouteStatus
from scanner.failures import Kind


class MxHosts(msgspec.Struct, frozen=True):
    """The hosts of the MX records in order of preference; `implicit`: there is no MX record, but an address."""

    hosts: tuple[MxHost, ...]
    implicit: bool = False

    @property
    def literals(self) -> frozenset[str]:
        """The hosts that are no names but addresses."""
        return frozenset(host.name for host in self.hosts if _is_address(host.name))

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        route = view.facts.route
        known = RouteStatus.MX, RouteStatus.IMPLICIT_MX, RouteStatus.NO_MX_ADDRESS
        if route.status in known:
            yield view.subject, cls(route.hosts, route.status is RouteStatus.IMPLICIT_MX)
        else:
            yield view.subject, _unrouted(view)


class NullMx(msgspec.Struct, frozen=True):
    """All MX records of a domain of which one is null (RFC 7505)."""

    records: tuple[MxRecord, ...]

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        route = view.facts.route
        if route.status is RouteStatus.UNRESOLVED:
            yield view.subject, _unrouted(view)
        elif route.status is not RouteStatus.NULL_MX:
            yield view.subject, Inapplicable("no null MX")
        else:
            yield view.subject, cls(route.null_mx) if route.null_mx else Missing("the records were not kept")


class SignedRoute(msgspec.Struct, frozen=True):
    """DNSSEC on the way to the hosts: the state of the MX answer (None: not asked for), and of each host's answer."""

    mx: Dnssec | None
    hosts: dict[str, Dnssec]

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        if trouble := without_mail(view):
            yield view.subject, trouble
        else:
            route = view.facts.route
            mx = None if route.status is RouteStatus.NEXT_HOP else route.mx_dnssec
            yield view.subject, cls(mx, {host.name: host.dnssec for host in route.hosts})


class Reached(msgspec.Struct, frozen=True):
    """Whether a mail endpoint can be connected to; open where nothing came back, or the server was not in the mood."""

    answers: Fact
    evidence: str

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        verdict = view.verdict
        if verdict.ref.use is not EndpointUse.MAIL:
            return Inapplicable("no mail port")
        why = f"{verdict.reason.cause}: {verdict.reason.detail}" if verdict.reason else str(verdict.state)
        if verdict.state is State.NOT_ASKED:
            return Missing(why)
        failure = verdict.seen.failure if verdict.seen else None
        if verdict.state is State.UNREACHABLE:
            refused = failure is not None and failure.kind is Kind.REFUSED
            return cls(Fact.NO if refused else Fact.INCONCLUSIVE, why)
        if verdict.seen is not None and verdict.seen.answered:
            return cls(Fact.YES, "EHLO was answered")
        return cls(Fact.INCONCLUSIVE, why)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def without_mail(view: DomainView) -> Missing | Inapplicable | None:
    """Why nothing about the mail of a domain can be asked; None where its hosts are known."""
    status = view.facts.route.status
    return _unrouted(view) if status is RouteStatus.UNRESOLVED or status in NO_MAIL_ROUTES else None


def _unrouted(view: DomainView) -> Missing | Inapplicable:
    route = view.facts.route
    if route.status is RouteStatus.UNRESOLVED:
        return Missing(str(route.failure) if route.failure else "the route could not be looked up")
    if route.status is RouteStatus.NEXT_HOP:
        return Inapplicable("a next-hop in brackets: no MX look-up")
    return Inapplicable(f"no mail: {route.status}")

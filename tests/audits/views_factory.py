"""Views of domains for the tests of rules and baselines: a healthy one, and one of which nothing was answered."""

from collections.abc import Callable

import msgspec

from audits.established.views import DomainView, EndpointView
from audits.grade import domain_verdict
from scanner.facts import DomainFacts, EndpointFacts, MailRoute, RouteStatus, Target
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire_facts import TlsFacts
from tests.audits.session_factory import SILENT, asked, domain_facts, reference, trusting


def domain_view(*seen: EndpointFacts, facts: DomainFacts | None = None, verify: Callable = trusting) -> DomainView:  # type: ignore[type-arg]
    """A domain with these endpoints behind one MX host; every chain is trusted unless told otherwise."""
    about = facts or domain_facts(*map(reference, seen))
    known = {each.endpoint: each for each in seen}
    return DomainView(about, known, domain_verdict(about, known, verify), None)


def endpoint_view(seen: EndpointFacts) -> EndpointView:
    (view,) = domain_view(seen).endpoint_views()
    return view


def with_tls(seen: EndpointFacts, tls: TlsFacts) -> EndpointFacts:
    return msgspec.structs.replace(seen, tls=tls)


def silent_view() -> DomainView:
    """A domain whose look-ups and endpoints gave no answer at all."""
    silent = asked(SILENT)
    failure = ProbeFailure(Stage.DNS, Kind.SERVFAIL, "example.org MX")
    about = domain_facts(reference(silent), status=RouteStatus.UNRESOLVED)
    route = MailRoute(RouteStatus.UNRESOLVED, about.route.hosts, failure=failure)
    about = DomainFacts(Target("example.org", "example.org"), route, about.endpoints)
    return domain_view(silent, facts=about)

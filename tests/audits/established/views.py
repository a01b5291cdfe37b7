"""Views with real chains and published policy, for the tests of what is established from them."""

from collections.abc import Sequence

import msgspec

from audits.dane import Seen
from audits.established.views import DomainView, EndpointView
from audits.grade import domain_verdict
from audits.published import published_verdict
from audits.trust import ChainVerdict, TrustStore, verify_chain
from scanner.facts import DomainFacts, EndpointFacts, EndpointRef, EndpointUse, MailRoute, RouteStatus, Target
from scanner.failures import Kind, ProbeFailure, Stage
from tests.audits.rules.chains import ROOT
from tests.audits.session_factory import GOOD, Server, asked, handshake, reference, trusting
from tests.certificate_factory import Issued

STORE = TrustStore([ROOT.der])


def verify(chain: Sequence[object], at: object) -> ChainVerdict:
    return verify_chain(STORE, chain, at)  # type: ignore[arg-type]


def serving(*chain: Issued, server: Server = GOOD, address: str = "192.0.2.1", port: int = 25) -> EndpointFacts:
    """An endpoint that shows this chain, leaf first, in every handshake."""
    certificates = tuple(each.facts for each in chain)
    shown = asked(msgspec.structs.replace(server, shake=handshake(chain=certificates)), address=address, port=port)
    return msgspec.structs.replace(shown, certificates=certificates)


def domain(*pairs: tuple[EndpointRef, EndpointFacts], about: DomainFacts | None = None) -> DomainView:
    """A domain with these endpoints, judged with the root of the tests."""
    known = {facts.endpoint: facts for _, facts in pairs}
    route = MailRoute(RouteStatus.MX)
    facts = about or DomainFacts(Target("example.org", "example.org"), route, tuple(ref for ref, _ in pairs))
    verdict = domain_verdict(facts, known, verify)
    published = published_verdict(Seen(facts, known, verdict.endpoints), verdict.sustained, verify)
    return DomainView(facts, known, verdict, published)


def endpoint(
    facts: EndpointFacts, use: EndpointUse = EndpointUse.MAIL, mx_host: str = "mx.example.org"
) -> EndpointView:
    (view,) = domain((reference(facts, mx_host=mx_host, use=use), facts)).endpoint_views()
    return view


def view_of(seen: Seen) -> DomainView:
    """The domain of `policy_factory`, every chain trusted."""
    verdict = domain_verdict(seen.facts, seen.endpoints, trusting)
    judged = Seen(seen.facts, seen.endpoints, verdict.endpoints)
    return DomainView(seen.facts, seen.endpoints, verdict, published_verdict(judged, verdict.sustained, trusting))


def routed(route: MailRoute) -> DomainView:
    """A domain of which only the route is known."""
    return domain(about=DomainFacts(Target("example.org", "example.org"), route))


def failure(kind: Kind = Kind.SERVFAIL, detail: str = "example.org") -> ProbeFailure:
    return ProbeFailure(Stage.DNS, kind, detail)


def only(fact: object, view: DomainView) -> object:
    """What a fact about a domain gives where there is one subject."""
    ((_, given),) = fact.of_domain(view)  # type: ignore[attr-defined]
    return given

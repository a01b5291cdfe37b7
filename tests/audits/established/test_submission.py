"""Submission: on which ports it works inside TLS, and what SRV records say of it."""

import pytest

from audits.established.submission import SubmissionPorts, SubmissionServices
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.facts import (
    DomainFacts,
    EndpointUse,
    MailRoute,
    MxHost,
    RouteStatus,
    ServiceLookup,
    SubmissionService,
    Target,
)
from scanner.failures import Kind
from tests.audits.session_factory import BROKEN_TLS, GOOD, NO_TLS, SILENT, Server, asked, reference

from .views import domain, failure, only, routed

REFUSED = Server(connect=Kind.REFUSED)
HOST = MxHost("mx.example.org", 10, ("192.0.2.1",))
LOOKS = (ServiceLookup("_submissions._tcp", failure=failure()), ServiceLookup("_submission._tcp"))


def ports(server: Server, port: int, named: bool) -> SubmissionPorts:
    """A domain whose host behaves so on this port, and an SRV record that names it, or none."""
    seen = asked(server, port=port)
    services = (SubmissionService("_submissions._tcp", HOST, port),) if named else ()
    route = MailRoute(RouteStatus.MX, (HOST,), submission=services, services=LOOKS)
    ref = reference(seen, use=EndpointUse.SUBMISSION)
    view = domain((ref, seen), about=DomainFacts(Target("example.org", "example.org"), route, (ref,)))
    found = only(SubmissionPorts, view)
    assert isinstance(found, SubmissionPorts)
    return found


@pytest.mark.parametrize(
    ("server", "port", "beside", "named"),
    [
        (GOOD, 465, Fact.YES, Fact.YES),
        (GOOD, 587, Fact.YES, Fact.YES),
        (NO_TLS, 587, Fact.INCONCLUSIVE, Fact.NO),
        (BROKEN_TLS, 587, Fact.NO, Fact.NO),
        (REFUSED, 465, Fact.INCONCLUSIVE, Fact.NO),
        (SILENT, 465, Fact.INCONCLUSIVE, Fact.INCONCLUSIVE),
    ],
)
def test_a_port_works_fails_or_stays_open(server, port, beside, named):
    """Behind a closed port of an MX host nothing is known of other hosts; an SRV record says that this is the one."""
    for is_named, fact in ((False, beside), (True, named)):
        found = ports(server, port, is_named)
        assert found.works == {port: fact}
        assert f"{port} {'TLS works' if server is GOOD else ''}" in found.seen[port][0]
        assert found.visible is (is_named or server not in (REFUSED, SILENT))


def test_nobody_asked():
    assert isinstance(only(SubmissionPorts, routed(MailRoute(RouteStatus.MX, (HOST,)))), Missing)
    assert isinstance(only(SubmissionServices, routed(MailRoute(RouteStatus.MX, (HOST,)))), Missing)
    for fact in (SubmissionPorts, SubmissionServices):
        assert isinstance(only(fact, routed(MailRoute(RouteStatus.NULL_MX))), Inapplicable)
    assert isinstance(only(SubmissionServices, routed(MailRoute(RouteStatus.NEXT_HOP, (HOST,)))), Inapplicable)


def test_look_ups_are_a_fact_as_they_were_made():
    assert only(SubmissionServices, routed(MailRoute(RouteStatus.MX, (HOST,), services=LOOKS))) == SubmissionServices(
        LOOKS, visible=False
    )

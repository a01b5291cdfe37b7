"""How the mail of a domain finds its hosts."""

import pytest

from audits.established.mail_route import MxHosts, NullMx, Reached, SignedRoute, without_mail
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.dns_facts import Dnssec, MxRecord
from scanner.facts import EndpointUse, MailRoute, MxHost, RouteStatus
from scanner.failures import Kind
from tests.audits.session_factory import GOOD, Server, asked, reply

from .views import endpoint, failure, only, routed

HOSTS = (MxHost("mx.example.org", 10, ("192.0.2.1",), dnssec=Dnssec.SECURE), MxHost("192.0.2.9", 20, ("192.0.2.9",)))


@pytest.mark.parametrize(
    ("route", "hosts", "null"),
    [
        (MailRoute(RouteStatus.MX, HOSTS), MxHosts(HOSTS), Inapplicable),
        (MailRoute(RouteStatus.IMPLICIT_MX, HOSTS), MxHosts(HOSTS, implicit=True), Inapplicable),
        (MailRoute(RouteStatus.NO_MX_ADDRESS, HOSTS), MxHosts(HOSTS), Inapplicable),
        (MailRoute(RouteStatus.NEXT_HOP, HOSTS), Inapplicable, Inapplicable),
        (MailRoute(RouteStatus.NO_SUCH_DOMAIN), Inapplicable, Inapplicable),
        (MailRoute(RouteStatus.NULL_MX, null_mx=(MxRecord(5, ""),)), Inapplicable, NullMx((MxRecord(5, ""),))),
        (MailRoute(RouteStatus.NULL_MX), Inapplicable, Missing),
        (MailRoute(RouteStatus.UNRESOLVED, failure=failure()), Missing, Missing),
    ],
)
def test_a_route_is_a_fact_where_it_is_known(route, hosts, null):
    for fact, expected in ((MxHosts, hosts), (NullMx, null)):
        seen = only(fact, routed(route))
        assert isinstance(seen, expected) if isinstance(expected, type) else seen == expected


def test_literals_are_told_from_names():
    assert MxHosts(HOSTS).literals == {"192.0.2.9"}


def test_signatures_on_the_way():
    seen = only(SignedRoute, routed(MailRoute(RouteStatus.MX, HOSTS[:1], mx_dnssec=Dnssec.INSECURE)))
    assert seen == SignedRoute(Dnssec.INSECURE, {"mx.example.org": Dnssec.SECURE})
    assert only(SignedRoute, routed(MailRoute(RouteStatus.NEXT_HOP, HOSTS[:1]))).mx is None, "no MX look-up"
    assert isinstance(only(SignedRoute, routed(MailRoute(RouteStatus.NULL_MX))), Inapplicable)
    unresolved = MailRoute(RouteStatus.UNRESOLVED, failure=failure())
    assert "servfail" in only(SignedRoute, routed(unresolved)).why
    assert without_mail(routed(MailRoute(RouteStatus.MX, HOSTS))) is None


@pytest.mark.parametrize(
    ("server", "answers"),
    [
        (GOOD, Fact.YES),
        (Server(connect=Kind.REFUSED), Fact.NO),
        (Server(connect=Kind.TIMEOUT), Fact.INCONCLUSIVE),
        (Server(connect=Kind.UNREACHABLE), Fact.INCONCLUSIVE),
        (Server(greeting=reply(554, "no")), Fact.INCONCLUSIVE),
        (Server(greeting=Kind.TIMEOUT), Fact.INCONCLUSIVE),
    ],
)
def test_only_a_refused_connection_is_a_no(server, answers):
    seen = Reached.of_endpoint(endpoint(asked(server)))
    assert isinstance(seen, Reached)
    assert seen.answers is answers
    assert seen.evidence


def test_submission_ports_are_no_mail_hosts():
    assert isinstance(Reached.of_endpoint(endpoint(asked(GOOD, port=587), EndpointUse.SUBMISSION)), Inapplicable)

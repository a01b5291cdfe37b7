"""TLSA records of MX hosts, and what senders with DANE make of them."""

import msgspec
import pytest

from audits.dane import TlsaState
from audits.established.tlsa_records import DaneServer, TlsaInUse, TlsaLooked, TlsaOnHosts, TlsaPublished
from audits.established.views import DomainView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.dns_facts import Dnssec, TlsaRecord
from scanner.facts import MailRoute, MxHost, RouteStatus
from scanner.failures import Kind
from tests.audits.policy_factory import MATCH, MISMATCH, host_tlsa, seen_of, tlsa_answer
from tests.audits.session_factory import GOOD, MX, NO_TLS, SILENT

from .views import failure, only, routed, view_of

FACTS = (TlsaPublished, TlsaLooked, TlsaInUse, TlsaOnHosts, DaneServer)
PKIX = TlsaRecord(1, 1, 1, bytes(32))
SHORT = TlsaRecord(3, 1, 1, b"short")


def published(*records, dnssec=Dnssec.SECURE, server=GOOD) -> DomainView:
    return view_of(seen_of(server, host_tlsa(tlsa_answer(*records, dnssec=dnssec))))


def failed(kind: Kind) -> DomainView:
    return view_of(seen_of(GOOD, host_tlsa(failure(kind, "_25._tcp"))))


@pytest.mark.parametrize(
    ("view", "state", "in_use"),
    [
        (published(MATCH), TlsaState.USABLE, TlsaInUse((MATCH,))),
        (published(MISMATCH, PKIX), TlsaState.USABLE, TlsaInUse((MISMATCH, PKIX))),
        (published(PKIX), TlsaState.UNUSABLE, TlsaInUse((PKIX,))),
        (published(), TlsaState.NONE, Inapplicable),
        (published(MATCH, dnssec=Dnssec.INSECURE), TlsaState.INSECURE, Inapplicable),
        (view_of(seen_of(GOOD)), TlsaState.NONE, Inapplicable),
        (published(MATCH, dnssec=Dnssec.INDETERMINATE), Missing, Missing),
        (failed(Kind.SERVFAIL), Missing, Missing),
        (failed(Kind.BOGUS), TlsaState.LOOKUP_FAILED, Inapplicable),
    ],
)
def test_records_are_published_and_in_use(view, state, in_use):
    found = only(TlsaPublished, view)
    assert isinstance(found, Missing) if state is Missing else found.state is state
    used = only(TlsaInUse, view)
    assert isinstance(used, in_use) if isinstance(in_use, type) else used == in_use


def test_a_bogus_answer_is_told_from_none():
    assert only(TlsaLooked, published(MATCH)).bogus is False
    assert only(TlsaLooked, published()).bogus is False
    assert only(TlsaLooked, failed(Kind.BOGUS)).bogus is True
    for records in ((), (MATCH,)):
        unproved = only(TlsaLooked, published(*records, dnssec=Dnssec.INDETERMINATE))
        assert isinstance(unproved, Missing), "nobody validated it"
    assert isinstance(only(TlsaLooked, failed(Kind.TIMEOUT)), Missing)
    assert isinstance(only(TlsaLooked, view_of(seen_of(GOOD))), Inapplicable)


def test_pkix_usages_are_well_formed_though_unusable():
    assert (TlsaInUse(()).malformed(PKIX), bool(TlsaInUse(()).malformed(SHORT))) == ("", True)


@pytest.mark.parametrize(
    ("view", "matched", "dane"),
    [
        (published(MATCH), Fact.YES, Fact.YES),
        (published(MISMATCH), Fact.NO, Fact.NO),
        (published(PKIX), Fact.NOT_TESTED, Fact.YES),
        (published(MATCH, server=NO_TLS), Fact.INCONCLUSIVE, Fact.NO),
    ],
)
def test_a_server_matches_and_a_sender_delivers(view, matched, dane):
    ((subject, found),) = DaneServer.of_domain(view)
    assert subject == f"{MX} [192.0.2.1]:25"
    assert isinstance(found, DaneServer)
    assert (found.seen.matched, found.seen.dane) == (matched, dane)


def test_what_stays_open_or_does_not_arise_at_a_server():
    assert isinstance(only(DaneServer, published()), Inapplicable)
    assert isinstance(only(DaneServer, failed(Kind.SERVFAIL)), Missing)
    assert isinstance(only(DaneServer, published(MATCH, server=SILENT)), Missing)


def test_hosts_are_compared():
    view = published(MATCH)
    second = MxHost("b.example.org", 20, ("192.0.2.2",), dnssec=Dnssec.INSECURE)
    gone = MxHost("c.example.org", 30, missing=True)
    route = msgspec.structs.replace(view.facts.route, hosts=(*view.facts.route.hosts, second, gone))
    both = msgspec.structs.replace(view, facts=msgspec.structs.replace(view.facts, route=route))
    assert only(TlsaOnHosts, both) == TlsaOnHosts({MX: TlsaState.USABLE, "b.example.org": TlsaState.NONE})
    assert isinstance(only(TlsaOnHosts, published()), Inapplicable)
    assert isinstance(only(TlsaOnHosts, failed(Kind.TIMEOUT)), Missing)
    assert [type(found) for _, found in TlsaPublished.of_domain(both)] == [TlsaPublished, TlsaPublished, Inapplicable]


@pytest.mark.parametrize("fact", FACTS)
def test_nothing_is_said_where_nobody_looked(fact):
    unresolved = MailRoute(RouteStatus.UNRESOLVED, failure=failure())
    assert isinstance(only(fact, routed(unresolved)), Missing)
    assert isinstance(only(fact, routed(MailRoute(RouteStatus.NULL_MX))), Inapplicable)
    assert isinstance(only(fact, routed(MailRoute(RouteStatus.MX, (MxHost(MX),)))), Missing), "--no-policy"

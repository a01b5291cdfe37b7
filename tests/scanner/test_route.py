"""Routes from prepared answers: RFC 5321 section 5.1, and what Postfix makes of the rest."""

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import settings
from scanner.facts import (
    NO_MAIL_ROUTES,
    AddressRecord,
    DnsAnswer,
    DnsRecord,
    Dnssec,
    DnsStatus,
    Endpoint,
    EndpointUse,
    Lookup,
    MailRoute,
    MxHost,
    MxRecord,
    RouteStatus,
    SrvRecord,
    Target,
    TxtRecord,
)
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.route import SERVICES, Question, endpoint_refs, route_plan

DOMAIN = Target("example.org", "example.org")
SERVFAIL = ProbeFailure(Stage.DNS, Kind.SERVFAIL, "A of somebody")
TIMEOUT = ProbeFailure(Stage.DNS, Kind.TIMEOUT)

Zone = Mapping[tuple[str, str], Lookup]


def found(*records: DnsRecord, **more: object) -> DnsAnswer:
    status = DnsStatus.RECORDS if records else DnsStatus.NODATA
    return DnsAnswer("", "", status, records, **more)  # type: ignore[arg-type]


NODATA = found()
NXDOMAIN = DnsAnswer("", "", DnsStatus.NXDOMAIN)


def mx(*pairs: tuple[int, str]) -> DnsAnswer:
    return found(*(MxRecord(preference, name) for preference, name in pairs))


def at(*addresses: str) -> DnsAnswer:
    return found(*map(AddressRecord, addresses))


def resolved(zone: Zone, target: Target = DOMAIN, submission: bool = False) -> tuple[MailRoute, list[Question]]:
    """The route, and every question in the order in which it was put; what the zone lacks does not exist."""
    asked: list[Question] = []
    plan = route_plan(target, submission)
    try:
        questions = next(plan)
        while True:
            asked += questions
            questions = plan.send(
                {question: zone.get((question.name, question.rdtype), NXDOMAIN) for question in questions}
            )
    except StopIteration as stop:
        return stop.value, asked


def test_hosts_come_in_order_of_preference_with_both_families():
    zone = {
        ("example.org", "MX"): mx((20, "b.example.org"), (10, "a.example.org")),
        ("a.example.org", "A"): at("192.0.2.1", "192.0.2.2"),
        ("a.example.org", "AAAA"): at("2001:db8::1"),
        ("b.example.org", "A"): at("192.0.2.3"),
        ("b.example.org", "AAAA"): NODATA,
    }
    route, asked = resolved(zone)
    assert route.status is RouteStatus.MX
    assert route.hosts == (
        MxHost("a.example.org", 10, ("192.0.2.1", "192.0.2.2", "2001:db8::1")),
        MxHost("b.example.org", 20, ("192.0.2.3",)),
    )
    assert asked == [
        Question("example.org", "MX"),
        *(Question(f"{host}.example.org", rdtype) for host in "ab" for rdtype in ("A", "AAAA")),
    ]


def test_a_host_named_twice_is_looked_up_once():
    _, asked = resolved({("example.org", "MX"): mx((10, "a.example.org"), (20, "a.example.org"))})
    assert len(asked) == len(set(asked)) == 3


@pytest.mark.parametrize(
    ("zone", "status"),
    [
        ({("example.org", "MX"): mx((0, ""))}, RouteStatus.NULL_MX),
        ({("example.org", "MX"): mx((0, ""), (10, "a.example.org"))}, RouteStatus.NULL_MX),
        ({("example.org", "MX"): mx((10, "a.example.org"), (20, ""))}, RouteStatus.NULL_MX),
        ({}, RouteStatus.NO_SUCH_DOMAIN),
        ({("example.org", "MX"): NODATA}, RouteStatus.NO_MX_NO_ADDRESS),
        ({("example.org", "MX"): NODATA, ("example.org", "A"): at("192.0.2.1")}, RouteStatus.IMPLICIT_MX),
        ({("example.org", "MX"): NODATA, ("example.org", "AAAA"): at("2001:db8::1")}, RouteStatus.IMPLICIT_MX),
        ({("example.org", "MX"): mx((10, "a.example.org"))}, RouteStatus.NO_MX_ADDRESS),
        ({("example.org", "MX"): mx((10, "a.example.org")), ("a.example.org", "A"): NODATA}, RouteStatus.NO_MX_ADDRESS),
        ({("example.org", "MX"): SERVFAIL}, RouteStatus.UNRESOLVED),
        ({("example.org", "MX"): NODATA, ("example.org", "A"): TIMEOUT}, RouteStatus.UNRESOLVED),
        (
            {("example.org", "MX"): mx((10, "a.example.org")), ("a.example.org", "AAAA"): TIMEOUT},
            RouteStatus.UNRESOLVED,
        ),
        ({("example.org", "MX"): mx((10, "192.0.2.1"))}, RouteStatus.MX),
        (
            {("example.org", "MX"): found(TxtRecord("no mx")), ("example.org", "A"): at("192.0.2.1")},
            RouteStatus.IMPLICIT_MX,
        ),
    ],
)
def test_the_status_of_a_route(zone, status):
    assert resolved(zone)[0].status is status


def test_one_host_with_addresses_is_enough_and_the_others_keep_their_trouble():
    zone = {
        ("example.org", "MX"): mx((10, "a.example.org"), (20, "b.example.org"), (30, "c.example.org")),
        ("a.example.org", "A"): SERVFAIL,
        ("b.example.org", "A"): at("192.0.2.2"),
        ("b.example.org", "AAAA"): TIMEOUT,
    }
    first, second, third = resolved(zone)[0].hosts
    assert (first.failure, first.missing, first.addresses) == (SERVFAIL, False, ())
    assert (second.failure, second.missing, second.addresses) == (TIMEOUT, False, ("192.0.2.2",))
    assert (third.failure, third.missing, third.addresses) == (None, True, ())


def test_an_unresolved_route_says_why():
    assert resolved({("example.org", "MX"): SERVFAIL})[0].failure is SERVFAIL
    zone = {("example.org", "MX"): mx((10, "a.example.org")), ("a.example.org", "A"): TIMEOUT}
    assert resolved(zone)[0].failure is TIMEOUT


@pytest.mark.parametrize(
    ("literal", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_an_mx_that_names_an_address_is_used_without_a_look_up(literal, address):
    route, asked = resolved({("example.org", "MX"): mx((10, literal))})
    assert route.hosts == (MxHost(literal, 10, (address,)),)
    assert asked == [Question("example.org", "MX")]


@pytest.mark.parametrize(
    "name", ["0x7f000001", "mx_1.example.org", "_mx.example.org", "*.example.org", "a--b.example.org", "MX.example.org"]
)
def test_what_can_be_a_name_is_one(name):
    """As Postfix takes it, which lets underscores and wildcards pass."""
    _, asked = resolved({("example.org", "MX"): mx((10, name))})
    assert asked[1:] == [Question(name, "A"), Question(name, "AAAA")]


@pytest.mark.parametrize("name", ["192.0.2", "192.0.2.01", "192.0.2.1.", "2130706433", "[192.0.2.1]", "::1::"])
def test_what_only_looks_like_an_address_is_neither_that_nor_a_name(name):
    route, asked = resolved({("example.org", "MX"): mx((10, name))})
    assert (route.status, route.hosts[0].missing, asked[1:]) == (RouteStatus.NO_MX_ADDRESS, True, [])


@pytest.mark.parametrize("name", ["mx-.example.org", "-mx.example.org", "m/x.example.org", "m\\032x.example.org"])
def test_a_host_or_alias_that_postfix_calls_malformed_has_no_address(name):
    """It passes over such a record, and bounces where there is no other: "Malformed ... name server reply"."""
    addresses = {(name, "A"): at("192.0.2.1"), ("mx.example.org", "A"): at("192.0.2.2")}
    alone, _ = resolved({("example.org", "MX"): mx((10, name)), **addresses})
    assert alone.status is RouteStatus.NO_MX_ADDRESS
    beside, _ = resolved({("example.org", "MX"): mx((10, name), (20, "mx.example.org")), **addresses})
    assert [(host.name, host.missing) for host in beside.hosts] == [(name, True), ("mx.example.org", False)]
    alias = {("mx.example.org", "A"): found(AddressRecord("192.0.2.2"), aliases=(name,))}
    aliased, _ = resolved({("example.org", "MX"): mx((10, "mx.example.org")), **alias})
    assert aliased.status is RouteStatus.NO_MX_ADDRESS


def test_a_mapped_address_and_its_ipv4_form_are_one():
    zone = {
        ("example.org", "MX"): mx((10, "a.example.org")),
        ("a.example.org", "A"): at("192.0.2.1"),
        ("a.example.org", "AAAA"): at("::ffff:192.0.2.1", "::ffff:c000:201"),
    }
    assert resolved(zone)[0].hosts[0].addresses == ("192.0.2.1",)


def test_alias_chains_of_domain_and_host_are_kept():
    zone = {
        ("example.org", "MX"): found(MxRecord(10, "a.example.org"), aliases=("www.example.net",), dnssec=Dnssec.SECURE),
        ("a.example.org", "A"): found(AddressRecord("192.0.2.1"), aliases=("b.example.net",), dnssec=Dnssec.SECURE),
        ("a.example.org", "AAAA"): found(dnssec=Dnssec.INSECURE),
    }
    route, _ = resolved(zone)
    assert (route.aliases, route.mx_dnssec) == (("www.example.net",), Dnssec.SECURE)
    assert (route.hosts[0].aliases, route.hosts[0].dnssec) == (("b.example.net",), Dnssec.INSECURE)


def test_what_was_refused_for_its_signatures_is_bogus():
    bogus = ProbeFailure(Stage.DNS, Kind.BOGUS)
    assert resolved({("example.org", "MX"): bogus})[0].mx_dnssec is Dnssec.BOGUS
    good = found(AddressRecord("192.0.2.1"), dnssec=Dnssec.SECURE)
    for other, state in ((bogus, Dnssec.BOGUS), (ProbeFailure(Stage.DNS, Kind.TIMEOUT), Dnssec.INDETERMINATE)):
        zone = {
            ("example.org", "MX"): mx((10, "a.example.org")),
            ("a.example.org", "A"): good,
            ("a.example.org", "AAAA"): other,
        }
        assert resolved(zone)[0].hosts[0].dnssec is state


def test_a_next_hop_in_brackets_has_no_mx_look_up():
    target = Target("[mx.example.org]:587", "mx.example.org", brackets=True, port=587)
    route, asked = resolved({("mx.example.org", "A"): at("192.0.2.1")}, target, submission=True)
    assert (route.status, route.hosts[0].addresses) == (RouteStatus.NEXT_HOP, ("192.0.2.1",))
    assert asked == [Question("mx.example.org", "A"), Question("mx.example.org", "AAAA")]
    assert resolved({}, target)[0].status is RouteStatus.NO_MX_NO_ADDRESS
    assert resolved({("mx.example.org", "A"): SERVFAIL}, target)[0].status is RouteStatus.UNRESOLVED


def test_an_address_literal_asks_nothing():
    route, asked = resolved({}, Target("[192.0.2.1]", "192.0.2.1", brackets=True))
    assert (route.status, route.hosts, asked) == (RouteStatus.NEXT_HOP, (MxHost("192.0.2.1", 0, ("192.0.2.1",)),), [])


# --- SRV -----------------------------------------------------------------------------------------------------------

SUBMISSION = {
    ("example.org", "MX"): mx((10, "a.example.org")),
    ("a.example.org", "A"): at("192.0.2.1"),
    ("_submissions._tcp.example.org", "SRV"): found(SrvRecord(1, 0, 465, "s.example.org")),
    ("_submission._tcp.example.org", "SRV"): found(SrvRecord(0, 1, 587, "t.example.org"), SrvRecord(0, 0, 0, "")),
    ("s.example.org", "A"): at("192.0.2.5"),
    ("t.example.org", "A"): at("192.0.2.6"),
}


def test_submission_services_are_asked_for_and_kept():
    route, asked = resolved(SUBMISSION, submission=True)
    assert [(s.service, s.host.name, s.port) for s in route.submission] == [
        ("_submissions._tcp", "s.example.org", 465),
        ("_submission._tcp", "t.example.org", 587),
    ]
    assert asked[:3] == [Question("example.org", "MX"), *(Question(f"{s}.example.org", "SRV") for s in SERVICES)]
    assert resolved(SUBMISSION)[0].submission == ()
    assert resolved(SUBMISSION)[0].services == (), "nobody asked"
    first, second = route.services
    assert (first.service, [record.target for record in first.records]) == ("_submissions._tcp", ["s.example.org"])
    assert [record.target for record in second.records] == ["t.example.org", ""], "what is decidedly not there stays"


def test_a_null_mx_is_kept_with_what_stands_beside_it():
    route, _ = resolved({("example.org", "MX"): mx((10, ""), (20, "a.example.org"))})
    assert route.null_mx == (MxRecord(10, ""), MxRecord(20, "a.example.org"))
    assert resolved({("example.org", "MX"): mx((20, "a.example.org"))})[0].null_mx == ()


def test_trouble_with_srv_changes_nothing_about_mail():
    zone = {**SUBMISSION, **{(f"{service}.example.org", "SRV"): SERVFAIL for service in SERVICES}}
    route = resolved(zone, submission=True)[0]
    assert [(look.service, look.failure) for look in route.services] == [(service, SERVFAIL) for service in SERVICES]
    assert msgspec.structs.replace(route, services=()) == resolved(zone)[0]


# --- any answers ---------------------------------------------------------------------------------------------------

NAMES = ("example.org", "a.example.org", "b.example.org", "192.0.2.9", "")
LOOKUPS = st.one_of(
    st.sampled_from([SERVFAIL, TIMEOUT, NODATA, NXDOMAIN]),
    st.lists(st.builds(MxRecord, st.integers(0, 65535), st.sampled_from(NAMES)), max_size=4).map(lambda r: found(*r)),
    st.lists(st.builds(AddressRecord, st.ip_addresses().map(str)), max_size=4).map(lambda r: found(*r)),
)
ZONES = st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from(("MX", "A", "AAAA"))), LOOKUPS)


@given(ZONES)
def test_a_look_up_that_failed_never_proves_that_there_is_no_mail(zone):
    route, asked = resolved(zone)
    failed = [zone[q.name, q.rdtype] for q in asked if isinstance(zone.get((q.name, q.rdtype)), ProbeFailure)]
    if route.status in NO_MAIL_ROUTES:
        assert not failed
    if route.status is RouteStatus.UNRESOLVED:
        assert route.failure in failed
    assert all(bool(host.addresses) or host.missing or host.failure for host in route.hosts)
    assert not any(host.missing and (host.addresses or host.failure) for host in route.hosts)
    assert len(set(asked)) == len(asked)


@given(ZONES, st.sampled_from([(25,), (25, 465, 587)]))
def test_each_way_to_an_endpoint_is_named_once(zone, ports):
    route, _ = resolved(zone)
    refs = endpoint_refs(DOMAIN, route, ports)
    assert len({(ref.mx_host, ref.endpoint) for ref in refs}) == len(refs)
    mail = [ref for ref in refs if ref.use is EndpointUse.MAIL]
    assert refs[: len(mail)] == tuple(mail)
    assert [ref.preference for ref in mail] == sorted(ref.preference for ref in mail)
    assert {ref.endpoint.address for ref in mail} == {a for host in route.hosts for a in host.addresses}


def test_bounds_on_what_a_hostile_zone_may_name():
    many = [(n, f"mx{n}.example.org") for n in range(4000)]
    addresses = at(*(f"192.0.{n // 250}.{n % 250}" for n in range(4000)))
    zone = {("example.org", "MX"): mx(*reversed(many)), **{(name, "A"): addresses for _, name in many}}
    route, asked = resolved(zone)
    assert [host.preference for host in route.hosts] == list(range(settings.MAX_MX_HOSTS))
    assert all(len(host.addresses) == settings.MAX_ADDRESSES for host in route.hosts)
    assert len(asked) == 1 + 2 * settings.MAX_MX_HOSTS


def test_endpoints_beyond_the_limit_are_named_but_not_asked():
    hosts = tuple(
        MxHost(f"mx{n}.example.org", n, tuple(f"192.0.{n}.{host}" for host in range(settings.MAX_ADDRESSES)))
        for n in range(settings.MAX_MX_HOSTS)
    )
    refs = endpoint_refs(DOMAIN, MailRoute(RouteStatus.MX, hosts), (25, 465, 587))
    assert len(refs) == 3 * settings.MAX_MX_HOSTS * settings.MAX_ADDRESSES
    asked = [ref for ref in refs if ref.failure is None]
    assert len(asked) == settings.MAX_ENDPOINTS
    assert {ref.use for ref in asked} == {EndpointUse.MAIL}
    assert max(ref.preference for ref in asked) < 10
    assert {ref.failure.kind for ref in refs if ref.failure} == {Kind.STOPPED}


# --- endpoints -----------------------------------------------------------------------------------------------------


def endpoints(target: Target, route: MailRoute, ports: tuple[int, ...]) -> list[tuple[str, Endpoint, EndpointUse]]:
    return [(ref.mx_host, ref.endpoint, ref.use) for ref in endpoint_refs(target, route, ports)]


def test_mail_ports_come_first_then_submission():
    route, _ = resolved(SUBMISSION, submission=True)
    mail, submission = EndpointUse.MAIL, EndpointUse.SUBMISSION
    assert endpoints(DOMAIN, route, (25, 465, 587)) == [
        ("a.example.org", Endpoint("192.0.2.1", 25), mail),
        ("s.example.org", Endpoint("192.0.2.5", 465), submission),
        ("t.example.org", Endpoint("192.0.2.6", 587), submission),
        ("a.example.org", Endpoint("192.0.2.1", 465), submission),
        ("a.example.org", Endpoint("192.0.2.1", 587), submission),
    ]


def test_a_next_hop_with_a_port_is_asked_there_alone():
    target = Target("example.org:587", "example.org", port=587)
    route = MailRoute(RouteStatus.MX, (MxHost("a.example.org", 10, ("192.0.2.1",)),))
    assert endpoints(target, route, (25, 465, 587)) == [("a.example.org", Endpoint("192.0.2.1", 587), EndpointUse.MAIL)]


def test_an_address_that_two_hosts_share_is_reached_by_both_names():
    hosts = (MxHost("a.example.org", 10, ("192.0.2.1",)), MxHost("b.example.org", 20, ("192.0.2.1",)))
    refs = endpoint_refs(DOMAIN, MailRoute(RouteStatus.MX, hosts), (25,))
    assert [(ref.mx_host, ref.preference) for ref in refs] == [("a.example.org", 10), ("b.example.org", 20)]


def test_a_host_named_twice_keeps_its_better_preference():
    hosts = (MxHost("a.example.org", 10, ("192.0.2.1",)), MxHost("a.example.org", 20, ("192.0.2.1",)))
    (ref,) = endpoint_refs(DOMAIN, MailRoute(RouteStatus.MX, hosts), (25,))
    assert ref.preference == 10

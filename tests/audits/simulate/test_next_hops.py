"""Which hosts stand behind a next-hop, by what a run knows."""

import msgspec
import pytest

from audits.simulate.next_hops import Destination, destination, parsed_next_hop
from audits.simulate.outcomes import Kind
from scanner.facts import Dnssec, Endpoint, EndpointRef, EndpointUse, Fact, MailRoute, MxHost, RouteStatus
from scanner.failures import Kind as Failing
from scanner.failures import ProbeFailure, Stage
from tests.audits.simulate.scripted_world import MX, MemoryRun, domain, facts_at, sender, server

HERE = facts_at(server())
DOMAIN = domain("example.org", (10, MX, HERE))
RUN = MemoryRun([DOMAIN], [HERE])


@pytest.mark.parametrize(
    ("text", "name", "brackets", "port", "entry"),
    [
        ("example.org", "example.org", False, 25, "example.org"),
        ("Example.ORG:587", "example.org", False, 587, "example.org:587"),
        ("[mx.example.org]", "mx.example.org", True, 25, "[mx.example.org]"),
        ("[mx.example.org]:smtps", "mx.example.org", True, 465, "[mx.example.org]:465"),
        ("[IPv6:2001:db8::1]:26", "2001:db8::1", True, 26, "[IPv6:2001:db8::1]:26"),
        ("[192.0.2.1]", "192.0.2.1", True, 25, "[192.0.2.1]"),
    ],
)
def test_forms(text: str, name: str, brackets: bool, port: int, entry: str) -> None:
    found = parsed_next_hop(text)
    assert found is not None
    assert (found.name, found.brackets, found.port, found.entry) == (name, brackets, port, entry)


@pytest.mark.parametrize("text", ["", "[]", "a:b:c", "[a]b", "a:99999", "a:nothing", "[a"])
def test_what_is_no_next_hop(text: str) -> None:
    assert parsed_next_hop(text) is None
    found = destination(sender(), RUN, text)
    assert found.failure is not None
    assert found.failure.kind is Kind.DEFERRED


def hosts(found: Destination) -> list[tuple[str, str, bool]]:
    """(name, address and port, seen) of each."""
    return [(met.mx_host, met.ref.endpoint.key, met.facts is not None) for met in found.hosts]


def test_a_domain_a_host_and_another_port() -> None:
    assert hosts(destination(sender(), RUN, "example.org")) == [(MX, "192.0.2.1:25", True)]
    assert hosts(destination(sender(), RUN, f"[{MX}]")) == [(MX, "192.0.2.1:25", True)]
    assert hosts(destination(sender(), RUN, "example.org:587")) == [(MX, "192.0.2.1:587", False)]


def test_what_the_run_never_met() -> None:
    for text in ("elsewhere.example", "[mx.elsewhere.example]"):
        failure = destination(sender(), RUN, text).failure
        assert failure is not None
        assert (failure.kind, failure.cause) == (Kind.UNKNOWN, "not-scanned")
        assert text in failure.detail


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (RouteStatus.NULL_MX, Kind.BOUNCED, "null-mx"),
        (RouteStatus.NO_SUCH_DOMAIN, Kind.BOUNCED, "no-such-domain"),
        (RouteStatus.UNRESOLVED, Kind.UNKNOWN, "dns-unanswered"),
    ],
)
def test_routes_that_lead_nowhere(status: RouteStatus, kind: Kind, cause: str) -> None:
    facts = domain("gone.example", status=status)
    failure = destination(sender(), RUN, "gone.example", facts).failure
    assert failure is not None
    assert (failure.kind, failure.cause) == (kind, cause)


def test_without_mx_look_ups_only_a_domain_without_mx_is_known() -> None:
    text = "disable_dns_lookups = yes\n"
    assert destination(sender(text), RUN, "example.org").failure is not None
    own = domain("own.example", (0, "own.example", HERE), status=RouteStatus.IMPLICIT_MX)
    assert hosts(destination(sender(text), RUN, "own.example", own)) == [("own.example", "192.0.2.1:25", True)]


def test_address_families() -> None:
    six = facts_at(server(), address="2001:db8::1")
    facts = domain("both.example", (10, "four.example", HERE), (20, "six.example", six))
    run = MemoryRun([facts], [HERE, six])
    four_only = destination(sender("inet_protocols = ipv4\n"), run, "both.example")
    assert [met.mx_host for met in four_only.hosts] == ["four.example"]
    assert len(destination(sender(), run, "both.example").hosts) == 2
    only_six = domain("six.example", (10, "six.example", six))
    assert destination(sender("inet_protocols = ipv4\n"), run, "six.example", only_six).failure is not None


def test_an_alias_counts_by_its_target_where_main_cf_says_so() -> None:
    host = MxHost("alias.example", 10, ("192.0.2.1",), aliases=("middle.example", "real.example"))
    facts = msgspec.structs.replace(DOMAIN, route=MailRoute(RouteStatus.MX, (host,)))
    assert hosts(destination(sender(), RUN, "example.org", facts))[0][0] == "alias.example"
    text = "smtp_cname_overrides_servername = yes\n"
    assert hosts(destination(sender(text), RUN, "example.org", facts))[0][0] == "real.example"


def test_a_host_whose_addresses_were_not_told_stays_in_sight() -> None:
    failure = ProbeFailure(Stage.DNS, Failing.SERVFAIL)
    lost = MxHost("lost.example", 5, failure=failure)
    facts = msgspec.structs.replace(DOMAIN, route=MailRoute(RouteStatus.MX, (*DOMAIN.route.hosts, lost)))
    found = destination(sender(), RUN, "example.org", facts)
    assert [(met.mx_host, met.ref.failure) for met in found.hosts] == [(MX, None), ("lost.example", failure)]


def test_handshakes_with_a_server_name_stand_beside() -> None:
    named = msgspec.structs.replace(HERE, endpoint=Endpoint("192.0.2.1", 25, MX))
    refs = (*DOMAIN.endpoints, EndpointRef(MX, 10, named.endpoint, EndpointUse.POLICY))
    facts = msgspec.structs.replace(DOMAIN, endpoints=refs)
    (met,) = destination(sender(), MemoryRun([facts], [HERE, named]), "example.org").hosts
    assert met.named == {MX: named}


@pytest.mark.parametrize(
    ("dnssec", "secure"),
    [(Dnssec.SECURE, Fact.YES), (Dnssec.INSECURE, Fact.NO), (Dnssec.INDETERMINATE, Fact.INCONCLUSIVE)],
)
def test_signed_mx_records(dnssec: Dnssec, secure: Fact) -> None:
    route = msgspec.structs.replace(DOMAIN.route, mx_dnssec=dnssec)
    facts = msgspec.structs.replace(DOMAIN, route=route)
    assert destination(sender(), RUN, "example.org", facts).mx_secure is secure
    assert destination(sender(), RUN, f"[{MX}]").mx_secure is Fact.YES

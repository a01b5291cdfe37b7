"""transport(5): which next-hop a domain's mail takes."""

import pytest

from audits.postfix.errors import ConfigError
from audits.postfix.main_cf import parse_main_cf
from audits.simulate.routing import Routing, Transport, routing_of

TABLE = """\
example.org smtp:[mx.example.org]:587
.example.org relay:outer.example
sub.example.org :
null.example smtp:
hop.example :[other.example]
error.example error:5.1.1 no mail
list.example smtp:a.example, [b.example]
"""


def routing(text: str = "", table: str = TABLE, kind: str = "hash") -> Routing:
    main_cf = parse_main_cf(f"transport_maps = {kind}:/t\nmyhostname = h.example\n{text}", "main.cf")
    return routing_of(main_cf, {"/t": table}.__getitem__)


@pytest.mark.parametrize(
    ("domain", "service", "hops"),
    [
        ("example.org", "smtp", ("[mx.example.org]:587",)),
        ("deep.down.example.org", "relay", ("outer.example",)),
        ("sub.example.org", "smtp", ("sub.example.org",)),
        ("null.example", "smtp", ("null.example",)),
        ("hop.example", "smtp", ("[other.example]",)),
        ("error.example", "error", ("5.1.1", "no", "mail")),
        ("list.example", "smtp", ("a.example", "[b.example]")),
        ("elsewhere.example", "smtp", ("elsewhere.example",)),
    ],
)
def test_the_table_decides(domain: str, service: str, hops: tuple[str, ...]) -> None:
    found = routing().of(domain)
    assert isinstance(found, Transport)
    assert (found.service, found.next_hops) == (service, hops)


@pytest.mark.parametrize(
    ("domain", "hops", "relay"),
    [
        ("elsewhere.example", ("[relay.example]",), True),
        ("sub.example.org", ("[relay.example]",), True),
        ("null.example", ("null.example",), False),
        ("hop.example", ("[other.example]",), False),
    ],
)
def test_a_relayhost_takes_what_the_table_does_not(domain: str, hops: tuple[str, ...], relay: bool) -> None:
    found = routing("relayhost = [relay.example]\n").of(domain)
    assert isinstance(found, Transport)
    assert (found.next_hops, found.relay) == (hops, relay)


def test_a_star_takes_all_that_is_left() -> None:
    found = routing(table="* relay:[hub.example]\nexample.org :\n")
    assert found.of("any.example") == Transport("relay", ("[hub.example]",), "transport_maps, /t:1")
    assert found.of("example.org").next_hops == ("example.org",)  # type: ignore[union-attr]


def test_default_transport_may_name_a_next_hop_that_goes_before_relayhost() -> None:
    found = routing("default_transport = smtp:[out.example]\nrelayhost = [relay.example]\n").of("any.example")
    assert isinstance(found, Transport)
    assert (found.service, found.next_hops, found.relay) == ("smtp", ("[out.example]",), False)


def test_patterns_see_a_whole_address() -> None:
    found = routing(table="/@example\\.org$/ smtp:[one.example]\n/^example/ smtp:[never.example]\n", kind="regexp")
    assert found.of("example.org").next_hops == ("[one.example]",)  # type: ignore[union-attr]
    assert found.of("example.net").next_hops == ("example.net",)  # type: ignore[union-attr]
    assert any("postmaster@DOMAIN" in note for note in found.notes)


def test_patterns_see_the_star_too() -> None:
    """trivial-rewrite looks for "*" when it starts, in every table: what is not @example.org is not example.org."""
    found = routing(table="!/@example\\.org$/ smtp:[caught.example]\n", kind="regexp")
    assert found.of("example.org").next_hops == ("[caught.example]",)  # type: ignore[union-attr]


def test_parents_have_no_dot_where_parent_domain_matches_subdomains_says_so() -> None:
    found = routing("parent_domain_matches_subdomains = transport_maps\n")
    assert found.of("a.null.example") == Transport("smtp", ("a.null.example",), "transport_maps, /t:4")
    assert found.of("b.deep.example.org").next_hops == ("[mx.example.org]:587",)  # type: ignore[union-attr]


def test_the_default_of_mydestination_counts_where_the_host_has_its_name_from_main_cf() -> None:
    assert routing().of("h.example").service == "local"  # type: ignore[union-attr]
    bare = parse_main_cf("relayhost = [relay.example]\n", "main.cf")
    assert routing_of(bare).of("h.example").service == "smtp"  # type: ignore[union-attr]


def test_own_domains_are_not_sent_by_smtp() -> None:
    found = routing("mydestination = $myhostname, own.example, hash:/more\n")
    assert found.of("own.example").service == "local"  # type: ignore[union-attr]
    assert found.of("h.example").service == "local"  # type: ignore[union-attr]
    assert any("mydestination" in note for note in found.notes)


def test_an_empty_value_is_a_lookup_error() -> None:
    assert "empty value" in routing("transport_maps = inline:{{example.org=}}\n").of("example.org")  # type: ignore[operator]


def test_a_table_that_cannot_be_read_names_the_line() -> None:
    main_cf = parse_main_cf("relayhost =\ntransport_maps = ldap:/etc/t\n", "/etc/main.cf")
    with pytest.raises(ConfigError, match=r"/etc/main\.cf:2: .*ldap"):
        routing_of(main_cf)


@pytest.mark.parametrize(
    ("text", "domain", "service"),
    [
        ("", "relayed.example", "inner"),
        ("", "sub.relayed.example", "inner"),
        ("", "notrelayed.example", "smtp"),
        ("parent_domain_matches_subdomains =\n", "sub.relayed.example", "smtp"),
    ],
)
def test_relayed_domains_have_a_transport_of_their_own(text: str, domain: str, service: str) -> None:
    found = routing(f"relay_domains = relayed.example\nrelay_transport = inner:[in.example]\n{text}", table="").of(
        domain
    )
    assert isinstance(found, Transport)
    assert found.service == service

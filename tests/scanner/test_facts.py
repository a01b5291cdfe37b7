"""The words survive a round trip through JSON unchanged, whatever a peer said."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.facts import (
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    MailRoute,
    RouteStatus,
    SessionFacts,
    Target,
    Transport,
)
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.tls_facts import HelloStyle

NOW = datetime(2026, 11, 21, 6, 30, 0, 123456, tzinfo=UTC)


@given(st.from_type(EndpointFacts))
def test_endpoint_facts_come_back_as_they_were(facts):
    facts = msgspec.structs.replace(facts, seen_at=NOW, certificates=())
    assert msgspec.json.decode(msgspec.json.encode(facts), type=EndpointFacts) == facts


@given(st.from_type(SessionFacts))
def test_sessions_come_back_as_they_were(facts):
    assert msgspec.json.decode(msgspec.json.encode(facts), type=SessionFacts) == facts


def test_domain_facts_come_back_as_they_were():
    refused = ProbeFailure(Stage.CONNECT, Kind.EXCLUDED, "192.0.2.1")
    ref = EndpointRef("mx.example.org", 10, Endpoint("192.0.2.1", 25), failure=refused)
    facts = DomainFacts(Target("example.org", "example.org"), MailRoute(RouteStatus.MX), (ref,))
    assert msgspec.json.decode(msgspec.json.encode(facts), type=DomainFacts) == facts


def test_facts_of_an_earlier_version_are_still_read():
    """Fields are only added, with defaults, so that stored runs stay readable."""
    line = b'{"endpoint":{"address":"192.0.2.1","port":25},"seen_at":"2026-11-21T06:30:00Z"}'
    assert msgspec.json.decode(line, type=EndpointFacts).connections == 0
    line = b'{"target":{"entry":"a.example","name":"a.example"},"route":{"status":"null-mx"}}'
    assert msgspec.json.decode(line, type=DomainFacts).route.status is RouteStatus.NULL_MX


@pytest.mark.parametrize(
    ("endpoint", "key", "transport"),
    [
        (Endpoint("192.0.2.1", 25), "192.0.2.1:25", Transport.STARTTLS),
        (Endpoint("192.0.2.1", 465), "192.0.2.1:465", Transport.IMPLICIT),
        (Endpoint("2001:db8::1", 587), "[2001:db8::1]:587", Transport.STARTTLS),
        (Endpoint("192.0.2.1", 25, "mx.example.org"), "192.0.2.1:25/mx.example.org", Transport.STARTTLS),
    ],
)
def test_an_endpoint_is_a_key_and_has_a_transport(endpoint, key, transport):
    assert (endpoint.key, endpoint.transport) == (key, transport)


def test_connections_count_sessions_and_hellos():
    sessions = (SessionFacts(HelloStyle.POSTFIX_MUST), SessionFacts(HelloStyle.CLASSIC))
    assert EndpointFacts(Endpoint("192.0.2.1", 25), NOW, sessions, hello_connections=11).connections == 13


def test_only_endpoints_without_an_obstacle_are_probed_each_once():
    here, there = Endpoint("192.0.2.1", 25), Endpoint("192.0.2.2", 25)
    refs = (
        EndpointRef("a.example", 1, here),
        EndpointRef("b.example", 2, here),
        EndpointRef("b.example", 2, there, failure=ProbeFailure(Stage.CONNECT, Kind.EXCLUDED)),
    )
    facts = DomainFacts(Target("a.example", "a.example"), MailRoute(RouteStatus.MX), refs)
    assert facts.probed == (here,)

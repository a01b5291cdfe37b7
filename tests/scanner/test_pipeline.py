"""Whole scans in memory on the virtual clock: a fake DNS and servers that are reached through the connector."""

import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from trio.testing import MockClock

from audits.demo.behaviour import Behaviour, Close, Hang, TlsServer, reply
from audits.demo.certificates import new_authority
from scanner.egress import EgressBlocked
from scanner.endpoint_probe import Shells
from scanner.facts import (
    AddressRecord,
    DnsAnswer,
    DnsRecord,
    DnsStatus,
    Endpoint,
    EndpointUse,
    Lookup,
    MxRecord,
    RouteStatus,
    SrvRecord,
    Target,
)
from scanner.failures import Kind, LocalTroubleError, ProbeFailure, Stage
from scanner.pipeline import ProbedDomain, run_scan
from scanner.route import Question
from scanner.settings import ScanSettings
from tests.scanner.memory_network import Silent
from tests.scanner.memory_world import World, at, mx

CREDENTIAL = new_authority().credential("mx.example.org")
HEALTHY = Behaviour(tls=TlsServer(chains=(CREDENTIAL.chain_pem,)))
PLAIN = Behaviour()
BUSY = Behaviour(greeting=(*reply(421, "4.7.0 Too busy"), Close()))
SERVFAIL = ProbeFailure(Stage.DNS, Kind.SERVFAIL)


def shared(count: int) -> World:
    """Many domains with one MX host at one address."""
    zone: dict[tuple[str, str], Any] = {(f"d{n}.example", "MX"): mx("mx.example.org") for n in range(count)}
    return World({**zone, ("mx.example.org", "A"): at("8.8.8.8")}, {("8.8.8.8", 25): HEALTHY})


# --- each thing once -----------------------------------------------------------------------------------------------


async def test_a_domain_comes_out_with_its_route_and_its_endpoints(autojump_clock):
    world = shared(1)
    await world.scan(["d0.example"])
    (facts,) = world.delivered["d0.example"].endpoints
    assert (facts.endpoint, facts.connections) == (Endpoint("8.8.8.8", 25), 1)
    assert facts.sessions[0].handshake
    assert {c.sha256 for c in facts.certificates} == set(facts.sessions[0].handshake.chain)


async def test_an_endpoint_that_a_thousand_domains_share_is_probed_once(autojump_clock):
    world = shared(1000)
    await world.scan([f"d{n}.example" for n in range(1000)])
    assert len(world.delivered) == 1000
    assert world.network.attempts == [("8.8.8.8", 25)]
    assert {result.endpoints for result in world.delivered.values()} == {world.delivered["d0.example"].endpoints}
    assert Counter(world.asked).most_common(1)[0][1] == 1


async def test_one_connection_at_a_time_to_an_address_over_all_its_ports(autojump_clock):
    servers = {("8.8.8.8", port): HEALTHY for port in (25, 587, 2525)}
    services = [SrvRecord(0, 0, 2525, "mx.example.org")]
    zone = {
        ("d0.example", "MX"): mx("mx.example.org"),
        ("mx.example.org", "A"): at("8.8.8.8"),
        ("mx.example.org", "AAAA"): at("::ffff:8.8.8.8"),
        ("_submission._tcp.d0.example", "SRV"): services,
    }
    world = World(zone, servers)
    await world.scan(["d0.example"], ports=(25, 465, 587))
    assert sorted(world.network.attempts) == [("8.8.8.8", port) for port in (25, 465, 587, 2525)]
    assert world.network.attempts[0] == ("8.8.8.8", 25)
    assert world.network.most_at_once == {"8.8.8.8": 1}
    began = sorted(session[0].began_at for session in world.network.sessions.values())
    assert all(later - sooner >= 1.0 for sooner, later in pairwise(began))
    assert all(ref.use is EndpointUse.SUBMISSION for key, ref in world.refs("d0.example").items() if key[1] != 25)


async def test_facts_that_the_run_has_already_are_not_asked_for_again(autojump_clock):
    first, second = shared(3), shared(3)
    await first.scan([f"d{n}.example" for n in range(3)])
    known = {facts.endpoint: facts for result in first.delivered.values() for facts in result.endpoints}

    async def recall(endpoint: Endpoint) -> Any:
        return known.get(endpoint)

    await second.scan([f"d{n}.example" for n in range(3)], {"recall": recall})
    assert second.network.attempts == []
    assert {e for result in second.delivered.values() for e in result.endpoints} == set(known.values())


async def test_jobs_bound_what_is_in_flight(autojump_clock):
    zone: dict[tuple[str, str], Any] = {(f"d{n}.example", "A"): at(f"8.8.{n}.8") for n in range(30)}
    zone |= {(f"d{n}.example", "MX"): [] for n in range(30)}
    world = World(zone, {(f"8.8.{n}.8", 25): Behaviour(greeting=(Hang(),)) for n in range(30)})
    most = 0

    def observe(endpoint: Endpoint, session: object) -> None:
        nonlocal most
        most = max(most, sum(world.network.open_now.values()) + 1)

    await world.scan([f"d{n}.example" for n in range(30)], {"observe": observe}, jobs=4)
    assert len(world.delivered) == 30
    assert most <= 4
    assert trio.current_time() >= 30 / 4 * 30


async def test_the_grade_comes_first_at_every_address(autojump_clock):
    addresses = [f"8.8.{n}.8" for n in range(8)]
    world = World({("d0.example", "MX"): [], ("d0.example", "A"): at(*addresses)}, {(a, 25): PLAIN for a in addresses})
    await world.scan(["d0.example"], ports=(25, 465, 587))
    assert {port for _, port in world.network.attempts[: 2 * len(addresses)]} == {25}
    result = world.delivered["d0.example"]
    assert [one.endpoint for one in result.endpoints] == list(result.facts.probed)


# --- left alone ----------------------------------------------------------------------------------------------------


async def test_an_excluded_domain_causes_no_query_and_no_connection(autojump_clock):
    world = shared(2)
    await world.scan(["d0.example", "d1.example", "sub.d1.example"], excluded_names=("d1.example",))
    assert not any(question.name.endswith("d1.example") for question in world.asked)
    for name in ("d1.example", "sub.d1.example"):
        route = world.delivered[name].facts.route
        assert route.failure == ProbeFailure(Stage.DNS, Kind.EXCLUDED, name)
        assert world.delivered[name].endpoints == ()


async def test_an_excluded_mx_host_causes_no_query_and_no_connection(autojump_clock):
    zone = {
        ("d0.example", "MX"): mx("mx.example.org", "mx.example.net"),
        ("mx.example.org", "A"): at("8.8.8.8"),
        ("mx.example.net", "A"): at("8.8.4.4"),
    }
    world = World(zone, {("8.8.8.8", 25): HEALTHY, ("8.8.4.4", 25): HEALTHY})
    await world.scan(["d0.example"], excluded_names=("example.org",))
    assert world.contacted == {("8.8.4.4", 25)}
    assert not any("example.org" in question.name for question in world.asked)
    excluded, other = world.delivered["d0.example"].facts.route.hosts
    assert excluded.failure
    assert (excluded.failure.kind, excluded.missing, other.addresses) == (Kind.EXCLUDED, False, ("8.8.4.4",))


async def test_an_alias_of_an_excluded_host_is_not_contacted(autojump_clock):
    world = shared(1)

    async def look_up(question: Question) -> Lookup:
        if question == Question("mx.example.org", "A"):
            return DnsAnswer(
                *("mx.example.org", "A"), DnsStatus.RECORDS, (AddressRecord("8.8.8.8"),), ("mx.example.net",)
            )
        return await world.look_up(question)

    await world.scan(["d0.example"], {"look_up": look_up}, excluded_names=("example.net",))
    assert world.contacted == set()
    assert world.refs("d0.example")["8.8.8.8", 25].failure == ProbeFailure(Stage.CONNECT, Kind.EXCLUDED, "8.8.8.8")


@pytest.mark.parametrize(
    ("address", "choices", "kind"),
    [
        ("8.8.8.8", {}, None),
        ("8.8.8.8", {"excluded_networks": ("8.8.0.0/16",)}, Kind.EXCLUDED),
        ("8.8.8.8", {"ipv4": False}, Kind.FAMILY_NOT_ASKED),
        ("8.8.8.8", {"ipv6": False, "ipv6_route": False}, None),
        ("2606:4700::1", {}, None),
        ("2606:4700::1", {"ipv6": False}, Kind.FAMILY_NOT_ASKED),
        ("2606:4700::1", {"ipv6_route": False}, Kind.NO_LOCAL_IPV6),
        ("192.168.0.1", {}, Kind.ADDRESS_NOT_PUBLIC),
        ("192.168.0.1", {"allow_private": True}, None),
        ("192.168.0.1", {"allow_private": True, "excluded_networks": ("192.168.0.0/24",)}, Kind.EXCLUDED),
        ("127.0.0.1", {}, Kind.ADDRESS_NOT_PUBLIC),
        ("::ffff:127.0.0.1", {}, Kind.ADDRESS_NOT_PUBLIC),
        ("64:ff9b::a00:1", {}, Kind.ADDRESS_NOT_PUBLIC),
        ("::1", {"allow_private": True, "ipv6_route": False}, None),
        ("fe80::1%lo", {}, Kind.ADDRESS_NOT_PUBLIC),
    ],
)
@pytest.mark.parametrize("way", ["address record", "mx literal", "next-hop"])
async def test_addresses_that_are_left_alone(autojump_clock, address, choices, kind, way):
    family = "AAAA" if ":" in address else "A"
    zone = {
        "address record": {("d0.example", "MX"): [], ("d0.example", family): at(address)},
        "mx literal": {("d0.example", "MX"): mx(address)},
        "next-hop": {},
    }[way]
    target = Target(f"[{address}]", address, brackets=True) if way == "next-hop" else Target("d0.example", "d0.example")
    world = World(zone, {})
    await world.scan([target], **choices)
    (ref,) = world.delivered[target.entry].facts.endpoints
    assert (ref.failure.kind if ref.failure else None) is kind
    assert len(world.network.attempts) == (kind is None)
    assert len(world.delivered[target.entry].endpoints) == (kind is None)


# --- trouble -------------------------------------------------------------------------------------------------------


async def test_a_domain_that_cannot_be_resolved_is_delivered_all_the_same(autojump_clock):
    world = World({("d0.example", "MX"): SERVFAIL}, {})
    await world.scan(["d0.example", "d1.example"])
    assert world.delivered["d0.example"].facts.route.status is RouteStatus.UNRESOLVED
    assert world.delivered["d1.example"].facts.route.status is RouteStatus.NO_SUCH_DOMAIN


async def test_a_provider_that_refuses_is_left_alone_and_said_so(autojump_clock):
    zone: dict[tuple[str, str], Any] = {(f"d{n}.example", "MX"): mx(f"mx{n}.example.org") for n in range(40)}
    zone |= {(f"mx{n}.example.org", "A"): at(f"8.8.{n}.8") for n in range(40)}
    world = World(zone, {(f"8.8.{n}.8", 25): BUSY for n in range(40)})
    await world.scan([f"d{n}.example" for n in range(40)], provider_jobs=2)
    assert 5 <= len(world.network.attempts) <= 7
    kinds = Counter(
        result.endpoints[0].failure.kind for result in world.delivered.values() if result.endpoints[0].failure
    )
    assert kinds == {Kind.PROVIDER_PAUSED: 40 - len(world.network.attempts)}
    assert all(result.endpoints[0].sessions or result.endpoints[0].failure for result in world.delivered.values())


async def test_blocked_egress_stops_the_run_and_comes_out_bare(autojump_clock):
    zone: dict[tuple[str, str], Any] = {(f"d{n}.example", "A"): at(f"8.8.{n}.8", f"9.9.{n}.9") for n in range(200)}
    zone |= {(f"d{n}.example", "MX"): [] for n in range(200)}
    world = World(zone, {(f"{a}.{a}.{n}.{a}", 25): Silent for a in (8, 9) for n in range(200)})
    with pytest.raises(EgressBlocked):
        await world.scan((f"d{n}.example" for n in range(200)), jobs=20)
    assert len(world.network.attempts) < 100


async def test_blocked_egress_shows_in_a_short_input_as_well(autojump_clock):
    zone: dict[tuple[str, str], Any] = {
        ("d0.example", "MX"): [],
        ("d0.example", "A"): at("8.8.8.8", "9.9.9.9", "1.1.1.1"),
    }
    world = World(zone, dict.fromkeys([("8.8.8.8", 25), ("9.9.9.9", 25), ("1.1.1.1", 25)], Silent))
    with pytest.raises(EgressBlocked):
        await world.scan(["d0.example"])
    assert list(world.delivered) == ["d0.example"]


async def test_local_trouble_stops_the_run_and_comes_out_bare(autojump_clock):
    world = shared(5)
    world.servers["8.8.8.8", 25] = OSError(24, "Too many open files")
    with pytest.raises(LocalTroubleError):
        await world.scan([f"d{n}.example" for n in range(5)])


async def test_a_bug_of_ours_is_not_hidden(autojump_clock):
    async def look_up(question: Question) -> Lookup:
        raise ZeroDivisionError

    with pytest.raises(BaseExceptionGroup) as caught:
        await shared(1).scan(["d0.example"], {"look_up": look_up})
    assert caught.group_contains(ZeroDivisionError)


# --- many ----------------------------------------------------------------------------------------------------------


async def test_the_iterator_is_read_no_further_than_there_are_jobs(autojump_clock):
    read = 0

    def counted() -> Iterator[str]:
        nonlocal read
        for n in range(1000):
            read += 1
            yield f"d{n}.example"

    world = shared(1000)
    with trio.move_on_after(0.005):
        await world.scan(counted(), jobs=7)
    assert read == 7


def test_memory_does_not_grow_with_the_input():
    async def main(count: int) -> int:
        async def look_up(question: Question) -> Lookup:
            await trio.lowlevel.checkpoint()
            records: dict[str, DnsRecord] = {"MX": MxRecord(10, "mx.example.org"), "A": AddressRecord("192.168.0.1")}
            found = (records[question.rdtype],) if question.rdtype in records else ()
            return DnsAnswer(question.name, question.rdtype, DnsStatus.RECORDS if found else DnsStatus.NODATA, found)

        async def deliver(result: ProbedDomain) -> None:
            await trio.lowlevel.checkpoint()

        targets = (Target(f"d{n}.example", f"d{n}.example") for n in range(count))
        await run_scan(targets, ScanSettings(jobs=20, ports=(25,)), Shells(look_up=look_up), deliver)
        gc.collect()
        return tracemalloc.get_traced_memory()[1]

    def peak(count: int, monkeypatch: pytest.MonkeyPatch) -> int:
        monkeypatch.setattr("scanner.pipeline.CACHE_ENTRIES", 200)
        tracemalloc.start()
        try:
            return trio.run(main, count)
        finally:
            tracemalloc.stop()

    with pytest.MonkeyPatch.context() as monkeypatch:
        assert peak(2500, monkeypatch) < peak(1200, monkeypatch) * 1.2


NETWORKS = st.integers(0, 5).map(lambda n: f"8.8.{n}.8")
SERVERS = st.sampled_from(
    [HEALTHY, PLAIN, BUSY, Silent, None, Behaviour(ehlo=(Close(),)), Behaviour(greeting=(Hang(),))]
)


@given(
    st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 6), max_size=3), min_size=1),
    st.dictionaries(st.integers(0, 6), st.lists(NETWORKS, max_size=3)),
    st.dictionaries(NETWORKS, SERVERS),
    st.integers(1, 5),
)
@hypothesis_settings(deadline=None, max_examples=40)
def test_any_world_is_scanned_to_its_end_with_manners(domains, hosts, servers, jobs):
    zone: dict[tuple[str, str], Any] = {
        (f"d{d}.example", "MX"): mx(*(f"mx{h}.example.org" for h in hs)) for d, hs in domains.items()
    }
    zone |= {(f"mx{h}.example.org", "A"): at(*addresses) for h, addresses in hosts.items()}
    listening = {(address, 25): server for address, server in servers.items() if server is not None}
    world = World(zone, listening)

    async def main() -> None:
        try:
            await world.scan([f"d{d}.example" for d in domains], jobs=jobs, provider_jobs=2)
        except EgressBlocked:
            assert all(server is Silent for server in listening.values())

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert all(most <= 1 for most in world.network.most_at_once.values())
    assert all(count <= 3 for count in Counter(world.network.attempts).values())
    assert set(world.delivered) == {f"d{d}.example" for d in domains}
    for result in world.delivered.values():
        assert [facts.endpoint for facts in result.endpoints] == list(result.facts.probed)

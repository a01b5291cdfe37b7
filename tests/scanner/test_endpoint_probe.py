"""One endpoint after the other, with all manners, in memory on the virtual clock; connections are counted."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
import trio

from audits.demo.behaviour import Behaviour, Close, Hang, Send, TlsServer, Wait, reply
from audits.demo.certificates import new_authority
from scanner.answers import Fact
from scanner.egress import EgressBlocked
from scanner.endpoint_probe import EndpointProbe, Shells
from scanner.facts import Endpoint, EndpointFacts, Lookup, SessionFacts
from scanner.failures import Kind, Stage
from scanner.plans import POLICY_BUDGET
from scanner.route import Question
from scanner.settings import Depth, ScanSettings
from scanner.tls_facts import HelloStyle
from tests.scanner.memory_network import MemoryNetwork, Silent

MUST, CLASSIC, LEVEL1 = HelloStyle.POSTFIX_MUST, HelloStyle.CLASSIC, HelloStyle.CLASSIC_LEVEL1
CHAIN = new_authority().credential("mx.example.org").chain_pem
MODERN = TlsServer(chains=(CHAIN,))
SMALL_HELLOS_ONLY = TlsServer(chains=(CHAIN,), largest_hello=600)
OLD = TlsServer(chains=(CHAIN,), minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.TLSv1_1, ciphers="ALL")
BUSY = Behaviour(greeting=(*reply(421, "4.7.0 Too many connections"), Close()))
HOST = Endpoint("8.8.8.8", 25)
START = datetime(2026, 1, 1, tzinfo=UTC)


async def no_look_up(question: Question) -> Lookup:
    raise AssertionError("an endpoint is known by its address")


class Probing:
    """What came of probing some endpoints: their facts, and the network they were reached through."""

    def __init__(self) -> None:
        self.facts: dict[Endpoint, EndpointFacts] = {}
        self.seen: list[tuple[Endpoint, SessionFacts]] = []
        self.network: MemoryNetwork

    async def run(self, servers: dict[Endpoint, Any], endpoints: Sequence[Endpoint] = (), **choices: Any) -> "Probing":
        zero = trio.current_time()
        async with trio.open_nursery() as nursery:
            self.network = MemoryNetwork(nursery, {(e.address, e.port): server for e, server in servers.items()})
            shells = Shells(
                look_up=no_look_up,
                connect=self.network.connect,
                observe=lambda endpoint, session: self.seen.append((endpoint, session)),
                now=lambda: START + timedelta(seconds=trio.current_time() - zero),
            )
            probe = EndpointProbe(ScanSettings(**choices), shells)
            async with trio.open_nursery() as inner:
                for endpoint in endpoints or servers:
                    inner.start_soon(self._one, probe, endpoint)
            nursery.cancel_scope.cancel()
        return self

    async def _one(self, probe: EndpointProbe, endpoint: Endpoint) -> None:
        self.facts[endpoint] = await probe.facts(endpoint, "mx.example.org")

    def hellos(self, endpoint: Endpoint = HOST) -> list[HelloStyle]:
        return [session.hello for session in self.facts[endpoint].sessions]


@pytest.mark.parametrize(
    ("server", "hellos"),
    [
        (Behaviour(tls=MODERN), [MUST]),
        (Behaviour(), [MUST, MUST]),
        (Behaviour(starttls=reply(454, "4.7.0 not now"), tls=MODERN), [MUST, MUST]),
        (Behaviour(starttls=reply(502, "5.5.1 never"), tls=MODERN), [MUST, MUST]),
        (Behaviour(tls=SMALL_HELLOS_ONLY), [MUST, CLASSIC, LEVEL1]),
        (Behaviour(tls=OLD), [MUST, CLASSIC]),
        (Behaviour(starttls=reply(220, "go"), after_220=(Close(),)), [MUST, CLASSIC]),
        (BUSY, [MUST]),
        (Behaviour(greeting=(Hang(),)), [MUST]),
        (ConnectionRefusedError(111, "Connection refused"), [MUST]),
        (Silent, [MUST]),
        (Behaviour(ehlo=(Close(),)), [MUST]),
    ],
)
async def test_connections_at_depth_policy(autojump_clock, server, hellos):
    probing = await Probing().run({HOST: server})
    assert probing.hellos() == hellos
    assert len(probing.network.attempts) == probing.facts[HOST].connections == len(hellos) <= POLICY_BUDGET
    assert [endpoint for endpoint, _ in probing.seen] == [HOST] * len(hellos)
    assert probing.network.all_closed


async def test_tls_at_once_costs_one_connection_even_if_it_is_broken(autojump_clock):
    endpoint = Endpoint("8.8.8.8", 465)
    for server in (Behaviour(tls=MODERN, implicit_tls=True), Behaviour(), Behaviour(tls=OLD, implicit_tls=True)):
        probing = await Probing().run({endpoint: server})
        assert probing.hellos(endpoint) == [MUST]


async def test_connections_to_one_host_are_spaced_and_never_two_at_a_time(autojump_clock):
    behaviour = Behaviour(starttls=reply(220, "go"), after_220=(Wait(3), Close()))
    endpoints = [Endpoint("8.8.8.8", port) for port in (25, 587, 2525)]
    probing = await Probing().run(dict.fromkeys(endpoints, behaviour), interval_s=5.0)
    assert probing.network.most_at_once == {"8.8.8.8": 1}
    began = sorted(session.began_at for sessions in probing.network.sessions.values() for session in sessions)
    assert len(began) == 6
    assert all(later - sooner >= 8.0 for sooner, later in pairwise(began))


async def test_a_name_for_sni_is_sent_and_is_another_endpoint(autojump_clock):
    named = Endpoint("8.8.8.8", 25, "mx.example.org")
    probing = await Probing().run({HOST: Behaviour(tls=MODERN)}, [HOST, named])
    for endpoint in (HOST, named):
        names = {session.handshake.sni for session in probing.facts[endpoint].sessions if session.handshake}
        assert names == {endpoint.sni or None}
    asked = [session.asked_name for session in probing.network.sessions["8.8.8.8", 25]]
    assert len(asked) == sum(facts.connections for facts in probing.facts.values())
    assert (asked.count(""), set(asked)) == (1, {"", "mx.example.org"})
    assert probing.network.most_at_once == {"8.8.8.8": 1}


async def test_certificates_of_all_sessions_are_kept_once(autojump_clock):
    facts = (await Probing().run({HOST: Behaviour(tls=SMALL_HELLOS_ONLY)})).facts[HOST]
    assert sum(bool(session.handshake) for session in facts.sessions) == 2
    assert len(facts.certificates) == len({certificate.sha256 for certificate in facts.certificates}) == 2


async def test_facts_are_dated_when_they_were_seen_and_not_when_the_wait_began(autojump_clock):
    endpoints = [Endpoint("8.8.8.8", port) for port in (25, 587, 2525)]
    probing = await Probing().run(dict.fromkeys(endpoints, Behaviour(tls=MODERN)), interval_s=20.0)
    seen = sorted(facts.seen_at for facts in probing.facts.values())
    assert all(later - sooner >= timedelta(seconds=20) for sooner, later in pairwise(seen))


async def test_the_brake_stops_what_already_waits(autojump_clock):
    servers = {Endpoint(f"8.8.{n}.8", 25): BUSY for n in range(100)}
    probing = await Probing().run(servers, provider_jobs=1)
    assert len(probing.network.attempts) == 5
    paused = [facts for facts in probing.facts.values() if facts.failure]
    assert len(paused) == 95
    assert {(facts.failure.stage, facts.failure.kind) for facts in paused if facts.failure} == {
        (Stage.CONNECT, Kind.PROVIDER_PAUSED)
    }
    assert all(facts.connections == 0 for facts in paused)


async def test_other_providers_go_on(autojump_clock):
    servers = {Endpoint(f"8.8.{n}.8", 25): BUSY for n in range(10)}
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, {(e.address, e.port): server for e, server in servers.items()})
        probe = EndpointProbe(ScanSettings(provider_jobs=1), Shells(look_up=no_look_up, connect=network.connect))
        for endpoint in servers:
            await probe.facts(endpoint, "mx.example.org")
        assert len(network.attempts) == 5
        other = await probe.facts(Endpoint("9.9.9.9", 25), "mx.example.net")
        assert other.connections == 1
        nursery.cancel_scope.cancel()


async def test_a_session_in_a_plan_that_was_cut_short_stands(autojump_clock):
    """The first session asks for a second; meanwhile the provider pauses."""
    plain = Behaviour(greeting=(Wait(10), Send(b"220 mx.example.org\r\n")))
    servers: dict[Endpoint, Any] = {Endpoint(f"8.8.{n}.8", 25): BUSY for n in range(9)} | {HOST: plain}
    late = Behaviour(greeting=(Wait(10.5), *reply(421, "busy"), Close()))
    servers |= {Endpoint(f"9.9.{n}.9", 25): late for n in range(5)}
    probing = await Probing().run(servers, interval_s=30.0, provider_jobs=100)
    facts = probing.facts[HOST]
    assert facts.failure
    assert (facts.connections, facts.failure.kind) == (1, Kind.PROVIDER_PAUSED)
    assert facts.sessions[0].ehlo


async def test_patience_waits_for_the_first_session_too(autojump_clock):
    server = msgspec.structs.replace(BUSY, later=(4, Behaviour(tls=MODERN)))
    facts = (await Probing().run({HOST: server}, patience_s=600.0)).facts[HOST]
    assert [session.hello for session in facts.sessions] == [MUST]
    assert facts.sessions[0].failure is None
    assert facts.connections == 4
    hasty = (await Probing().run({HOST: server})).facts[HOST]
    assert (hasty.connections, hasty.sessions[0].failure.kind) == (1, Kind.TEMPORARY)


async def test_patience_ends_with_a_server_that_throttles_for_ever(autojump_clock):
    probing = await Probing().run({HOST: BUSY}, patience_s=600.0)
    facts = probing.facts[HOST]
    assert len(facts.sessions) == 1
    assert 5 < facts.connections == len(probing.seen) < 40
    refused = Behaviour(greeting=reply(554, "5.7.1 Not you"))
    assert (await Probing().run({HOST: refused}, patience_s=600.0)).facts[HOST].connections == 1


async def test_machines_in_turn_behind_one_address_refuse_nothing_that_a_session_spoke(autojump_clock):
    new = Behaviour(tls=TlsServer(chains=(CHAIN,), minimum=ssl.TLSVersion.TLSv1_3))
    old = Behaviour(tls=TlsServer(chains=(CHAIN,), maximum=ssl.TLSVersion.TLSv1_2))
    server = msgspec.structs.replace(old, later=(2, msgspec.structs.replace(new, later=(3, old))))
    facts = (await Probing().run({HOST: server}, depth=Depth.STANDARD)).facts[HOST]
    assert facts.sessions[0].handshake.version == "TLSv1.2"
    assert {version.offered for version in facts.tls.versions} == {Fact.INCONCLUSIVE}
    assert not facts.tls.complete


async def test_no_more_sessions_at_a_time_than_jobs(autojump_clock):
    slow = Behaviour(greeting=(Wait(5), *reply(220, "mx")), tls=MODERN)
    most = 0

    class Counting(Probing):
        async def _one(self, probe: EndpointProbe, endpoint: Endpoint) -> None:
            nonlocal most
            await super()._one(probe, endpoint)
            most = max(most, 1 + sum(self.network.open_now.values()))

    await Counting().run({Endpoint(f"8.8.{n}.8", 25): slow for n in range(20)}, jobs=3, provider_jobs=20)
    assert most == 3


async def test_blocked_egress_ends_it_all(autojump_clock):
    with pytest.raises(BaseExceptionGroup) as caught:
        await Probing().run({Endpoint(f"8.8.{n}.8", 25): Silent for n in range(30)}, provider_jobs=100)
    assert caught.group_contains(EgressBlocked)

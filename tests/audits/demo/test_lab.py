"""The whole lab, read twice: every domain has the grade it is said to have.

First by a client that shares no code with the scanner: the standard library's ssl, which verifies during the
handshake, and dnspython; it grades in the shortest way that suffices for the lab's own states. Then by the scanner.
"""

import errno
import ssl
import time
import warnings

import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
import trio

from audits.demo.lab import Lab, demo_lab
from audits.demo.states import CANARIES
from audits.judge import Judge
from audits.trust import load_trust_store
from audits.verdicts import Grade
from scanner.dns_lookup import Resolver, trusted_for_dnssec
from scanner.endpoint_probe import Shells
from scanner.facts import Target
from scanner.pipeline import ProbedDomain, run_scan
from scanner.plans import POLICY_BUDGET
from scanner.settings import ScanSettings

from .clients import Wire, credulous, verifying

LADDER = (Grade.NONE, Grade.MAY, Grade.MUST_NOPEERMATCH, Grade.MUST)


async def resolve(lab: Lab, name: str, rdtype: str) -> list[str]:
    address, port = lab.resolver
    response = await dns.asyncquery.udp(dns.message.make_query(name, rdtype), address, 5, port)
    assert response.rcode() == dns.rcode.NOERROR
    wanted = dns.rdatatype.from_text(rdtype)
    return [rdata.to_text() for rrset in response.answer if rrset.rdtype == wanted for rdata in rrset]


async def greeted(lab: Lab, address: str, port: int) -> tuple[Wire, str]:
    wire = Wire((await lab.connect(address, port)).stream())
    return wire, await wire.reply()


async def session_in_tls(lab: Lab, address: str, host: str, context: ssl.SSLContext) -> str:
    """How far a session with STARTTLS comes: "no starttls", "no handshake", "refused" or "works"."""
    wire, _ = await greeted(lab, address, 25)
    async with wire.stream:
        await wire.say("EHLO client.example.org")
        if b"STARTTLS" not in await wire.read_until(b"\r\n250 ") + await wire.read_until(b"\r\n"):
            return "no starttls"
        await wire.say("STARTTLS")
        assert (await wire.reply()).startswith("220 ")
        client = trio.SSLStream(wire.stream, context, server_hostname=host, https_compatible=True)
        try:
            await client.do_handshake()
        except trio.BrokenResourceError:
            return "no handshake"
        await client.send_all(b"EHLO client.example.org\r\n")
        code = bytes(await client.receive_some())[:3]
        return {b"250": "works", b"550": "refused"}[code]


def legacy_client() -> ssl.SSLContext:
    """As Postfix at MAY and MUST_NOPEERMATCH: security level 0, TLS 1.0 and up, any certificate."""
    context = credulous()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


async def grade_of_host(lab: Lab, host: str) -> Grade:
    (address,) = await resolve(lab, host, "A")
    wire, greeting = await greeted(lab, address, 25)
    await wire.stream.aclose()
    if not greeting.startswith("220"):
        return Grade.INCONCLUSIVE
    strict = verifying(lab.cafile.read_bytes())
    if await session_in_tls(lab, address, host, strict) == "works":
        return Grade.MUST
    outcome = await session_in_tls(lab, address, host, legacy_client())
    return {"works": Grade.MUST_NOPEERMATCH, "refused": Grade.NONE}.get(outcome, Grade.MAY)


async def grade_of_domain(lab: Lab, name: str) -> Grade:
    exchanges = [text.split()[1] for text in await resolve(lab, name, "MX")]
    if exchanges == ["."]:
        return Grade.NO_MAIL
    grades = [await grade_of_host(lab, exchange.removesuffix(".")) for exchange in exchanges]
    return grades[0] if grades == [Grade.INCONCLUSIVE] else min(grades, key=LADDER.index)


async def test_every_domain_has_its_grade() -> None:
    async with demo_lab() as lab:
        found = {domain.name: await grade_of_domain(lab, domain.name) for domain in lab.domains}
        assert found == {domain.name: domain.expected for domain in lab.domains}


@pytest.mark.parametrize("envelope", [False, True])
async def test_the_scanner_and_the_judge_find_the_same_grades(envelope: bool) -> None:
    found = {}
    async with demo_lab() as lab:
        judge = Judge(load_trust_store((lab.cafile,), system=False), 9, None)

        async def deliver(result: ProbedDomain) -> None:
            found[result.facts.target.name] = judge.record(result.facts, result.endpoints).grade

        settings = ScanSettings(allow_private=True, interval_s=0.0, envelope=envelope, ehlo="client.example.org")
        shells = Shells(look_up=Resolver([lab.resolver_text]).look_up, connect=lab.connect)
        await run_scan([Target(domain.name, domain.name) for domain in lab.domains], settings, shells, deliver)
        assert found == {domain.name: domain.expected for domain in lab.domains}
        assert all(server.connections <= POLICY_BUDGET and server.most_at_once == 1 for server in lab.servers.values())


async def test_it_starts_and_stops_within_a_second() -> None:
    began = time.perf_counter()
    async with demo_lab() as lab:
        assert 8 <= len(lab.domains) <= 13
    assert time.perf_counter() - began < 1


async def test_tls_required_refuses_mail_in_clear() -> None:
    async with demo_lab() as lab:
        (address,) = await resolve(lab, "mx.tlsrequired.example", "A")
        wire, _ = await greeted(lab, address, 25)
        async with wire.stream:
            await wire.say("MAIL FROM:<>")
            assert (await wire.reply()).startswith("530 5.7.0")


async def test_submission_ports_are_named_by_srv_and_work() -> None:
    async with demo_lab() as lab:
        assert await resolve(lab, "_submissions._tcp.must.example", "SRV") == ["0 1 465 mx.must.example."]
        (address,) = await resolve(lab, "mx.must.example", "A")
        stream = (await lab.connect(address, 465)).stream()
        context = verifying(lab.cafile.read_bytes())
        client = trio.SSLStream(stream, context, server_hostname="mx.must.example", https_compatible=True)
        async with client:
            assert (await client.receive_some()).startswith(b"220 mx.must.example")
        wire, greeting = await greeted(lab, address, 587)
        async with wire.stream:
            assert greeting.startswith("220")


async def test_the_connector_refuses_what_the_lab_does_not_have() -> None:
    async with demo_lab() as lab:
        for address, port in (("192.0.2.250", 25), (lab.domains[1].hosts[0].address, 465), lab.resolver):
            with pytest.raises(ConnectionRefusedError) as refused:
                await lab.connect(address, port)
            assert refused.value.errno == errno.ECONNREFUSED


async def test_connections_are_counted_per_address_of_the_dns() -> None:
    async with demo_lab() as lab:
        first = lab.domains[0].hosts[0]
        wire, _ = await greeted(lab, first.address, 25)
        await wire.stream.aclose()
        counted = {where: server.connections for where, server in lab.servers.items() if server.connections}
        assert counted == {(first.address, 25): 1}


async def test_afterwards_nothing_is_left() -> None:
    async with demo_lab() as lab:
        server = lab.servers[lab.domains[0].hosts[0].address, 25]
        assert lab.resolver_text == f"127.0.0.1:{lab.dns.port}"
    assert not lab.cafile.parent.exists()
    with pytest.raises(OSError, match="all attempts to connect"):
        await trio.open_tcp_stream(server.address, server.port)


async def test_an_exception_of_the_caller_passes_as_it_is() -> None:
    with pytest.raises(KeyError, match="own trouble"):
        async with demo_lab():
            raise KeyError("own trouble")


async def test_no_question_is_asked_twice() -> None:
    """Not for what a signed domain publishes either, although its plan wants to see signatures of known answers."""
    async with demo_lab() as lab:

        async def deliver(_result: ProbedDomain) -> None:
            await trio.lowlevel.checkpoint()

        trust = trusted_for_dnssec([lab.resolver_text], named=False, canaries=CANARIES)
        shells = Shells(look_up=Resolver([lab.resolver_text], trust).look_up, connect=lab.connect)
        settings = ScanSettings(allow_private=True, interval_s=0.0, published=True, ehlo="client.example.org")
        names = ("published.example", "must.example")
        await run_scan([Target(name, name) for name in names], settings, shells, deliver)
        asked = lab.dns.asked()
    assert len(asked) == len(set(asked))
    assert len(asked) <= 21, "canaries, routes, TLSA at three ports, two TXT records a domain, one policy host"

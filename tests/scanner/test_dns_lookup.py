"""Questions to small name servers on loopback: every way in which they can end is told apart."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
import trio
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audits.demo.dns_server import DnsServer, Trouble, Zone, serve_dns
from scanner import settings
from scanner.dns_lookup import Resolver, ResolverError, _answer_of, resolver_address, system_resolvers
from scanner.facts import (
    AddressRecord,
    DnsAnswer,
    Dnssec,
    DnsStatus,
    MxRecord,
    SrvRecord,
    TlsaRecord,
    TxtRecord,
)
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.route import Question
from tests.scanner.dns_responder import Respond, answering, framed, responder, response_to, truncated

MX = Question("example.org", "MX")

ZONE: Zone = {
    "example.org": {
        "MX": ["20 MX2.Example.ORG.", "10 mx1.example.org."],
        "A": ["192.0.2.1"],
        "AAAA": ["2001:DB8:0::1"],
        "TXT": ['"v=STSv1; " "id=1;"', '"\\195\\164"'],
    },
    "null.example": {"MX": ["0 ."]},
    "_submissions._tcp.example.org": {"SRV": ["1 2 465 Mail.example.org."]},
    "_imaps._tcp.example.org": {"SRV": ["0 0 0 ."]},
    "_25._tcp.mx1.example.org": {"TLSA": ["3 1 1 " + "ab" * 32]},
    "alias.example": {"CNAME": ["Second.Alias.example."]},
    "second.alias.example": {"CNAME": ["example.org."]},
    "alias-to-nothing.example": {"CNAME": ["nothing.example."]},
    "alias-to-other-type.example": {"CNAME": ["null.example."]},
    "literal.example": {"MX": ["10 192.0.2.1.", "20 192\\.0\\.2\\.2."]},
    "odd.example": {"MX": ["10 a\\032b\\000\\255.example."]},
    "large.example": {"MX": [f"{n} mx{n}.large.example." for n in range(500)]},
    "servfail.example": Trouble.SERVFAIL,
    "refused.example": Trouble.REFUSED,
    "garbage.example": Trouble.GARBAGE,
    "silent.example": Trouble.DROPPED,
}


@pytest.fixture
def brief(monkeypatch):
    """Silence is waited for on real sockets: make it short."""
    monkeypatch.setattr(settings, "DNS_TIMEOUT_S", 0.05)


@asynccontextmanager
async def zone_server() -> AsyncIterator[tuple[DnsServer, Resolver]]:
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_dns, ZONE)
        yield server, Resolver((f"{server.address}:{server.port}",))
        nursery.cancel_scope.cancel()


async def answer_from(udp: Respond, question: Question = MX, tcp: Respond | None = None) -> DnsAnswer | ProbeFailure:
    async with responder(udp, tcp) as server:
        return await Resolver((server,)).look_up(question)


def kind_of(answer: DnsAnswer | ProbeFailure) -> Kind:
    assert isinstance(answer, ProbeFailure)
    assert answer.stage is Stage.DNS
    return answer.kind


# --- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rdtype", "records"),
    [
        ("example.org", "MX", {MxRecord(10, "mx1.example.org"), MxRecord(20, "mx2.example.org")}),
        ("EXAMPLE.org", "A", {AddressRecord("192.0.2.1")}),
        ("example.org", "AAAA", {AddressRecord("2001:db8::1")}),
        ("example.org", "TXT", {TxtRecord("v=STSv1; id=1;"), TxtRecord("\xc3\xa4")}),
        ("null.example", "MX", {MxRecord(0, "")}),
        ("_submissions._tcp.example.org", "SRV", {SrvRecord(1, 2, 465, "mail.example.org")}),
        ("_imaps._tcp.example.org", "SRV", {SrvRecord(0, 0, 0, "")}),
        ("_25._tcp.mx1.example.org", "TLSA", {TlsaRecord(3, 1, 1, b"\xab" * 32)}),
        ("literal.example", "MX", {MxRecord(10, "192.0.2.1"), MxRecord(20, r"192\.0\.2\.2")}),
        ("odd.example", "MX", {MxRecord(10, r"a\032b\000\255.example")}),
    ],
)
async def test_records(name, rdtype, records):
    async with zone_server() as (_, resolver):
        answer = await resolver.look_up(Question(name, rdtype))
    assert isinstance(answer, DnsAnswer)
    assert (answer.name, answer.rdtype, answer.status) == (name, rdtype, DnsStatus.RECORDS)
    assert set(answer.records) == records
    assert (answer.aliases, answer.dnssec) == ((), Dnssec.INDETERMINATE)


@pytest.mark.parametrize(
    ("name", "status", "aliases"),
    [
        ("alias.example", DnsStatus.RECORDS, ("second.alias.example", "example.org")),
        ("alias-to-nothing.example", DnsStatus.NXDOMAIN, ("nothing.example",)),
        ("alias-to-other-type.example", DnsStatus.NODATA, ("null.example",)),
        ("null.example", DnsStatus.NODATA, ()),
        ("nothing.example", DnsStatus.NXDOMAIN, ()),
    ],
)
async def test_alias_chains_and_absent_records(name, status, aliases):
    async with zone_server() as (server, resolver):
        answer = await resolver.look_up(Question(name, "A"))
        assert server.queries == resolver.queries == 1
    assert isinstance(answer, DnsAnswer)
    assert (answer.status, answer.aliases) == (status, aliases)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("servfail.example", Kind.SERVFAIL),
        ("refused.example", Kind.DNS_REFUSED),
        ("garbage.example", Kind.BAD_ANSWER),
        ("silent.example", Kind.TIMEOUT),
    ],
)
async def test_trouble_is_told_apart_and_tried_again(name, kind, brief):
    async with zone_server() as (server, resolver):
        answer = await resolver.look_up(Question(name, "MX"))
        assert server.queries == resolver.queries == settings.DNS_ATTEMPTS
    assert kind_of(answer) is kind
    assert name in str(answer)


async def test_an_answer_too_large_for_udp_comes_over_tcp():
    async with zone_server() as (server, resolver):
        answer = await resolver.look_up(Question("large.example", "MX"))
        assert server.queries == 2
    assert isinstance(answer, DnsAnswer)
    assert len(answer.records) == 500


async def test_a_name_from_a_hostile_record_can_be_asked_for():
    async with zone_server() as (_, resolver):
        answer = await resolver.look_up(Question("odd.example", "MX"))
        assert isinstance(answer, DnsAnswer)
        (record,) = answer.records
        assert isinstance(record, MxRecord)
        following = await resolver.look_up(Question(record.exchange, "A"))
    assert isinstance(following, DnsAnswer)
    assert following.status is DnsStatus.NXDOMAIN


@given(st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=3))
def test_any_name_survives_its_way_through_text(labels):
    wire = dns.message.make_query("example.org", "MX").to_wire()
    exchange = dns.name.Name([*labels, b""])
    response = response_to(wire)
    response.answer = [dns.rrset.from_text("example.org.", 300, "IN", "MX", f"10 {exchange}")]
    answer = _answer_of(MX, dns.name.from_text("example.org"), dns.message.from_wire(response.to_wire()))
    assert isinstance(answer, DnsAnswer)
    (record,) = answer.records
    assert isinstance(record, MxRecord)
    assert record.exchange.isascii()
    assert dns.name.from_text(record.exchange) == exchange


@pytest.mark.parametrize(
    "name", ["a..b", f"{'x' * 64}.example", ".".join(["x" * 60] * 5), "\udce4.example", "\\999", "a\\"]
)
async def test_a_name_that_cannot_be_asked_for_is_a_failure(name):
    answer = await Resolver(("127.0.0.1:9",)).look_up(Question(name, "A"))
    assert kind_of(answer) is Kind.BAD_ANSWER


# --- odd and hostile answers ---------------------------------------------------------------------------------------


async def test_unrelated_records_are_left_aside():
    records = (
        "other.example. 300 IN MX 1 wrong.example.",
        "example.org. 300 IN TXT text",
        "example.org. 300 CH MX 2 wrong.example.",
        "example.org. 300 IN MX 3 right.example.",
        "alias.example. 300 IN CNAME example.org.",
    )
    answer = await answer_from(answering(*records))
    assert isinstance(answer, DnsAnswer)
    assert answer.records == (MxRecord(3, "right.example"),)
    assert answer.aliases == ()


@pytest.mark.parametrize(
    "records",
    [
        ["example.org. 300 IN CNAME example.org."],
        ["example.org. 300 IN CNAME a.example.", "a.example. 300 IN CNAME example.org."],
        ["example.org. 300 IN CNAME n0.", *(f"n{i}. 300 IN CNAME n{i + 1}." for i in range(60))],
    ],
)
async def test_an_alias_chain_without_end_proves_nothing(records):
    assert kind_of(await answer_from(answering(*records))) is Kind.BAD_ANSWER


async def test_a_long_alias_chain_is_followed():
    last = settings.MAX_ALIASES - 1
    records = ["example.org. 300 IN CNAME n0.", *(f"n{i}. 300 IN CNAME n{i + 1}." for i in range(last))]
    answer = await answer_from(answering(*records, f"n{last}. 300 IN MX 10 mx.example."))
    assert isinstance(answer, DnsAnswer)
    assert answer.records == (MxRecord(10, "mx.example"),)
    assert len(answer.aliases) == settings.MAX_ALIASES


@pytest.mark.parametrize("rcode", [dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.YXDOMAIN, dns.rcode.BADVERS])
async def test_other_response_codes_are_bad_answers(rcode):
    assert kind_of(await answer_from(answering(rcode=rcode))) is Kind.BAD_ANSWER


@pytest.mark.parametrize(
    "udp",
    [
        lambda query: [b""],
        lambda query: [b"\x00"],
        lambda query: [query[:2] + b"\x81\x80" + b"\xff" * 100],
        lambda query: [query],
        lambda query: [bytes([query[0] ^ 1]) + response_to(query).to_wire()[1:]],
        lambda query: [
            response_to(
                dns.message.make_query("other.example", "MX", id=struct.unpack("!H", query[:2])[0]).to_wire()
            ).to_wire()
        ],
        lambda query: [response_to(query).to_wire() + b"trailing"],
    ],
)
async def test_bytes_that_are_no_response_to_this_query_are_bad_answers(udp):
    assert kind_of(await answer_from(udp)) is Kind.BAD_ANSWER


@pytest.mark.parametrize(
    "tcp",
    [
        lambda query: [b"\x00"],
        lambda query: [b"\x00\x00"],
        lambda query: [b"\x00\x20short"],
        lambda query: [framed(b"\xff" * 40)],
        lambda query: [framed(truncated(query)[0])],  # else the lack of MX records would make the domain its own host
        lambda query: [framed(response_to(dns.message.make_query("other.example", "MX").to_wire()).to_wire())],
    ],
)
async def test_a_broken_answer_over_tcp_is_a_bad_answer(tcp):
    assert kind_of(await answer_from(truncated, tcp=tcp)) is Kind.BAD_ANSWER


async def test_a_resolver_that_resets_or_refuses_tcp():
    assert kind_of(await answer_from(truncated, tcp=lambda query: [])) is Kind.RESET
    assert kind_of(await answer_from(truncated)) is Kind.UNREACHABLE


async def test_chunks_over_tcp_are_put_together():
    def tcp(query: bytes) -> list[bytes]:
        wire = framed(response_to(query, "example.org. 300 IN MX 10 mx.example.").to_wire())
        return [wire[at : at + 1] for at in range(len(wire))]

    answer = await answer_from(truncated, tcp=tcp)
    assert isinstance(answer, DnsAnswer)
    assert answer.records == (MxRecord(10, "mx.example"),)


async def test_the_largest_answer_is_read():
    def tcp(query: bytes) -> list[bytes]:
        response = response_to(query)
        texts = [f"192.{a}.{b}.{c}" for a in range(2) for b in range(10) for c in range(200)]
        response.answer = [dns.rrset.from_text_list("example.org.", 300, "IN", "A", texts)]
        return [framed(response.to_wire(max_size=65535))]

    answer = await answer_from(truncated, Question("example.org", "A"), tcp)
    assert isinstance(answer, DnsAnswer)
    assert len(answer.records) == 4000


BASE = response_to(
    dns.message.make_query("example.org", "MX").to_wire(),
    "example.org. 300 IN CNAME alias.example.",
    "alias.example. 300 IN MX 10 mx.example.",
    "alias.example. 300 IN A 192.0.2.1",
).to_wire()


@given(
    st.lists(st.tuples(st.integers(2, len(BASE) - 1), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 40)
)
@hypothesis_settings(max_examples=400)
def test_no_mutation_of_an_answer_raises_what_the_room_does_not_catch(changes, cut):
    wire = bytearray(BASE)
    for at, value in changes:
        wire[at] = value
    with suppress(dns.exception.DNSException, ValueError):
        response = dns.message.from_wire(bytes(wire[: len(wire) - cut]))
        answer = _answer_of(MX, dns.name.from_text("example.org"), response)
        assert isinstance(answer, DnsAnswer | ProbeFailure)


# --- resolvers -----------------------------------------------------------------------------------------------------


async def test_resolvers_are_asked_in_turn_until_one_answers(brief):
    asked = []

    def broken(query: bytes) -> list[bytes]:
        asked.append("broken")
        return answering(rcode=dns.rcode.SERVFAIL)(query)

    async with (
        responder(broken) as first,
        responder(lambda query: []) as second,
        responder(answering("example.org. 300 IN MX 10 mx.example.")) as third,
    ):
        answer = await Resolver((first, second, third)).look_up(MX)
    assert isinstance(answer, DnsAnswer)
    assert asked == ["broken"]


async def test_a_failure_of_the_moment_is_overcome():
    replies = iter([dns.rcode.SERVFAIL, dns.rcode.NOERROR])
    answer = await answer_from(lambda query: answering(rcode=next(replies))(query))
    assert isinstance(answer, DnsAnswer)


class CountingResolver(Resolver):
    """Answers by itself after a second, and counts what is under way."""

    here = most = 0

    async def _ask(self, name: dns.name.Name, question: Question, server: tuple[str, int], **_more: Any) -> DnsAnswer:
        self.here += 1
        self.most = max(self.most, self.here)
        await trio.sleep(1)
        self.here -= 1
        return DnsAnswer(question.name, question.rdtype, DnsStatus.NODATA)


async def test_queries_in_flight_are_bounded(monkeypatch, autojump_clock):
    monkeypatch.setattr(settings, "DNS_MAX_SOCKETS", 3)
    resolver = CountingResolver(("192.0.2.53",))
    async with trio.open_nursery() as nursery:
        for number in range(30):
            nursery.start_soon(resolver.look_up, Question(f"n{number}.example", "A"))
    assert resolver.most == 3
    assert trio.current_time() >= 10


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:DB8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
        ("[192.0.2.53]:53", ("192.0.2.53", 53)),
        ("fe80::1%eth0", ("fe80::1%eth0", 53)),
    ],
)
def test_resolver_addresses(text, address):
    assert resolver_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "dns.example.org", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "192.0.2.53:dns", "192.0.2.53:-1", "[]"],
)
def test_what_is_no_resolver_is_refused_with_a_hint(text):
    with pytest.raises(ResolverError, match="--resolver"):
        resolver_address(text)


def test_without_any_resolver_nothing_starts():
    with pytest.raises(ResolverError):
        Resolver(())


def test_the_resolvers_of_this_machine_are_ones_that_can_be_asked():
    with suppress(ResolverError):
        assert all(resolver_address(text) for text in system_resolvers())

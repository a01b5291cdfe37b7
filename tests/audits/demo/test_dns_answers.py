"""Every kind of answer, told apart by a client's own reading of it; and hostile queries, which never raise."""

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.demo.dns_answers import Answers, Trouble, Zone

ZONE: Zone = {
    "example.org": {"MX": ["10 mx.example.org.", "20 mx2.example.org."], "TXT": ['"v=spf1 -all"']},
    "mx.example.org": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
    "mx2.example.org": {"A": ["192.0.2.2"], "AAAA": Trouble.SERVFAIL},
    "_submissions._tcp.example.org": {"SRV": ["0 1 465 mx.example.org."]},
    "alias.example.org": {"CNAME": ["other.example.org."]},
    "other.example.org": {"CNAME": ["mx.example.org."]},
    "lost.example.org": {"CNAME": ["nowhere.example.com."]},
    "loop.example.org": {"CNAME": ["loop.example.org."]},
    "troubled.example.org": {"CNAME": ["broken.example.net."]},
    "nullmx.example.org": {"MX": ["0 ."]},
    "large.example.org": {"TXT": [f'"{"x" * 250}{number}"' for number in range(10)]},
    "broken.example.net": Trouble.SERVFAIL,
    "refused.example.net": Trouble.REFUSED,
    "silent.example.net": Trouble.DROPPED,
    "garbled.example.net": Trouble.GARBAGE,
}
ANSWERS = Answers(ZONE)


def ask(name: str, rdtype: str, *, udp: bool = True, edns: bool = True) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype, use_edns=0 if edns else False, payload=4096 if edns else None)
    wire = ANSWERS.respond(query.to_wire(), udp=udp)
    assert wire is not None
    response = dns.message.from_wire(wire)
    assert query.is_response(response)
    return response


def texts(name: str, rdtype: str) -> set[str]:
    return {rdata.to_text() for rrset in ask(name, rdtype).answer for rdata in rrset}


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("example.org", "MX", {"10 mx.example.org.", "20 mx2.example.org."}),
        ("EXAMPLE.org", "TXT", {'"v=spf1 -all"'}),
        ("mx.example.org", "A", {"192.0.2.1"}),
        ("mx.example.org", "AAAA", {"2001:db8::1"}),
        ("_submissions._tcp.example.org", "SRV", {"0 1 465 mx.example.org."}),
        ("nullmx.example.org", "MX", {"0 ."}),
        ("alias.example.org", "CNAME", {"other.example.org."}),
    ],
)
def test_records(name: str, rdtype: str, expected: set[str]) -> None:
    assert texts(name, rdtype) == expected
    response = ask(name, rdtype)
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA


def test_an_alias_is_followed_and_its_chain_is_shown() -> None:
    response = ask("alias.example.org", "A")
    assert [rrset.name.to_text() for rrset in response.answer] == [
        "alias.example.org.",
        "other.example.org.",
        "mx.example.org.",
    ]


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode"),
    [
        ("mx.example.org", "MX", dns.rcode.NOERROR),
        ("alias.example.org", "MX", dns.rcode.NOERROR),
        ("_tcp.example.org", "SRV", dns.rcode.NOERROR),
        ("org", "MX", dns.rcode.NOERROR),
        ("missing.example.org", "MX", dns.rcode.NXDOMAIN),
        ("lost.example.org", "A", dns.rcode.NXDOMAIN),
    ],
)
def test_absence_is_nodata_or_nxdomain_with_the_soa(name: str, rdtype: str, rcode: dns.rcode.Rcode) -> None:
    response = ask(name, rdtype)
    assert response.rcode() == rcode
    assert not any(rrset.rdtype == dns.rdatatype.from_text(rdtype) for rrset in response.answer)
    (soa,) = response.authority
    assert soa.rdtype == dns.rdatatype.SOA


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode"),
    [
        ("broken.example.net", "MX", dns.rcode.SERVFAIL),
        ("troubled.example.org", "A", dns.rcode.SERVFAIL),
        ("loop.example.org", "A", dns.rcode.SERVFAIL),
        ("mx2.example.org", "AAAA", dns.rcode.SERVFAIL),
        ("refused.example.net", "A", dns.rcode.REFUSED),
        ("example.org", "AXFR", dns.rcode.REFUSED),
        ("example.org", "ANY", dns.rcode.REFUSED),
    ],
)
def test_trouble_has_its_rcode(name: str, rdtype: str, rcode: dns.rcode.Rcode) -> None:
    assert ask(name, rdtype).rcode() == rcode


def test_trouble_of_one_type_leaves_the_others_alone() -> None:
    assert texts("mx2.example.org", "A") == {"192.0.2.2"}


def test_silence_and_garbage() -> None:
    silent = dns.message.make_query("silent.example.net", "MX").to_wire()
    assert ANSWERS.respond(silent, udp=True) is None
    garbled = dns.message.make_query("garbled.example.net", "MX").to_wire()
    wire = ANSWERS.respond(garbled, udp=True)
    assert wire is not None
    assert wire[:2] == garbled[:2]
    with pytest.raises(dns.exception.DNSException):
        dns.message.from_wire(wire)


def test_what_is_too_large_for_udp_is_truncated_and_whole_over_tcp() -> None:
    for edns, limit in ((True, 1232), (False, 512)):
        response = ask("large.example.org", "TXT", edns=edns)
        assert response.flags & dns.flags.TC
        assert len(response.to_wire()) <= limit
    whole = ask("large.example.org", "TXT", udp=False)
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[0]) == 10


def test_other_operations_and_classes_are_declined() -> None:
    query = dns.message.make_query("example.org", "MX")
    query.set_opcode(dns.opcode.STATUS)
    assert rcode_for(query.to_wire()) == dns.rcode.NOTIMP
    chaos = dns.message.make_query("version.bind", "TXT", dns.rdataclass.CH)
    assert rcode_for(chaos.to_wire()) == dns.rcode.REFUSED
    double = dns.message.make_query("example.org", "MX")
    double.question.append(dns.rrset.RRset(dns.name.from_text("b."), dns.rdataclass.IN, dns.rdatatype.A))
    assert rcode_for(double.to_wire()) == dns.rcode.FORMERR


def rcode_for(wire: bytes) -> dns.rcode.Rcode:
    response = ANSWERS.respond(wire, udp=True)
    assert response is not None
    return dns.message.from_wire(response).rcode()


def test_a_query_that_cannot_be_read_gets_formerr_and_a_response_gets_nothing() -> None:
    query = dns.message.make_query("example.org", "MX").to_wire()
    assert rcode_for(query[:-3]) == dns.rcode.FORMERR
    assert ANSWERS.respond(query[:11], udp=True) is None
    assert ANSWERS.respond(b"", udp=True) is None
    assert ANSWERS.respond(bytes([query[0], query[1], query[2] | 0x80]) + query[3:], udp=True) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_taken(wire: bytes) -> None:
    response = ANSWERS.respond(wire, udp=True)
    assert response is None or response[:2] == wire[:2]


@given(st.data())
def test_any_damaged_query_is_taken(data: st.DataObject) -> None:
    wire = bytearray(dns.message.make_query("alias.example.org", "A", use_edns=0).to_wire())
    for at in data.draw(st.lists(st.integers(2, len(wire) - 1), max_size=4)):
        wire[at] = data.draw(st.integers(0, 255))
    response = ANSWERS.respond(bytes(wire), udp=data.draw(st.booleans()))
    assert response is None or response[:2] == wire[:2]


SIGNED = Answers(ZONE, signed=("mx.example.org", "lost.example.org", "example.net"))


@pytest.mark.parametrize(
    ("name", "rdtype", "secure"),
    [
        ("mx.example.org", "A", True),
        ("MX.example.org", "AAAA", True),
        ("_25._tcp.mx.example.org", "TLSA", True),
        ("mx.example.org", "TXT", True),
        ("no.such.name.example.net", "A", True),
        ("example.org", "MX", False),
        ("other.example.org", "A", False),
        ("notmx.example.org", "A", False),
        ("lost.example.org", "CNAME", True),
        ("lost.example.org", "A", False),
        ("refused.example.net", "A", False),
    ],
)
def test_only_answers_about_signed_names_are_called_secure(name, rdtype, secure):
    """An alias that is not signed spoils the answer; whoever does not ask for the verdict does not get it."""
    plain = dns.message.make_query(name, rdtype)
    for asking, expected in ((dns.flags.AD, secure), (0, False)):
        query = dns.message.from_wire(plain.to_wire())
        query.flags |= asking
        response = dns.message.from_wire(SIGNED.respond(query.to_wire(), udp=True))
        assert bool(response.flags & dns.flags.AD) is expected
    with_do = dns.message.make_query(name, rdtype, want_dnssec=True)
    assert bool(dns.message.from_wire(SIGNED.respond(with_do.to_wire(), udp=True)).flags & dns.flags.AD) is secure


def test_without_signed_names_nothing_is_secure():
    query = dns.message.make_query("mx.example.org", "A", want_dnssec=True)
    assert not dns.message.from_wire(ANSWERS.respond(query.to_wire(), udp=True)).flags & dns.flags.AD

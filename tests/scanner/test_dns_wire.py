"""Queries and absent records as bytes; the referee is dnspython, which reads and writes the same messages in full."""

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.dns_facts import DnsStatus
from scanner.dns_wire import AD, CD, PAYLOAD, absence, is_response, is_truncated, query_bytes

NAME = dns.name.from_text("example.org")
SOA = "example.org. 300 IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 300"
MX = "example.org. 300 IN MX 10 mx.example.org."
ALIAS = "example.org. 300 IN CNAME other.example.org."


def query(ident: int = 4711, name: dns.name.Name = NAME, rdtype: str = "MX", flags: int = AD) -> bytes:
    return query_bytes(ident, name.to_wire(), dns.rdatatype.from_text(rdtype), flags)


def response(
    asked: bytes, *answers: str, rcode: int = dns.rcode.NOERROR, authority: tuple[str, ...] = (SOA,), flags: int = 0
) -> bytes:
    made = dns.message.make_response(dns.message.from_wire(asked), recursion_available=True)
    made.set_rcode(rcode)
    made.flags |= flags
    made.answer = [dns.rrset.from_text(*line.split(" ", 4)) for line in answers]
    made.authority = [dns.rrset.from_text(*line.split(" ", 4)) for line in authority]
    return made.to_wire()


labels = st.lists(st.binary(min_size=1, max_size=20), min_size=0, max_size=5)
names = labels.map(lambda parts: dns.name.Name([*parts, b""]))


@given(st.integers(0, 0xFFFF), names, st.sampled_from(["MX", "A", "AAAA", "SRV", "TXT", "TLSA"]), st.booleans())
def test_a_query_is_the_one_that_dnspython_makes(ident, name, rdtype, dnssec_ok):
    wanted = dns.message.make_query(name, rdtype, use_edns=0, payload=PAYLOAD, want_dnssec=dnssec_ok, id=ident)
    wanted.flags |= dns.flags.AD
    made = query_bytes(ident, name.to_wire(), dns.rdatatype.from_text(rdtype), AD, dnssec_ok=dnssec_ok)
    assert made == wanted.to_wire()


def test_checking_can_be_disabled():
    assert dns.message.from_wire(query(flags=AD | CD)).flags == dns.flags.RD | dns.flags.AD | dns.flags.CD


# --- whose response it is ------------------------------------------------------------------------------------------


def test_a_response_is_known_by_number_and_question():
    asked = query()
    assert is_response(asked, response(asked))
    assert is_response(asked, response(asked, MX))
    assert not is_response(asked, asked), "a query is no response"
    for other in (query(ident=4712), query(rdtype="A"), query(name=dns.name.from_text("example.net"))):
        assert not is_response(asked, response(other))


def test_letters_of_the_name_count_in_either_case_and_those_of_the_type_do_not():
    asked = query()
    assert is_response(asked, response(query(name=dns.name.from_text("EXAMPLE.org"))))
    https, other = query_bytes(1, b"\0", 65, AD), query_bytes(1, b"\0", 97, AD)
    assert not is_response(https, response(other, authority=()))


def test_an_error_need_not_repeat_the_question():
    asked = query()
    bare = asked[:2] + b"\x80\x05" + bytes(8)
    assert is_response(asked, bare)
    assert not is_response(asked, asked[:2] + b"\x80\x00" + bytes(8)), "a success must"
    assert not is_response(asked, b"\0\0" + bare[2:])


mutations = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4)


@given(mutations, st.integers(0, 90), st.sampled_from([(), (MX,), (ALIAS,)]))
def test_what_we_take_for_a_response_dnspython_takes_for_one(changes, cut, answers):
    """Where dnspython can read it at all; what it cannot read is refused later, unless nobody has to read it."""
    asked = query()
    wire = bytearray(response(asked, *answers))
    for at, value in changes:
        wire[at] = value
    wire = wire[: len(wire) - cut]
    ours = is_response(asked, bytes(wire))
    try:
        read = dns.message.from_wire(bytes(wire))
    except (dns.exception.DNSException, ValueError):
        return
    if ours:
        assert dns.message.from_wire(asked).is_response(read)


@given(st.binary(max_size=40))
def test_any_bytes_are_borne(junk):
    asked = query()
    for wire in (junk, asked[:2] + b"\x81\x80" + junk):
        if is_response(asked, wire):
            assert absence(wire) in (None, DnsStatus.NODATA, DnsStatus.NXDOMAIN)
            assert is_truncated(wire) in (True, False)


# --- what it says --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rcode", "status"), [(dns.rcode.NOERROR, DnsStatus.NODATA), (dns.rcode.NXDOMAIN, DnsStatus.NXDOMAIN)]
)
def test_absence_is_read_from_the_header(rcode, status):
    assert absence(response(query(), rcode=rcode)) is status


@pytest.mark.parametrize("rcode", [r for r in dns.rcode.Rcode if r not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)])
def test_other_codes_are_no_absence(rcode):
    authority = () if rcode > 15 else (SOA,)
    assert absence(response(query(), rcode=rcode, authority=authority)) is None


@pytest.mark.parametrize("answers", [(MX,), (ALIAS,)])
@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_what_holds_records_is_read_in_full(answers, rcode):
    assert absence(response(query(), *answers, rcode=rcode)) is None


def test_without_proof_it_is_read_in_full():
    assert absence(response(query(), authority=())) is None


def test_truncation_is_seen():
    assert not is_truncated(response(query()))
    assert is_truncated(response(query(), flags=dns.flags.TC))

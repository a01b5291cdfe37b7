"""What the lab's name server answers: a query in, a response out, from a plain dict (RFC 1034 section 4.3.2).

Sans-I/O. The zone is the root zone, so that every name has an answer: its records, NODATA or NXDOMAIN with the SOA
that RFC 2308 asks for, or the trouble that was chosen for it. Of names that count as signed it speaks as a validating
resolver does (RFC 4035 section 3.2.3): nothing is signed here, because whoever asks a resolver sees no more than its
word.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME


class Trouble(StrEnum):
    """What a name server does instead of answering."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    DROPPED = "dropped"
    GARBAGE = "garbage"


Records = Mapping[str, Sequence[str] | Trouble]
"""Record type -> texts as in a zone file, names in full: {"MX": ["10 mx.example.org"], "AAAA": Trouble.SERVFAIL}."""
Zone = Mapping[str, Records | Trouble]
"""Name -> its records, or the trouble that meets every question about it."""

TTL_S = 300
UDP_LIMIT = 1232
"""The largest UDP response we send, whatever a client says it takes (DNS flag day 2020)."""
PLAIN_UDP_LIMIT = 512
"""Without EDNS (RFC 1035 section 4.2.1)."""
MAX_MESSAGE = 65535
MAX_ALIASES = 16
_HEADER = 12
_SOA = dns.rrset.from_text(dns.name.root, TTL_S, "IN", "SOA", "ns.invalid. hostmaster.invalid. 1 3600 600 86400 300")

_Node = dict[dns.rdatatype.RdataType, dns.rdataset.Rdataset | Trouble]


class _Troubled(Exception):
    """The answer depends on a name that has trouble."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble


class Answers:
    """A zone, ready to answer. A broken zone raises dnspython's own exceptions here, not later.

    Answers about the names in `signed` and below them are called secure.
    """

    def __init__(self, zone: Zone, signed: Iterable[str] = ()) -> None:
        self._signed = tuple(map(dns.name.from_text, signed))
        self._nodes = {dns.name.from_text(name): _node(records) for name, records in zone.items()}
        self._existing = {ancestor for name in self._nodes for ancestor in _ancestors(name)}

    def respond(self, wire: bytes, *, udp: bool) -> bytes | None:
        """The response to these bytes, or None where silence is the answer. Never raises, whatever the bytes are."""
        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return _format_error(wire)
        if query.flags & dns.flags.QR:
            return None
        try:
            response = self._response(query)
        except _Troubled as troubled:
            if troubled.trouble is Trouble.DROPPED:
                return None
            if troubled.trouble is Trouble.GARBAGE:
                return _garbage(wire)
            rcode = dns.rcode.SERVFAIL if troubled.trouble is Trouble.SERVFAIL else dns.rcode.REFUSED
            response = _empty(query, rcode)
        return response.to_wire(max_size=_limit(query, udp), prefer_truncation=True)

    def _response(self, query: dns.message.Message) -> dns.message.Message:
        if query.opcode() != dns.opcode.QUERY:
            return _empty(query, dns.rcode.NOTIMP)
        if len(query.question) != 1:
            return _empty(query, dns.rcode.FORMERR)
        question = query.question[0]
        if question.rdclass != dns.rdataclass.IN or dns.rdatatype.is_metatype(question.rdtype):
            return _empty(query, dns.rcode.REFUSED)
        response = _empty(query, dns.rcode.NOERROR)
        response.flags |= dns.flags.AA
        self._fill(response, question.name, question.rdtype)
        if _wants_verdict(query) and all(any(map(name.is_subdomain, self._signed)) for name in _names(response)):
            response.flags |= dns.flags.AD
        return response

    def _fill(
        self, response: dns.message.Message, owner: dns.name.Name, rdtype: dns.rdatatype.RdataType, aliases: int = 0
    ) -> None:
        """Puts in the records of `owner`, following CNAMEs; a loop ends as it would at a resolver, with SERVFAIL."""
        node = self._nodes.get(owner, {})
        if isinstance(node, Trouble):
            raise _Troubled(node)
        alias = node.get(dns.rdatatype.CNAME)
        found = node.get(rdtype, alias)
        if isinstance(found, Trouble):
            raise _Troubled(found)
        if found is None:
            response.set_rcode(dns.rcode.NOERROR if owner in self._existing else dns.rcode.NXDOMAIN)
            response.authority.append(_SOA)
            return
        response.answer.append(dns.rrset.from_rdata_list(owner, TTL_S, list(found)))
        target = found[0]
        if isinstance(target, CNAME) and rdtype != dns.rdatatype.CNAME:
            if aliases >= MAX_ALIASES:
                raise _Troubled(Trouble.SERVFAIL)
            self._fill(response, target.target, rdtype, aliases + 1)


def _names(response: dns.message.Message) -> list[dns.name.Name]:
    """Every name that the answer rests on: what was asked, and where aliases lead unless they were what was asked."""
    (question,) = response.question
    aliases = [rdata for rrset in response.answer for rdata in rrset if isinstance(rdata, CNAME)]
    followed = aliases if question.rdtype != dns.rdatatype.CNAME else []
    return [question.name, *(alias.target for alias in followed)]


def _wants_verdict(query: dns.message.Message) -> bool:
    """Whether the asker understands the AD bit (RFC 6840 section 5.7)."""
    return bool(query.flags & dns.flags.AD or query.ednsflags & dns.flags.DO)


def _node(records: Records | Trouble) -> _Node | Trouble:
    if isinstance(records, Trouble):
        return records
    return {
        dns.rdatatype.from_text(rdtype): texts if isinstance(texts, Trouble) else _rdataset(rdtype, texts)
        for rdtype, texts in records.items()
    }


def _rdataset(rdtype: str, texts: Sequence[str]) -> dns.rdataset.Rdataset:
    return dns.rdataset.from_text_list("IN", rdtype, TTL_S, texts, origin=dns.name.root, relativize=False)


def _ancestors(name: dns.name.Name) -> list[dns.name.Name]:
    """The name and all above it, which exist without records of their own (RFC 8020)."""
    return [dns.name.Name(name.labels[at:]) for at in range(len(name.labels))]


def _empty(query: dns.message.Message, rcode: dns.rcode.Rcode) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True, our_payload=UDP_LIMIT)
    response.set_rcode(rcode)
    return response


def _limit(query: dns.message.Message, udp: bool) -> int:
    if not udp:
        return MAX_MESSAGE
    return PLAIN_UDP_LIMIT if query.edns < 0 else min(max(query.payload, PLAIN_UDP_LIMIT), UDP_LIMIT)


def _format_error(wire: bytes) -> bytes | None:
    """FORMERR for what has at least the header of a query; silence for the rest, and for responses."""
    if len(wire) < _HEADER or wire[2] & 0x80:
        return None
    return wire[:2] + bytes([wire[2] & 0x79 | 0x80, dns.rcode.FORMERR]) + bytes(8)


def _garbage(wire: bytes) -> bytes:
    """A response to this very query that announces a question and an answer and is cut in the middle of a name."""
    return wire[:2] + b"\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00" + b"\x3fcut"

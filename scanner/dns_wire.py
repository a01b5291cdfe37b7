"""DNS messages as bytes, as far as most look-ups need it: a query is made, "there is none" is read (RFC 1035, 4).

Most questions of a scan are answered by the header alone: there is no such record. To read the SOA behind it as well
costs as much as everything else about a look-up, so only what carries records is given to a real parser.
"""

import struct

from scanner.dns_facts import DnsStatus

RD, AD, CD = 0x0100, 0x0020, 0x0010
"""Flags of a query: recursion desired, "tell me whether it is secure" (RFC 6840 section 5.7), checking disabled."""
PAYLOAD = 1232
"""The largest UDP response we take (DNS flag day 2020)."""
_QR, _OPCODE, _AA, _TC, _RA, _RCODE = 0x8000, 0x7800, 0x0400, 0x0200, 0x0080, 0x000F
_NOERROR, _NXDOMAIN = 0, 3
_HEADER = struct.Struct(">6H")
_WITHOUT_QUESTION = frozenset({1, 2, 4, 5})
"""FORMERR, SERVFAIL, NOTIMP, REFUSED: a server that could not read the question need not repeat it."""
_OPT = struct.Struct(">BHHIH")
_DO = 0x8000


def query_bytes(ident: int, name: bytes, rdtype: int, flags: int, *, dnssec_ok: bool = False) -> bytes:
    """A query for one name (in wire format) with EDNS (RFC 6891); `dnssec_ok` asks for signatures (RFC 3225)."""
    question = name + struct.pack(">2H", rdtype, 1)
    return _HEADER.pack(ident, RD | flags, 1, 0, 0, 1) + question + _OPT.pack(0, 41, PAYLOAD, dnssec_ok * _DO, 0)


def is_response(query: bytes, response: bytes) -> bool:
    """Whether these bytes answer that query: same number, and same question; letters count in either case."""
    if len(response) < _HEADER.size:
        return False
    ident, flags, questions, *_ = _HEADER.unpack_from(response)
    if ident != int.from_bytes(query[:2], "big") or not flags & _QR or flags & _OPCODE:
        return False
    if questions == 0:
        return flags & _RCODE in _WITHOUT_QUESTION
    end = len(query) - _OPT.size
    name, given = query[_HEADER.size : end - 4], response[_HEADER.size : end - 4]
    return questions == 1 and name.lower() == given.lower() and query[end - 4 : end] == response[end - 4 : end]


def is_truncated(response: bytes) -> bool:
    return bool(_HEADER.unpack_from(response)[1] & _TC)


def absence(response: bytes) -> DnsStatus | None:
    """NODATA or NXDOMAIN where a response says just that; None where there is more to read.

    An authority section must prove it (RFC 2308 section 2): without one the rest of an extended response code
    (RFC 6891 section 6.1.3) may stand in the OPT record. A server that neither knows nor recurses only refers.
    """
    _, flags, _, answers, authority, _ = _HEADER.unpack_from(response)
    if answers or not authority or not flags & (_AA | _RA):
        return None
    return {_NOERROR: DnsStatus.NODATA, _NXDOMAIN: DnsStatus.NXDOMAIN}.get(flags & _RCODE)

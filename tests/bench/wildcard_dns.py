"""A name server for benchmarks, in a process of its own: one pattern answers for millions of domains (RFC 1035).

    python -m tests.bench.wildcard_dns 200

Every name `d<number>...` has one MX record, mx<number modulo hosts>.example; `mx<n>.example` has the address
192.0.2.<n>, and that of `queries.invalid` is the number of queries so far. Everything else is NODATA with a SOA. Bytes
are put together by hand, so that it keeps up with any client.
"""

import socket
import struct
import sys
from functools import lru_cache
from itertools import count

MX, A = 15, 1
_AT_QUESTION = b"\xc0\x0c"
_IN_TTL = struct.pack(">HI", 1, 300)
_SOA_DATA = b"\x02ns\x07invalid\x00\x01h\x07invalid\x00" + struct.pack(">5I", 1, 3600, 600, 86400, 300)
_OPT = b"\x00" + struct.pack(">HHIH", 41, 1232, 0, 0)
_SOA = b"\x00" + struct.pack(">H", 6) + _IN_TTL + struct.pack(">H", len(_SOA_DATA)) + _SOA_DATA


def serve(hosts: int) -> None:
    """Answers until it is killed; the port goes to stdout first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        udp.bind(("127.0.0.1", 0))
        print(udp.getsockname()[1], flush=True)
        for queries in count():
            query, sender = udp.recvfrom(4096)
            udp.sendto(response(query, hosts, queries), sender)


def response(query: bytes, hosts: int, queries: int = 0) -> bytes:
    """The response to one query with one question and EDNS (RFC 6891)."""
    end = query.index(b"\x00", 12) + 5
    label = query[13 : 13 + query[12]].lower()
    rdtype = int.from_bytes(query[end - 4 : end - 2], "big")
    records = _address(queries) if label == b"queries" else _records(label, rdtype, hosts)
    counts = struct.pack(">4H", 1, 1, 0, 1) if records else struct.pack(">4H", 1, 0, 1, 1)
    return query[:2] + b"\x85\x80" + counts + query[12:end] + (records or _SOA) + _OPT


def _records(label: bytes, rdtype: int, hosts: int) -> bytes:
    if rdtype == MX and label[:1] == b"d" and label[1:].isdigit():
        return _mx(int(label[1:]) % hosts)
    if rdtype == A and label[:2] == b"mx" and label[2:].isdigit():
        return _address(int.from_bytes((192, 0, 2, int(label[2:])), "big"))
    return b""


def _address(number: int) -> bytes:
    return _AT_QUESTION + struct.pack(">H", A) + _IN_TTL + b"\x00\x04" + number.to_bytes(4, "big")


@lru_cache
def _mx(host: int) -> bytes:
    name = f"mx{host}".encode()
    data = b"\x00\x0a" + bytes((len(name),)) + name + b"\x07example\x00"
    return _AT_QUESTION + struct.pack(">H", MX) + _IN_TTL + struct.pack(">H", len(data)) + data


if __name__ == "__main__":
    serve(int(sys.argv[1]))

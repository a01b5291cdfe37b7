"""The name server over real sockets, asked by dnspython."""

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import pytest
import trio

from audits.demo.dns_server import DnsServer, Trouble, Zone, serve_dns

ZONE: Zone = {
    "example.org": {"MX": ["10 mx.example.org."]},
    "large.example.org": {"TXT": [f'"{"x" * 250}{number}"' for number in range(10)]},
    "silent.example.org": Trouble.DROPPED,
}


@pytest.fixture
async def server(nursery: trio.Nursery) -> DnsServer:
    started: DnsServer = await nursery.start(serve_dns, ZONE)
    return started


async def test_udp_and_tcp_answer_on_one_loopback_port(server: DnsServer) -> None:
    query = dns.message.make_query("example.org", "MX")
    by_udp = await dns.asyncquery.udp(query, server.address, 5, server.port)
    by_tcp = await dns.asyncquery.tcp(query, server.address, 5, server.port)
    assert server.address == "127.0.0.1"
    assert server.port > 1024
    assert by_udp.answer == by_tcp.answer
    assert by_udp.answer[0][0].to_text() == "10 mx.example.org."
    assert server.queries == 2
    assert server.asked() == [("example.org", "MX"), ("example.org", "MX")]


async def test_a_truncated_answer_comes_whole_over_tcp(server: DnsServer) -> None:
    query = dns.message.make_query("large.example.org", "TXT", use_edns=0, payload=1232)
    response, fell_back = await dns.asyncquery.udp_with_fallback(query, server.address, 5, server.port)
    assert fell_back
    assert len(response.answer[0]) == 10


async def test_a_dropped_query_is_counted_and_not_answered(server: DnsServer) -> None:
    query = dns.message.make_query("silent.example.org", "MX")
    with pytest.raises(dns.exception.Timeout):
        await dns.asyncquery.udp(query, server.address, 0.1, server.port)
    assert server.asked() == [("silent.example.org", "MX")]


async def test_several_queries_on_one_tcp_connection(server: DnsServer) -> None:
    async with await trio.open_tcp_stream(server.address, server.port) as stream:
        for rdtype in ("MX", "A", "TXT"):
            wire = dns.message.make_query("example.org", rdtype).to_wire(prepend_length=True)
            for at in range(len(wire)):  # any chunking
                await stream.send_all(wire[at : at + 1])
            length = int.from_bytes(await read(stream, 2), "big")
            response = dns.message.from_wire(await read(stream, length))
            assert response.rcode() == dns.rcode.NOERROR
    assert server.queries == 3


async def test_hostile_bytes_do_not_stop_it(server: DnsServer) -> None:
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as udp:
        for junk in (b"", b"x", b"\0" * 11, b"\xff" * 600):
            await udp.sendto(junk, (server.address, server.port))
    for junk in (b"\0", b"\0\0", b"\0\5abc", b"\0\2ab", b"\xff\xff" + b"x" * 100):
        async with await trio.open_tcp_stream(server.address, server.port) as stream:
            await stream.send_all(junk)
    query = dns.message.make_query("example.org", "MX")
    assert (await dns.asyncquery.udp(query, server.address, 5, server.port)).answer
    assert (await dns.asyncquery.tcp(query, server.address, 5, server.port)).answer


async def test_it_ends_when_it_is_cancelled() -> None:
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_dns, ZONE)
        nursery.cancel_scope.cancel()
    with pytest.raises(OSError, match="all attempts to connect"):
        await trio.open_tcp_stream(server.address, server.port)


async def read(stream: trio.SocketStream, size: int) -> bytes:
    data = b""
    with trio.fail_after(5):
        while len(data) < size:
            chunk = await stream.receive_some(size - len(data))
            assert chunk
            data += bytes(chunk)
    return data

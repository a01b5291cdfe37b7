"""The lab's policy host, read by the standard library's own HTTPS client, and by clients that misbehave."""

import http.client
import ssl
from contextlib import closing
from functools import partial

import pytest
import trio

from audits.demo import policy_server
from audits.demo.certificates import Authority
from audits.demo.policy_server import PolicyServer, serve_policy

from .clients import verifying

HOST, POLICY = "mta-sts.example.org", "version: STSv1\r\nmode: none\r\nmax_age: 1\r\n"


@pytest.fixture
async def server(nursery: trio.Nursery, authority: Authority) -> PolicyServer:
    found: PolicyServer = await nursery.start(serve_policy, authority.credential(HOST).chain_pem, POLICY)
    return found


class _ByName(http.client.HTTPSConnection):
    """Connects to the lab and verifies the name."""

    def __init__(self, server: PolicyServer, context: ssl.SSLContext) -> None:
        super().__init__(server.address, server.port, timeout=5, context=context)
        self._context = context

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=HOST)


def fetched(server: PolicyServer, context: ssl.SSLContext, method: str, path: str) -> tuple[int, str | None, str]:
    with closing(_ByName(server, context)) as client:
        client.request(method, path)
        response = client.getresponse()
        return response.status, response.getheader("Content-Type"), response.read().decode()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/.well-known/mta-sts.txt", (200, "text/plain", POLICY)),
        ("GET", "/", (404, "text/plain", "no such page\n")),
        ("POST", "/.well-known/mta-sts.txt", (404, "text/plain", "no such page\n")),
    ],
)
async def test_the_policy_and_nothing_else(
    server: PolicyServer, authority: Authority, method: str, path: str, expected: tuple[int, str, str]
) -> None:
    fetch = partial(fetched, server, verifying(authority.root_pem), method, path)
    assert await trio.to_thread.run_sync(fetch) == expected


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello"])
async def test_clients_that_speak_no_tls_do_no_harm(server: PolicyServer, authority: Authority, said: bytes) -> None:
    stream = await trio.open_tcp_stream(server.address, server.port)
    async with stream:
        await stream.send_all(said)
        await stream.send_eof()
        with trio.fail_after(5):
            while await stream.receive_some():
                pass
    fetch = partial(fetched, server, verifying(authority.root_pem), "GET", "/.well-known/mta-sts.txt")
    assert (await trio.to_thread.run_sync(fetch))[0] == 200


async def test_an_endless_request_is_cut(
    server: PolicyServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_server, "MAX_REQUEST", 100)

    def flood() -> bool:
        with closing(_ByName(server, verifying(authority.root_pem))) as client:
            client.connect()
            client.sock.sendall(b"GET /" + b"x" * 200)
            return bool(client.sock.recv(100).startswith(b"HTTP/1.1 404"))

    assert await trio.to_thread.run_sync(flood)

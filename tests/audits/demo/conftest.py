"""What the tests of the lab share: one authority, because keys cost time, and servers that end with their test."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from audits.demo.certificates import Authority, new_authority
from audits.demo.smtp_server import Behaviour, SmtpServer, TlsServer, serve

Start = Callable[[Behaviour], Awaitable[SmtpServer]]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return new_authority()


@pytest.fixture(scope="session")
def good_tls(authority: Authority) -> TlsServer:
    return TlsServer(chains=(authority.credential("mx.example.org").chain_pem,))


@pytest.fixture
def start(nursery: trio.Nursery) -> Start:
    async def start_server(behaviour: Behaviour) -> SmtpServer:
        server: SmtpServer = await nursery.start(serve, behaviour)
        return server

    return start_server

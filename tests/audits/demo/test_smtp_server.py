"""Whole sessions through smtplib, and what the server counts and remembers of them."""

import smtplib
import ssl

import msgspec
import pytest
import trio

from audits.demo import smtp_server
from audits.demo.certificates import Authority
from audits.demo.smtp_server import MUST_ISSUE_STARTTLS, Behaviour, Close, TlsServer, reply, serve

from .clients import PATIENCE_S, credulous, verifying, wire_to, with_smtplib
from .conftest import Start


async def test_a_well_mannered_session_with_starttls(start: Start, authority: Authority, good_tls: TlsServer) -> None:
    server = await start(Behaviour(tls=good_tls))

    def talk(client: smtplib.SMTP) -> str:
        client._host = "mx.example.org"  # type: ignore[attr-defined]  # smtplib verifies the name that it connected to
        client.starttls(context=verifying(authority.root_pem))
        client.ehlo()
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.version() or ""

    assert await with_smtplib(server, talk) == "TLSv1.3"
    assert server.address == "127.0.0.1"
    assert server.port > 1024
    (session,) = server.sessions
    assert session.commands == ["ehlo client.example.org", "STARTTLS", "ehlo client.example.org", "QUIT"]
    assert (session.tls_version, session.asked_name, session.tls_failure) == ("TLSv1.3", "mx.example.org", "")


async def test_tls_at_once(start: Start, good_tls: TlsServer) -> None:
    server = await start(Behaviour(tls=good_tls, implicit_tls=True))

    def talk() -> tuple[int, bytes]:
        with smtplib.SMTP_SSL(
            server.address, server.port, "c.example.org", None, None, PATIENCE_S, context=credulous()
        ) as c:
            return c.ehlo()

    code, text = await trio.to_thread.run_sync(talk)
    assert code == 250
    assert b"STARTTLS" not in text


async def test_tls_required(start: Start, good_tls: TlsServer) -> None:
    server = await start(Behaviour(tls=good_tls, mail=MUST_ISSUE_STARTTLS))

    def talk(client: smtplib.SMTP) -> tuple[int, int]:
        client.ehlo()
        before = client.docmd("MAIL", "FROM:<>")[0]
        client.starttls(context=credulous())
        client.ehlo()
        return before, client.docmd("MAIL", "FROM:<>")[0]

    assert await with_smtplib(server, talk) == (530, 250)


async def test_421_from_the_third_connection_on(start: Start) -> None:
    busy = Behaviour(greeting=(*reply(421, "4.7.0 Too many connections"), Close()))
    server = await start(Behaviour(later=(3, busy)))
    greetings = []
    for _ in range(4):
        wire = await wire_to(server)
        async with wire.stream:
            greetings.append((await wire.reply())[:3])
    assert greetings == ["220", "220", "421", "421"]
    assert server.connections == 4
    assert [session.number for session in server.sessions] == [1, 2, 3, 4]


async def test_a_later_behaviour_has_its_own_tls(start: Start, good_tls: TlsServer) -> None:
    old = msgspec.structs.replace(good_tls, maximum=ssl.TLSVersion.TLSv1_2)
    server = await start(Behaviour(tls=good_tls, later=(2, Behaviour(tls=old))))
    for _ in range(2):
        await with_smtplib(server, lambda client: client.starttls(context=credulous()))
    assert [session.tls_version for session in server.sessions] == ["TLSv1.3", "TLSv1.2"]


async def test_connections_at_once_are_counted(start: Start) -> None:
    server = await start(Behaviour())
    first, second = await wire_to(server), await wire_to(server)
    async with first.stream, second.stream:
        assert await first.reply() == await second.reply() == "220 mx.example.org ESMTP"
        assert (server.open_now, server.most_at_once) == (2, 2)


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(greeting=(*reply(421, "busy"), Close()))])
async def test_a_hasty_client_with_one_connection_at_a_time_counts_as_one(start: Start, behaviour: Behaviour) -> None:
    server = await start(behaviour)
    for _ in range(30):
        wire = await wire_to(server)
        async with wire.stream:
            await wire.reply()
    assert (server.connections, server.most_at_once) == (30, 1)


async def test_only_the_last_sessions_are_kept(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_server, "REMEMBERED", 2)
    server = await start(Behaviour())
    for _ in range(3):
        await with_smtplib(server, lambda client: client.noop())
    assert [session.number for session in server.sessions] == [2, 3]


async def test_it_ends_with_open_connections_when_it_is_cancelled() -> None:
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve, Behaviour())
        wire = await wire_to(server)
        await wire.reply()
        nursery.cancel_scope.cancel()
    async with wire.stream:
        with pytest.raises(OSError, match="all attempts to connect"):
            await wire_to(server)


async def test_a_port_of_ones_own_choice_and_an_impossible_behaviour(nursery: trio.Nursery) -> None:
    async with trio.open_nursery() as inner:
        port = (await inner.start(serve, Behaviour())).port
        inner.cancel_scope.cancel()

    async def serve_there(task_status: trio.TaskStatus[smtp_server.SmtpServer]) -> None:
        await serve(Behaviour(), port=port, task_status=task_status)

    assert (await nursery.start(serve_there)).port == port
    with pytest.raises(ssl.SSLError):
        await serve(Behaviour(tls=TlsServer(ciphers="NO-SUCH-CIPHER")))

"""What one connection does with each action of a script, at each step, and with clients that misbehave."""

import smtplib

import msgspec
import pytest
import trio

from audits.demo import conversation
from audits.demo.smtp_server import (
    Behaviour,
    Close,
    Hang,
    Listen,
    Reset,
    Script,
    Send,
    SmtpServer,
    TlsServer,
    Wait,
    reply,
)

from .clients import credulous, wire_to, with_smtplib
from .conftest import Start


async def test_a_multi_line_greeting_with_a_pause_is_sent_piece_by_piece(start: Start) -> None:
    greeting: Script = (Send(b"220-mx.example.org\r\n"), Wait(0.2), Send(b"220 mx.example.org\r\n"))
    server = await start(Behaviour(greeting=greeting))
    wire = await wire_to(server)
    async with wire.stream:
        began = trio.current_time()
        assert await wire.reply() == "220-mx.example.org"
        assert await wire.reply() == "220 mx.example.org"
        assert trio.current_time() - began >= 0.2


async def test_a_drip_and_a_flood(start: Start) -> None:
    drip = await start(Behaviour(greeting=(Send(b"2", times=3, every_s=0.05),)))
    wire = await wire_to(drip)
    async with wire.stream:
        began = trio.current_time()
        await wire.read_until(b"222")
        assert trio.current_time() - began >= 0.1
    flood = await start(Behaviour(greeting=(Send(b"220-" + b"x" * 996, times=5000), Close())))
    wire = await wire_to(flood)
    async with wire.stream:
        assert len(await wire.rest()) == 5_000_000


async def test_a_client_that_leaves_in_the_middle_of_a_flood_ends_the_session(start: Start) -> None:
    server = await start(Behaviour(greeting=(Send(b"x" * 1000, times=10_000_000),)))
    wire = await wire_to(server)
    async with wire.stream:
        await wire.read_until(b"x" * 1000)
    await ended(server)


async def test_close_hang_and_reset(start: Start) -> None:
    closing = await wire_to(await start(Behaviour(greeting=(Close(),))))
    async with closing.stream:
        assert await closing.rest() == b""
    resetting = await wire_to(await start(Behaviour(greeting=(Reset(),))))
    async with resetting.stream:
        with pytest.raises(trio.BrokenResourceError):
            await resetting.rest()
    server = await start(Behaviour(greeting=(Hang(),)))
    hanging = await wire_to(server)
    async with hanging.stream:
        with trio.move_on_after(0.1) as silence:
            await hanging.stream.receive_some()
    assert silence.cancelled_caught
    await ended(server)


async def test_the_last_words_arrive_although_the_client_talked_on(start: Start) -> None:
    server = await start(Behaviour(greeting=(*reply(421, "busy"), Close())))
    wire = await wire_to(server)
    async with wire.stream:
        await wire.say("EHLO client.example.org", "MAIL FROM:<>", "QUIT")
        assert await wire.rest() == b"421 busy\r\n"


async def test_starttls_refused_and_the_session_goes_on(start: Start) -> None:
    server = await start(Behaviour(starttls=reply(454, "4.7.0 TLS not available")))

    def talk(client: smtplib.SMTP) -> tuple[bool, int, int]:
        client.ehlo()
        return client.has_extn("starttls"), client.docmd("STARTTLS")[0], client.docmd("RSET")[0]

    assert await with_smtplib(server, talk) == (True, 454, 250)


async def test_starttls_454_and_close(start: Start) -> None:
    server = await start(Behaviour(starttls=(*reply(454, "4.7.0 TLS not available"), Close())))
    wire = await wire_to(server)
    async with wire.stream:
        await wire.say("STARTTLS")
        assert (await wire.rest()).endswith(b"454 4.7.0 TLS not available\r\n")


async def test_after_220_comes_in_clear_instead_of_the_handshake(start: Start) -> None:
    wire = await wire_to(await start(Behaviour(after_220=(Send(b"garbage"),))))
    async with wire.stream:
        await wire.say("STARTTLS")
        assert (await wire.rest()).endswith(b"220 2.0.0 Ready to start TLS\r\ngarbage")


async def test_listening_makes_the_next_words_an_answer(start: Start) -> None:
    server = await start(Behaviour(after_220=(Listen(), Send(b"garbage"))))
    wire = await wire_to(server)
    async with wire.stream:
        await wire.say("STARTTLS")
        await wire.read_until(b"Ready to start TLS\r\n")
        with trio.move_on_after(0.05) as silence:
            await wire.stream.receive_some()
        assert silence.cancelled_caught
        await wire.say("a client's hello")
        assert await wire.rest() == b"garbage"
    gone = await wire_to(server)
    async with gone.stream:
        await gone.say("STARTTLS")
        await gone.read_until(b"Ready to start TLS\r\n")
    await ended(server)


async def test_a_server_without_tls_that_accepts_starttls_hangs_up(start: Start) -> None:
    wire = await wire_to(await start(Behaviour(starttls=reply(220, "go ahead"))))
    async with wire.stream:
        await wire.say("STARTTLS")
        assert (await wire.rest()).endswith(b"220 go ahead\r\n")


async def test_inside_tls_other_replies_hold(start: Start, good_tls: TlsServer) -> None:
    server = await start(Behaviour(tls=good_tls, ehlo_tls=reply(550, "not here"), mail_tls=reply(451, "later")))

    def talk(client: smtplib.SMTP) -> list[int]:
        codes = [client.ehlo()[0], client.docmd("MAIL", "FROM:<>")[0], client.starttls(context=credulous())[0]]
        return [*codes, client.ehlo()[0], client.helo()[0], client.docmd("MAIL", "FROM:<>")[0]]

    assert await with_smtplib(server, talk) == [250, 250, 220, 550, 250, 451]


async def test_hanging_up_after_the_handshake_in_good_order_or_not(start: Start, good_tls: TlsServer) -> None:
    polite = await start(Behaviour(tls=good_tls, after_handshake=(Close(),)))
    async with await shaken(polite) as client:
        assert await client.receive_some() == b""
    rude = await start(Behaviour(tls=good_tls, after_handshake=(Close(notify=False),)))
    async with await shaken(rude) as client:
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()


async def shaken(server: SmtpServer) -> trio.SSLStream[trio.SocketStream]:
    """A client right behind its handshake that insists on a close_notify."""
    wire = await wire_to(server)
    await wire.say("STARTTLS")
    await wire.read_until(b"Ready to start TLS\r\n")
    client = trio.SSLStream(wire.stream, credulous())
    await client.do_handshake()
    return client


async def test_text_pipelined_behind_starttls_is_forgotten(start: Start, good_tls: TlsServer) -> None:
    server = await start(Behaviour(tls=good_tls))
    wire = await wire_to(server)
    async with wire.stream:
        await wire.say("STARTTLS", "MAIL FROM:<injected@example.org>")
        await wire.read_until(b"Ready to start TLS\r\n")
        client = trio.SSLStream(wire.stream, credulous(), https_compatible=True)
        await client.send_all(b"NOOP\r\n")
        assert await client.receive_some() == b"250 2.0.0 Ok\r\n"
        await client.aclose()
    assert server.sessions[0].commands == ["STARTTLS", "NOOP"]


async def test_a_hello_that_is_too_large_is_not_answered(start: Start, good_tls: TlsServer) -> None:
    server = await start(Behaviour(tls=msgspec.structs.replace(good_tls, largest_hello=100)))

    def talk(client: smtplib.SMTP) -> None:
        with pytest.raises(OSError, match=r"EOF|reset"):
            client.starttls(context=credulous())
        client.close()

    await with_smtplib(server, talk)
    assert server.sessions[0].hello_bytes > 100
    assert "ClientHello of" in server.sessions[0].tls_failure


async def test_odd_clients_do_not_stop_the_server(start: Start, good_tls: TlsServer) -> None:
    server = await start(Behaviour(tls=good_tls))
    for junk in (b"", b"\n", b"\xff\x00\r\n", b"STARTTLS\r\nno TLS at all\r\n", b"EHLO"):
        wire = await wire_to(server)
        async with wire.stream:
            await wire.reply()
            await wire.stream.send_all(junk)
    long = await wire_to(server)
    async with long.stream:
        await long.stream.send_all(b"x" * (conversation.MAX_LINE + 1))
        assert b"500 5.5.2 Line too long" in await long.rest()
    many = await wire_to(server)
    async with many.stream:
        await many.say(*["NOOP"] * (conversation.MAX_COMMANDS + 1))
        assert (await many.rest()).endswith(b"421 4.7.0 Too many commands\r\n")
    assert await with_smtplib(server, lambda client: client.ehlo()[0]) == 250


async def test_line_ends_and_capitals_do_not_matter(start: Start) -> None:
    wire = await wire_to(await start(Behaviour()))
    async with wire.stream:
        await wire.reply()
        await wire.stream.send_all(b"nOOp\nrset\r\n")
        assert [await wire.reply(), await wire.reply()] == ["250 2.0.0 Ok"] * 2


async def ended(server: SmtpServer) -> None:
    """Waits until the server has no open session."""
    with trio.fail_after(5):
        while server.open_now:
            await trio.lowlevel.checkpoint()

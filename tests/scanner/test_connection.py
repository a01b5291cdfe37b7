"""One connection at a time: each way in which a session can go, on the virtual clock and on real sockets."""

import errno
import os

import pytest
import trio
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from trio.testing import MockClock

from audits.demo.behaviour import (
    Behaviour,
    ClientCertificate,
    Close,
    Hang,
    Script,
    Send,
    TlsServer,
    Wait,
    reply,
)
from audits.demo.certificates import new_authority
from scanner import settings
from scanner.connection import Phase, probe_session
from scanner.facts import Endpoint, SessionFacts
from scanner.failures import Kind, LocalTroubleError, Stage
from scanner.smtp import SessionRequest
from scanner.tcp import TcpSocket
from scanner.tls_facts import HelloStyle
from tests.scanner.memory_network import MemoryNetwork, Silent

AUTHORITY = new_authority()
CREDENTIAL = AUTHORITY.credential("mx.example.org")
TLS = TlsServer(chains=(CREDENTIAL.chain_pem,))
DEMANDING = TlsServer(
    chains=(CREDENTIAL.chain_pem,), client_certificate=ClientCertificate.REQUIRED, client_ca_pem=AUTHORITY.root_pem
)
REQUEST = SessionRequest(HelloStyle.POSTFIX_MUST, ehlo="probe.example.net")
ENDPOINT = Endpoint("192.0.2.1", 25)

DRIP: Script = (Send(b"2", times=10_000, every_s=1.0),)
EMPTY_SERVER_HELLO = b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"
"""A record that OpenSSL answers with an alert."""
HANG: Script = (Hang(),)
CLOSE: Script = (Close(),)


async def session_in_memory(server: object, request: SessionRequest = REQUEST, endpoint: Endpoint = ENDPOINT):
    """The result of one session with a server in memory; also checks that the socket was closed."""
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, {(endpoint.address, endpoint.port): server})
        result = await probe_session(endpoint, request, network.connect)
        assert network.all_closed
        nursery.cancel_scope.cancel()
    return result


async def facts_of(server: object, request: SessionRequest = REQUEST, endpoint: Endpoint = ENDPOINT) -> SessionFacts:
    return (await session_in_memory(server, request, endpoint)).facts


def failure_of(facts: SessionFacts) -> tuple[Stage, Kind]:
    assert facts.failure
    return facts.failure.stage, facts.failure.kind


# --- sessions that go well -----------------------------------------------------------------------------------------


async def test_a_healthy_server(autojump_clock):
    result = await session_in_memory(Behaviour(tls=TLS))
    facts = result.facts
    assert facts.failure is None
    replies = (facts.greeting, facts.ehlo, facts.starttls, facts.ehlo_tls)
    assert [said.code if said else None for said in replies] == [220, 250, 220, 250]
    assert facts.handshake
    assert facts.handshake.version == "TLSv1.3"
    assert len(result.certificates) == len(facts.handshake.chain) == 2
    assert [line for line in facts.transcript if line.startswith("C: ")] == [
        "C: EHLO probe.example.net",
        "C: STARTTLS",
        "C: EHLO probe.example.net",
        "C: QUIT",
    ]


async def test_tls_at_once(autojump_clock):
    endpoint = Endpoint("192.0.2.1", 465)
    request = SessionRequest(HelloStyle.POSTFIX_MUST, endpoint.transport, "probe.example.net")
    facts = await facts_of(Behaviour(tls=TLS, implicit_tls=True), request, endpoint)
    assert facts.failure is None
    assert facts.handshake
    assert facts.ehlo_tls


@pytest.mark.parametrize("wait_s", [6, 29])
async def test_a_teaser_and_a_slow_greeting_are_waited_for(autojump_clock, wait_s):
    teaser = (Send(b"220-mx.example.org\r\n"), Wait(wait_s), Send(b"220 mx.example.org ESMTP\r\n"))
    facts = await facts_of(Behaviour(greeting=teaser, tls=TLS))
    assert facts.failure is None
    assert facts.greeting
    assert facts.greeting.lines == ("mx.example.org", "mx.example.org ESMTP")


async def test_not_a_word_is_said_before_the_last_line_of_the_greeting(autojump_clock):
    async with trio.open_nursery() as nursery:
        greeting = (Send(b"220-wait\r\n"), Hang())
        network = MemoryNetwork(nursery, {(ENDPOINT.address, 25): Behaviour(greeting=greeting)})
        facts = (await probe_session(ENDPOINT, REQUEST, network.connect)).facts
        assert failure_of(facts) == (Stage.GREETING, Kind.TIMEOUT)
        assert facts.failure
        assert "220 wait" in facts.failure.detail
        assert network.sessions[ENDPOINT.address, 25][0].commands == []
        nursery.cancel_scope.cancel()


async def test_plain_text_behind_the_220_is_dropped(autojump_clock):
    injected = (Send(b"220 go\r\n250-evil.example\r\n250 SIZE 1\r\n"),)
    facts = await facts_of(Behaviour(starttls=injected, tls=TLS))
    assert facts.failure is None
    assert facts.ehlo_tls
    assert facts.ehlo_tls.lines[0] == "mx.example.org"


@given(st.integers(1, 40))
@hypothesis_settings(deadline=None, max_examples=15)
def test_any_chunking_of_replies(size):
    text = b"250-mx.example.org\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"
    pieces = tuple(Send(text[at : at + size]) for at in range(0, len(text), size))

    async def main() -> None:
        facts = await facts_of(Behaviour(ehlo=pieces, ehlo_tls=pieces, tls=TLS))
        assert facts.failure is None
        assert facts.ehlo == facts.ehlo_tls
        assert facts.ehlo
        assert facts.ehlo.lines == ("mx.example.org", "SIZE 1000", "STARTTLS")

    trio.run(main, clock=MockClock(autojump_threshold=0))


# --- sessions that do not ------------------------------------------------------------------------------------------

STAGES = [
    (Stage.GREETING, "greeting"),
    (Stage.EHLO, "ehlo"),
    (Stage.STARTTLS, "starttls"),
    (Stage.HANDSHAKE, "after_220"),
    (Stage.EHLO_TLS, "ehlo_tls"),
]


@pytest.mark.parametrize(("stage", "field"), STAGES)
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (HANG, Kind.TIMEOUT),
        (CLOSE, Kind.CLOSED),
        ((Send(b"2"), Hang()), Kind.TIMEOUT),
        ((Send(b"2"), Close()), Kind.CLOSED),
    ],
)
async def test_silence_and_hanging_up_in_every_stage(autojump_clock, stage, field, script, kind):
    if stage is Stage.HANDSHAKE and script[0] == Send(b"2"):
        script = (Send(b"\x16"), *script[1:])
    start = trio.current_time()
    facts = await facts_of(Behaviour(tls=TLS, **{field: script}))
    assert failure_of(facts) == (stage, kind)
    assert trio.current_time() - start <= (35 if kind is Kind.TIMEOUT else 1)
    for earlier, name in STAGES[: [s for s, _ in STAGES].index(stage)]:
        assert name == "after_220" or getattr(facts, name), earlier
    assert not any("QUIT" in line for line in facts.transcript)


@pytest.mark.parametrize(("stage", "field"), [*STAGES[:3], STAGES[4]])
async def test_a_421_in_every_stage_is_kept_in_the_servers_own_words(autojump_clock, stage, field):
    facts = await facts_of(Behaviour(tls=TLS, **{field: (*reply(421, "4.7.0 Too many connections"), Close())}))
    assert facts.failure
    assert facts.failure.stage is stage
    assert facts.failure.kind in (Kind.TEMPORARY, Kind.CLOSED)
    assert any("421 4.7.0 Too many connections" in line for line in facts.transcript)
    said = {"greeting": facts.greeting, "ehlo": facts.ehlo, "starttls": facts.starttls, "ehlo_tls": facts.ehlo_tls}[
        field
    ]
    assert said
    assert said.code == 421


@pytest.mark.parametrize("code", [450, 454, 554])
async def test_a_refusal_in_the_greeting(autojump_clock, code):
    facts = await facts_of(Behaviour(greeting=reply(code, "not now")))
    assert failure_of(facts) == (Stage.GREETING, Kind.PERMANENT if code == 554 else Kind.TEMPORARY)
    assert facts.transcript[1] == "C: QUIT"


@pytest.mark.parametrize(("stage", "field"), [*STAGES[:3], STAGES[4]])
async def test_a_drip_of_a_byte_a_second_ends_in_time(autojump_clock, stage, field):
    start = trio.current_time()
    facts = await facts_of(Behaviour(tls=TLS, **{field: DRIP}))
    assert failure_of(facts) == (stage, Kind.TIMEOUT)
    assert trio.current_time() - start < settings.SESSION_TIMEOUT_S


async def test_a_session_as_a_whole_has_an_end(autojump_clock):
    usual = Behaviour(tls=TLS)
    scripts = {
        "greeting": (Wait(29), *usual.greeting_script),
        **{
            field: (Wait(29), *usual.script(verb, inside_tls=field.endswith("_tls")))
            for field, verb in (("ehlo", "EHLO"), ("mail", "MAIL"), ("starttls", "STARTTLS"), ("ehlo_tls", "EHLO"))
        },
    }
    start = trio.current_time()
    request = SessionRequest(HelloStyle.POSTFIX_MUST, ehlo="probe.example.net", envelope=True)
    facts = await facts_of(Behaviour(tls=TLS, **scripts), request)
    assert failure_of(facts) == (Stage.EHLO_TLS, Kind.TIMEOUT)
    assert trio.current_time() - start == pytest.approx(settings.SESSION_TIMEOUT_S)


class NoGoodbye(Behaviour, frozen=True):
    """A server that falls silent at QUIT."""

    def script(self, verb: str, *, inside_tls: bool) -> Script:
        return HANG if verb == "QUIT" else super().script(verb, inside_tls=inside_tls)


@pytest.mark.parametrize("tls", [TLS, None])
async def test_a_server_that_never_answers_quit_costs_seconds_and_no_fact(autojump_clock, tls):
    start = trio.current_time()
    facts = await facts_of(NoGoodbye(tls=tls))
    assert facts.failure is None
    assert facts.transcript[-1] == "C: QUIT"
    assert trio.current_time() - start == pytest.approx(settings.QUIT_TIMEOUT_S)


@pytest.mark.parametrize(
    "flood",
    [
        (Send(b"x" * 1000, times=100_000),),
        (Send(b"220-" + b"x" * 1000, times=100_000),),
        (Send(b"220-and more\r\n", times=1_000_000),),
        (Send(b"\n", times=1_000_000),),
        (Send(b"\x00" * 4096, times=25_000),),
    ],
    ids=["no line end", "one line", "lines", "empty lines", "zeros"],
)
@pytest.mark.parametrize("field", ["greeting", "ehlo", "ehlo_tls"])
async def test_a_flood_is_cut_with_little_read(autojump_clock, field, flood):
    facts = await facts_of(Behaviour(tls=TLS, **{field: flood}))
    assert failure_of(facts)[1] is Kind.PROTOCOL
    assert sum(map(len, facts.transcript)) < 20_000


@pytest.mark.parametrize(
    ("after_220", "kind"),
    [
        ((Send(b"garbage, and no TLS record at all\r\n"), Hang()), Kind.TLS),
        ((Send(b"\x15\x03\x03\x00\x02\x02\x28"), Close()), Kind.TLS),
        ((Send(b"\x15\x03\x03\x00\x02\x02\x50"), Hang()), Kind.TLS),
        ((Send(b"\x16\x03\x03\xff\xff" + b"\0" * 70_000), Hang()), Kind.TLS),
        ((Send(b"\x16\x03\x03\x40\x00"), Hang()), Kind.TIMEOUT),
        ((Send(b"421 4.7.0 no TLS today\r\n"), Close()), Kind.TLS),
    ],
)
async def test_what_is_no_handshake_behind_the_220(autojump_clock, after_220, kind):
    facts = await facts_of(Behaviour(starttls=reply(220, "go"), after_220=after_220))
    assert failure_of(facts) == (Stage.HANDSHAKE, kind)
    assert facts.starttls
    assert facts.starttls.code == 220


class _Leaving:
    """A socket whose peer sends these chunks and then goes away; nothing can be sent after the last."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    async def recv(self, size: int) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.chunks.pop(0)

    async def send(self, data: bytes) -> int:
        await trio.lowlevel.checkpoint()
        if not self.chunks:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        return min(len(data), 7)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("last", "stage", "kind"),
    [
        ((b"250 STARTTLS\r\n",), Stage.STARTTLS, Kind.RESET),
        ((b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n"), Stage.HANDSHAKE, Kind.RESET),
        ((b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n", EMPTY_SERVER_HELLO), Stage.HANDSHAKE, Kind.TLS),
    ],
)
async def test_a_peer_that_is_gone_when_we_speak(last, stage, kind):
    async def connect(address: str, port: int):
        return _Leaving(b"220 mx\r\n", *last)

    facts = (await probe_session(ENDPOINT, REQUEST, connect)).facts
    if stage is Stage.STARTTLS:
        assert (facts.failure, facts.transcript[-1]) == (None, "C: QUIT")
    else:
        assert failure_of(facts) == (stage, kind)


async def test_a_flood_of_tls_records_is_cut(autojump_clock, monkeypatch):
    flood = (Send(b"250-" + b"x" * 996 + b"\r\n", times=10_000),)
    facts = await facts_of(Behaviour(tls=TLS, after_handshake=flood))
    assert failure_of(facts) == (Stage.EHLO_TLS, Kind.PROTOCOL)
    monkeypatch.setattr(settings, "MAX_SESSION_BYTES", 2000)
    facts = await facts_of(Behaviour(tls=TLS, after_handshake=flood))
    assert facts.failure
    assert facts.failure.detail == "more than 2000 bytes on one connection"


async def test_a_close_after_the_handshake(autojump_clock):
    for notify in (True, False):
        facts = await facts_of(Behaviour(tls=TLS, after_handshake=(Close(notify),)))
        assert failure_of(facts) == (Stage.EHLO_TLS, Kind.CLOSED)
        assert facts.handshake


async def test_a_demand_for_a_client_certificate_after_the_handshake(autojump_clock):
    facts = await facts_of(Behaviour(tls=DEMANDING))
    assert failure_of(facts) == (Stage.EHLO_TLS, Kind.TLS)
    assert facts.failure
    assert "certificate required" in facts.failure.detail
    assert facts.handshake
    assert facts.handshake.client_certificate_requested


async def test_a_reply_in_clear_inside_tls_is_no_reply(autojump_clock):
    facts = await facts_of(Behaviour(tls=TLS, ehlo_tls=(Send(b"\xff" * 400), Hang())))
    assert failure_of(facts)[0] is Stage.EHLO_TLS
    assert facts.ehlo_tls is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Kind.REFUSED),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Kind.RESET),
        (OSError(errno.ENETUNREACH, "unreachable"), Kind.UNREACHABLE),
        (OSError(errno.EHOSTUNREACH, "unreachable"), Kind.UNREACHABLE),
        (PermissionError(errno.EACCES, "a firewall of ours"), Kind.UNREACHABLE),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), Kind.TIMEOUT),
        (OSError("without a number"), Kind.UNREACHABLE),
        (Silent, Kind.TIMEOUT),
    ],
)
async def test_connections_that_do_not_come_about(autojump_clock, error, kind):
    facts = await facts_of(error)
    assert failure_of(facts) == (Stage.CONNECT, kind)
    assert facts.transcript == (f"* {facts.failure}",)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_our_own_trouble_is_nobody_elses(autojump_clock, number):
    with pytest.raises(LocalTroubleError):
        await probe_session(ENDPOINT, REQUEST, _refuse_with(OSError(number, os.strerror(number))))


def _refuse_with(error: OSError):
    async def connect(address: str, port: int) -> TcpSocket:
        raise error

    return connect


async def test_cancelling_in_the_middle_closes_the_socket(autojump_clock):
    for field in ("greeting", "starttls", "after_220", "ehlo_tls"):
        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(nursery, {(ENDPOINT.address, 25): Behaviour(tls=TLS, **{field: HANG})})
            with trio.move_on_after(5) as scope:
                await probe_session(ENDPOINT, REQUEST, network.connect)
            assert scope.cancelled_caught
            assert network.all_closed
            nursery.cancel_scope.cancel()


async def test_the_tap_sees_every_byte_and_its_phase(autojump_clock):
    seen: list[tuple[Phase, str, bytes]] = []
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, {(ENDPOINT.address, 25): Behaviour(tls=TLS)})
        await probe_session(ENDPOINT, REQUEST, network.connect, lambda *what: seen.append(what))
        nursery.cancel_scope.cancel()
    clear = b"".join(data for phase, way, data in seen if (phase, way) == (Phase.CLEAR, "write"))
    assert clear == b"EHLO probe.example.net\r\nSTARTTLS\r\n"
    assert [phase for phase, way, _ in seen if way == "write"][-1] is Phase.TLS
    assert any(data[:1] == b"\x16" for phase, way, data in seen if (phase, way) == (Phase.HANDSHAKE, "write"))
    assert not any(b"EHLO" in data for phase, _, data in seen if phase is Phase.TLS)

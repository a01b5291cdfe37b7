"""Sessions in the detail of smtp_tls_loglevel, in which a server's words do nothing to the terminal."""

import msgspec
import pytest

from audits.session_log import MAX_LINE, SessionLog, headline, hex_lines
from scanner.connection import Phase
from scanner.facts import Endpoint
from tests.audits.sample_records import HOSTILE, OBEYED
from tests.audits.session_factory import BROKEN_TLS, GOOD, NO_TLS, Server, asked, handshake, reply

HERE = Endpoint("192.0.2.1", 25)


def observed(level: int, server: Server = GOOD) -> list[str]:
    lines: list[str] = []
    log = SessionLog(level, lines.append)
    for session in asked(server).sessions:
        log.observe(HERE, msgspec.structs.replace(session, transcript=("S: 220 hello", "C: EHLO us")))
    return lines


def tapped(level: int) -> list[str]:
    lines: list[str] = []
    tap = SessionLog(level, lines.append).tap(HERE)
    for phase in Phase if tap else ():
        tap(phase, "write", phase.value.encode())
    return lines


def test_level_0_says_nothing():
    assert observed(0) == tapped(0) == []


def test_level_1_tells_of_handshake_and_certificate():
    (line,) = observed(1)
    assert line.startswith("192.0.2.1:25: TLS connection established: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384")
    assert "key-exchange X25519" in line
    assert f"sha256={'aa' * 32}" in line
    assert tapped(1) == []


def test_level_2_adds_the_dialogue():
    assert observed(2)[1:] == ["192.0.2.1:25: S: 220 hello", "192.0.2.1:25: C: EHLO us"]
    assert tapped(2) == []


@pytest.mark.parametrize(("level", "phases"), [(3, {Phase.HANDSHAKE}), (4, {Phase.HANDSHAKE, Phase.TLS})])
def test_levels_3_and_4_dump_bytes_and_never_those_in_clear(level, phases):
    heads = [line for line in tapped(level) if " bytes (" in line]
    assert {head.rpartition("(")[2].rstrip(")") for head in heads} == {phase.value for phase in phases}


def test_without_tls_the_reason_stands_there():
    assert observed(1, NO_TLS)[0].endswith("no TLS connection, STARTTLS not offered")
    assert "no TLS connection: handshake: closed" in observed(1, BROKEN_TLS)[0]


def test_an_anonymous_session_that_fails_inside():
    server = Server(shake=handshake(chain=()), ehlo_tls=reply(550, "no"), helo_tls=reply(550, "no"))
    line = observed(1, server)[0]
    assert "no certificate; then ehlo-tls: permanent-reply (550 no)" in line


def test_hostile_words_are_escaped_and_cut():
    said = reply(554, HOSTILE + "x" * 10_000)
    (session,) = asked(Server(greeting=said)).sessions
    lines: list[str] = []
    SessionLog(2, lines.append).observe(HERE, msgspec.structs.replace(session, transcript=(f"S: {HOSTILE}" * 100,)))
    assert len(lines) == 2
    for line in (*lines, headline(session)):
        assert line.isprintable()
        assert not set(line) & set(OBEYED)
        assert len(line) < MAX_LINE * 12


def test_hex_lines_show_offset_bytes_and_ascii():
    shown = list(hex_lines(b"EHLO \x1b[2J\xff~" + b"x" * 8))
    assert shown == [
        "0000 45 48 4c 4f 20 1b 5b 32 4a ff 7e 78 78 78 78 78 EHLO .[2J.~xxxxx",
        "0010 78 78 78                                        xxx",
    ]
    assert list(hex_lines(b"")) == []

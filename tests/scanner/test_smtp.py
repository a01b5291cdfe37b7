"""The SMTP core, fed by hand: no socket anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import settings
from scanner.facts import SessionFacts, Transport
from scanner.failures import Kind, ProbeFailure, ProtocolError, SmtpReply, Stage
from scanner.smtp import (
    MAX_KNOWN_BYTES,
    Quit,
    ReadGreeting,
    ReplyReader,
    Say,
    SessionRequest,
    Upgrade,
    offers_starttls,
    reply_lines,
    smtp_dialogue,
)
from scanner.tls_facts import HandshakeFacts, HelloStyle

GREETING = SmtpReply(220, ("mx.example.org ESMTP",))
EHLO = SmtpReply(250, ("mx.example.org", "SIZE 1000", "STARTTLS"))
OK = SmtpReply(250, ("2.0.0 Ok",))
READY = SmtpReply(220, ("2.0.0 Ready",))
HANDSHAKE = HandshakeFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384")


def replies_of(*chunks: bytes) -> list[SmtpReply]:
    reader, replies = ReplyReader(), []
    for chunk in chunks:
        reader.feed(chunk)
        while (reply := reader.next_reply()) is not None:
            replies.append(reply)
    return replies


def play(outcomes: list[object], request: SessionRequest | None = None) -> tuple[list[str], SessionFacts]:
    """Runs a dialogue with prepared outcomes; gives the steps as words, and the facts."""
    dialogue = smtp_dialogue(request or SessionRequest(HelloStyle.POSTFIX_MUST, ehlo="probe.example.net"))
    steps, answer, rest = [], None, iter(outcomes)
    try:
        while True:
            step = dialogue.send(answer)  # type: ignore[arg-type]
            match step:
                case ReadGreeting():
                    steps.append("greeting")
                case Say(line):
                    steps.append(line)
                case Upgrade():
                    steps.append("TLS")
                case Quit():
                    steps.append("QUIT")
            answer = next(rest, None) if isinstance(step, Quit) else next(rest)
    except StopIteration as stop:
        return steps, stop.value


WIRE = b"220-mx.example.org\r\n220 ESMTP\r\n250-mx\r\n250-SIZE\r\n250 STARTTLS\r\n221 bye\r\n"


@given(st.lists(st.integers(0, len(WIRE)), max_size=12))
def test_any_chunking_gives_the_same_replies(cuts):
    edges = [0, *sorted(cuts), len(WIRE)]
    chunks = [WIRE[a:b] for a, b in pairwise(edges)]
    assert replies_of(*chunks) == replies_of(WIRE)
    assert [r.code for r in replies_of(WIRE)] == [220, 250, 221]


@given(st.binary(max_size=4000))
def test_arbitrary_bytes_raise_nothing_but_the_declared_error(data):
    try:
        replies = replies_of(data)
    except ProtocolError:
        return
    assert all(200 <= reply.code <= 599 for reply in replies)


@pytest.mark.parametrize(
    ("wire", "lines"),
    [
        (b"250\r\n", ("",)),
        (b"250 ok\n", ("ok",)),
        (b"250-a\r\n250\r\n", ("a", "")),
        (b"220-a\r\n250 b\r\n", ("a", "b")),
        (b"250-caf\xe9\r\n250 \xff\x00\r\n", ("caf\xe9", "\xff\x00")),
    ],
)
def test_unusual_replies_are_read_without_loss(wire, lines):
    assert replies_of(wire) == [SmtpReply(250, lines)]


@pytest.mark.parametrize(
    "wire",
    [
        b"hello\r\n",
        b"\r\n",
        b"99 x\r\n",
        b"650 x\r\n",
        b"250x\r\n",
        b"2" * (settings.MAX_REPLY_LINE + 1),
        b"250 " + b"x" * settings.MAX_REPLY_LINE + b"\r\n",
        b"250-a\r\n" * (settings.MAX_REPLY_LINES + 1),
        b"250-" + b"a" * 2000 + b"\r\n" + (b"250-" + b"a" * 2000 + b"\r\n") * 40,
        b"\xb250 x\r\n",
    ],
)
def test_bytes_that_are_no_reply_are_a_protocol_error(wire):
    with pytest.raises(ProtocolError):
        replies_of(wire)


def test_bytes_behind_a_reply_are_given_once():
    reader = ReplyReader()
    reader.feed(b"220 go\r\n250 injected")
    assert reader.next_reply() == SmtpReply(220, ("go",))
    assert reader.take_rest() == b"250 injected"
    assert reader.take_rest() == b""


def test_partial_shows_what_came():
    reader = ReplyReader()
    reader.feed(b"220-teaser\r\n220 mx.exa")
    assert reader.next_reply() is None
    assert reader.partial == "220 teaser 220 mx.exa"


def test_keywords_are_upper_case_with_parameters():
    reply = SmtpReply(250, ("mx", "size 10", "starttls", "AUTH PLAIN LOGIN", ""))
    assert reply.keywords == {"SIZE": "10", "STARTTLS": "", "AUTH": "PLAIN LOGIN"}
    assert offers_starttls(reply)
    assert not offers_starttls(None)
    assert not offers_starttls(SmtpReply(250, ("STARTTLS",)))
    assert not offers_starttls(SmtpReply(250, ("mx", "XXXXXXXA")))


@pytest.mark.parametrize(
    ("line", "offered"),
    [("STARTTLS", True), (" STARTTLS", True), ("starttls now", True), ("STARTTLS=x", True), ("STARTTLS\tnow", False),
     ("STARTTLS-NOW", False), ("XSTARTTLS", False)],
)  # fmt: skip
def test_starttls_is_recognised_where_postfix_recognises_it(line, offered):
    assert offers_starttls(SmtpReply(250, ("mx", line))) is offered


def test_reply_lines_look_as_on_the_wire():
    assert reply_lines(EHLO) == ["S: 250-mx.example.org", "S: 250-SIZE 1000", "S: 250 STARTTLS"]


def test_a_healthy_session():
    steps, facts = play([GREETING, EHLO, READY, HANDSHAKE, EHLO])
    assert steps == ["greeting", "EHLO probe.example.net", "STARTTLS", "TLS", "EHLO probe.example.net", "QUIT"]
    assert facts.failure is None
    assert facts.handshake == HANDSHAKE
    assert facts.ehlo_tls == EHLO
    assert "* TLSv1.3 with cipher TLS_AES_256_GCM_SHA384" in facts.transcript


def test_the_envelope_asks_mail_twice_and_never_rcpt():
    request = SessionRequest(HelloStyle.POSTFIX_MUST, ehlo="me", envelope=True)
    demand = SmtpReply(530, ("5.7.0 Must issue a STARTTLS command first",))
    steps, facts = play([GREETING, EHLO, demand, OK, READY, HANDSHAKE, EHLO, OK, OK], request)
    mail = ["MAIL FROM:<>", "RSET"]
    assert steps == ["greeting", "EHLO me", *mail, "STARTTLS", "TLS", "EHLO me", *mail, "QUIT"]
    assert (facts.mail_clear, facts.mail_tls, facts.failure) == (demand, OK, None)


def test_no_starttls_keyword_ends_politely():
    steps, facts = play([GREETING, OK])
    assert steps[-1] == "QUIT"
    assert (facts.failure, facts.starttls) == (None, None)


def test_helo_follows_a_refused_ehlo():
    steps, facts = play([GREETING, SmtpReply(502, ("no",)), OK])
    assert steps[1:] == ["EHLO probe.example.net", "HELO probe.example.net", "QUIT"]
    assert facts.helo == OK
    assert facts.failure is None


@pytest.mark.parametrize(("code", "kind"), [(421, Kind.TEMPORARY), (450, Kind.TEMPORARY), (554, Kind.PERMANENT)])
def test_a_refusing_greeting_is_a_failure_with_its_words(code, kind):
    reply = SmtpReply(code, ("go away",))
    steps, facts = play([reply])
    assert steps == ["greeting", "QUIT"]
    assert facts.failure == ProbeFailure(Stage.GREETING, kind, reply=reply)


def test_421_to_ehlo_ends_the_session_without_helo():
    steps, facts = play([GREETING, SmtpReply(421, ("busy",))])
    assert steps == ["greeting", "EHLO probe.example.net", "QUIT"]
    assert facts.failure is not None
    assert (facts.failure.stage, facts.failure.kind) == (Stage.EHLO, Kind.TEMPORARY)


@pytest.mark.parametrize(("code", "kind"), [(421, Kind.TEMPORARY), (454, Kind.TEMPORARY), (502, Kind.PERMANENT)])
def test_a_refused_starttls_goes_on_in_clear(code, kind):
    refusal = SmtpReply(code, ("TLS not available",))
    steps, facts = play([GREETING, EHLO, refusal, OK])
    assert steps[2:] == ["STARTTLS", "RSET", "QUIT"]
    assert facts.failure == ProbeFailure(Stage.STARTTLS, kind, reply=refusal)
    assert facts.starttls == refusal


def test_a_refused_starttls_with_a_close_is_told_from_one_that_goes_on():
    gone = ProbeFailure(Stage.STARTTLS, Kind.CLOSED)
    steps, facts = play([GREETING, EHLO, SmtpReply(454, ("later",)), gone])
    assert steps[-1] == "RSET"
    assert facts.failure == gone


@pytest.mark.parametrize("at", range(5))
def test_what_was_learned_before_a_failure_stands(at):
    outcomes: list[object] = [GREETING, EHLO, READY, HANDSHAKE, EHLO]
    gone = ProbeFailure(Stage.EHLO, Kind.RESET, "connection reset")
    steps, facts = play([*outcomes[:at], gone])
    assert facts.failure == gone
    assert "QUIT" not in steps
    learned = [facts.greeting, facts.ehlo, facts.starttls, facts.handshake, facts.ehlo_tls]
    assert [part is not None for part in learned] == [i < at for i in range(5)]


@pytest.mark.parametrize(("ehlo_code", "quit_code", "lost"), [(220, 250, True), (220, 221, False), (250, 250, False)])
def test_a_second_greeting_inside_tls_is_found_out_by_quit(ehlo_code, quit_code, lost):
    inside = SmtpReply(ehlo_code, ("mx",))
    _, facts = play([GREETING, EHLO, READY, HANDSHAKE, inside, SmtpReply(quit_code)])
    assert (facts.failure is not None) is lost
    if facts.failure:
        assert (facts.failure.stage, facts.failure.kind) == (Stage.EHLO_TLS, Kind.PERMANENT)


def test_submissions_starts_with_tls():
    request = SessionRequest(HelloStyle.POSTFIX_MUST, Transport.IMPLICIT, ehlo="me")
    steps, facts = play([HANDSHAKE, GREETING, EHLO], request)
    assert steps == ["TLS", "greeting", "EHLO me", "QUIT"]
    assert facts.ehlo_tls == EHLO


@given(
    st.sampled_from([b"220 mx ESMTP\r\n", b"250-mx\r\n250-SIZE 10\r\n250 STARTTLS\r\n", b"250 " + b"x" * 600 + b"\n"])
)
def test_a_reply_that_was_seen_before_is_read_as_the_first_time(wire):
    (first,), (again,) = replies_of(wire), replies_of(wire)
    assert first == again == replies_of(*(wire[at : at + 1] for at in range(len(wire))))[0]
    assert (first is again) is (len(wire) <= MAX_KNOWN_BYTES)

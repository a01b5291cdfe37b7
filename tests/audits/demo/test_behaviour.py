"""The usual replies, what a field changes, and how a server changes with its connections."""

import msgspec
import pytest

from audits.demo.behaviour import MUST_ISSUE_STARTTLS, Behaviour, Close, Send, TlsServer, reply


def said(behaviour: Behaviour, verb: str, *, inside_tls: bool = False) -> bytes:
    script = behaviour.script(verb, inside_tls=inside_tls)
    return b"".join(action.data for action in script if isinstance(action, Send))


def test_a_reply_marks_all_lines_but_the_last() -> None:
    assert reply(220, "one") == (Send(b"220 one\r\n"),)
    assert reply(250, "one", "two", "three") == (Send(b"250-one\r\n250-two\r\n250 three\r\n"),)


def test_starttls_is_shown_where_it_is_possible_and_never_inside_tls() -> None:
    behaviour = Behaviour(tls=TlsServer())
    assert said(behaviour, "EHLO").endswith(b"250 STARTTLS\r\n")
    assert b"STARTTLS" not in said(behaviour, "EHLO", inside_tls=True)
    assert b"STARTTLS" not in said(Behaviour(), "EHLO")
    assert b"STARTTLS" not in said(Behaviour(tls=TlsServer(), implicit_tls=True), "EHLO")


@pytest.mark.parametrize("keyword", ["starttls", "XXXXXXXA", ""])
def test_the_keyword_may_be_spelled_otherwise_and_the_command_works(keyword: str) -> None:
    behaviour = Behaviour(tls=TlsServer(), starttls_keyword=keyword, keywords=())
    expected = f"250-mx.example.org\r\n250 {keyword}\r\n" if keyword else "250 mx.example.org\r\n"
    assert said(behaviour, "EHLO") == expected.encode()
    assert said(behaviour, "STARTTLS").startswith(b"220 ")


def test_starttls_that_is_not_there_is_an_unknown_command() -> None:
    assert said(Behaviour(), "STARTTLS").startswith(b"502 ")
    assert said(Behaviour(tls=TlsServer()), "STARTTLS", inside_tls=True).startswith(b"502 ")
    assert said(Behaviour(), "").startswith(b"502 ")


def test_fields_hold_in_clear_or_inside_tls_not_both() -> None:
    behaviour = Behaviour(mail=MUST_ISSUE_STARTTLS, ehlo_tls=reply(550, "no"), helo=reply(500, "what"))
    assert said(behaviour, "MAIL").startswith(b"530 ")
    assert said(behaviour, "MAIL", inside_tls=True).startswith(b"250 ")
    assert said(behaviour, "EHLO").startswith(b"250-")
    assert said(behaviour, "EHLO", inside_tls=True) == b"550 no\r\n"
    assert said(behaviour, "HELO") == b"500 what\r\n"
    assert said(behaviour, "HELO", inside_tls=True) == b"250 mx.example.org\r\n"


def test_no_server_takes_a_recipient() -> None:
    assert said(Behaviour(), "RCPT").startswith(b"550 ")


def test_an_empty_script_is_silence_not_the_usual_reply() -> None:
    assert Behaviour(greeting=()).greeting_script == ()
    assert Behaviour(mail=()).script("MAIL", inside_tls=False) == ()
    assert Behaviour().greeting_script == reply(220, "mx.example.org ESMTP")


def test_later_behaviours_begin_with_their_connection() -> None:
    busy = Behaviour(greeting=(*reply(421, "busy"), Close()))
    gone = Behaviour(greeting=(Close(),))
    first = Behaviour(later=(3, msgspec.structs.replace(busy, later=(5, gone))))
    greetings = [first.at(number).greeting for number in range(1, 7)]
    assert greetings == [None, None, busy.greeting, busy.greeting, gone.greeting, gone.greeting]


def test_behaviours_are_values() -> None:
    assert Behaviour(tls=TlsServer()) == Behaviour(tls=TlsServer())
    assert len({Behaviour(), Behaviour(), Behaviour(name="mx2.example.org")}) == 2

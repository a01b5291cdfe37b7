"""The mail; tests/lab sends it through a real Postfix."""

import socket
import threading

import pytest

from audits.nightly.config import Mailing, Night, NightConfig, Security
from audits.nightly.mail import message, send_mail
from audits.nightly.news import TellError
from tests.audits.nightly.news_factory import loud

MAILING = Mailing(
    server="127.0.0.1",
    port=9,
    sender="tlsaudit@example.org",
    to=("a@example.org", "b@example.org"),
    security=Security.NONE,
)


def test_it_is_plain_text_that_nobody_answers():
    mail = message(loud(), MAILING)
    assert mail["To"] == "a@example.org, b@example.org"
    assert mail["Subject"] == "tlsaudit 2026-11-21: 1 alarm, 1 notice, 1 miss the gate, 1 waivers expired"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail.get_content_type() == "text/plain"
    assert "Bcc" not in mail
    assert "evil@example.net" in mail.get_content(), "hostile names are text in the body"


def test_a_line_break_in_an_address_is_no_header(tmp_path):
    evil = Mailing(server="127.0.0.1", port=9, sender="a@b\r\nBcc: c@d", to=("x@y",), security=Security.NONE)
    with pytest.raises(ValueError, match="Header"):
        message(loud(), evil)


@pytest.mark.parametrize("security", list(Security))
def test_a_server_that_is_not_there_is_told(tmp_path, security):
    mailing = Mailing(server="127.0.0.1", port=9, sender="a@b.c", to=("x@y.z",), security=security)
    with pytest.raises(TellError, match=r"127\.0\.0\.1:9: .*refused"):
        send_mail(loud(), mailing, Night(NightConfig(("d",)), tmp_path, {}))


REPLIES = {b"EHLO": b"250 x", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go", b".\r\n": b"250 ok"}


@pytest.mark.parametrize("last", [b"421 4.3.0 restarting", b"250 ok", b""])
def test_a_mail_that_was_taken_is_told_whatever_is_said_to_quit(tmp_path, last):
    """Else the same mail would be sent again every night."""

    def serve():
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 x\r\n")
            for line in lines:
                if line.upper().startswith(b"QUIT"):
                    connection.sendall(last + b"\r\n")
                    return
                if reply := REPLIES.get(line.upper()[:4]) or REPLIES.get(line):
                    connection.sendall(reply + b"\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        mailing = Mailing("127.0.0.1", ("x@y.z",), "a@b.c", listener.getsockname()[1], Security.NONE)
        send_mail(loud(), mailing, Night(NightConfig(("d",)), tmp_path, {}))
        thread.join()

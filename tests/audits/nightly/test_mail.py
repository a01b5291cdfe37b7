"""The mail; tests/lab sends it through a real Postfix."""

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

"""Reading a Postfix mail log: deliveries by domain, words of TLS connections, plain and compressed, hostile and not."""

import gzip
from pathlib import Path

import pytest

from audits.postfix.errors import ConfigError
from audits.simulate.mail_log import Connection, MailLog, read_mail_log

HEAD = "Nov 21 10:00:00 host postfix/smtp[123]: "
SENT = (
    f"{HEAD}4XyZ1234567: to=<u@Example.ORG>, orig_to=<x@y.example>, relay=mx.example.org[192.0.2.1]:25, delay=1, "
    "delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)\n"
)
BOUNCED = f"{HEAD}ABCDEF12345: to=<u@b.example>, relay=none, delay=1, dsn=5.4.4, status=bounced (no such host)\n"
DEFERRED = f"{HEAD}ABCDEF12345: to=<u@b.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)\n"
TLS = f"{HEAD}Verified TLS connection established to mx.example.org[192.0.2.1]:25: TLSv1.3 with cipher X (256/256)\n"
OLD_TLS = (
    "2026-11-21T10:00:00+00:00 h postfix-out/smtp[1]: Anonymous TLS connection established to "
    "MX.b.example[2001:db8::1]: TLSv1 with cipher ADH-AES256-SHA (256/256 bits)\n"
)
LOCAL = "Nov 21 10:00:00 host postfix/local[1]: ABCDEF12345: to=<u@here>, relay=local, status=sent (delivered)\n"
INBOUND = "Nov 21 10:00:00 host postfix/smtpd[1]: Anonymous TLS connection established from x[192.0.2.9]: TLSv1.3\n"


def read(folder: Path, data: bytes) -> MailLog:
    (folder / "maillog").write_bytes(data)
    return read_mail_log(str(folder / "maillog"))


WHOLE = "".join((SENT, SENT, BOUNCED, DEFERRED, TLS, OLD_TLS, LOCAL, INBOUND)).encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_a_log_tells(tmp_path: Path, pack: object) -> None:
    log = read(tmp_path, pack(WHOLE))  # type: ignore[operator]
    assert log.deliveries == {"example.org": 2, "b.example": 1}
    assert log.connections == {
        Connection("mx.example.org", "192.0.2.1", 25, "Verified"): 1,
        Connection("mx.b.example", "2001:db8::1", 25, "Anonymous"): 1,
    }
    assert log.lines == 8


def test_hostile_lines_are_passed_over(tmp_path: Path) -> None:
    """Over-long lines, other bytes, a status within the reply, and a name that is none."""
    long_line = (HEAD + "x" * 200_000 + " status=sent \n").encode()
    bytes_line = HEAD.encode() + b"\xff\x00: to=<u@\xff>, status=sent (\x1b[2J)\n"
    forged = f"{HEAD}4XyZ1234567: to=<u@c.example>, relay=x[192.0.2.1]:25, status=deferred (said: 450 status=sent )\n"
    log = read(tmp_path, long_line + bytes_line + SENT.encode() + forged.encode())
    assert log.deliveries.get("example.org") == 1
    assert "c.example" not in log.deliveries
    assert log.lines == 4


def test_a_last_line_without_an_end(tmp_path: Path) -> None:
    assert read(tmp_path, SENT.rstrip().encode()).deliveries == {"example.org": 1}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"nothing here\n", "is this its mail log"),
        (b"", "is this its mail log"),
        (gzip.compress(WHOLE)[:-20], "cannot be read"),
        (b"\x1f\x8bnonsense", "cannot be read"),
    ],
)
def test_what_is_no_mail_log(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, data)


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone.*No such file"):
        read_mail_log(str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="directory"):
        read_mail_log(str(tmp_path))

"""Waivers: whom they cover, until when, and what is wrong with a file of them."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from audits.waivers import Waiver, WaiverError, Waivers, waivers_from_file
from tests.audits.baseline_factory import finding

DAY = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
GOOD = """
[[waiver]]
rule = "TLS-001"
subject = "example.org"
owner = "mail team"
reason = "old printers"
expires = 2026-11-21
"""


def waiver(rule: str = "TLS-001", subject: str = "example.org", expires: date = DAY) -> Waiver:
    return Waiver(rule, subject, "mail team", "old printers", expires)


@pytest.mark.parametrize("rule", ["TLS-001", "TLS-*", "R-1", "*"])
@pytest.mark.parametrize(
    "subject", ["example.org", "mx.example.org", "mx.example.org [[]192.0.2.1]:25", "*.example.org", "*"]
)
def test_it_covers_by_rule_or_requirement_and_by_domain_host_or_endpoint(rule, subject):
    assert waiver(rule, subject).covers(finding(), "example.org")


@pytest.mark.parametrize(
    ("rule", "subject"), [("TLS-002", "*"), ("R", "*"), ("*", "example.net"), ("*", "mx"), ("tls-001", "*")]
)
def test_it_covers_nothing_else(rule, subject):
    assert not waiver(rule, subject).covers(finding(), "example.org")


@pytest.mark.parametrize("subject", ["mx.example.org [192.0.2.1]:25", "*.org [192.0.2.1]:*", "mx.example.org [192*"])
def test_a_subject_as_findings_print_it_covers(subject):
    assert waiver(subject=subject).covers(finding(), "example.org")
    assert not waiver(subject=subject.replace("192", "198")).covers(finding(), "example.org")


def test_a_host_covers_what_is_found_of_its_records_at_a_port():
    of_records = msgspec.structs.replace(finding(), subject="mx.example.org:25")
    assert waiver(subject="mx.example.org").covers(of_records, "example.org")
    assert not waiver(subject="mx").covers(of_records, "example.org")


def test_its_last_day_is_inclusive_and_without_a_time_none_covers():
    held = Waivers((waiver(),))
    assert held.covering(finding(), "example.org", AT) is held.all[0]
    assert held.covering(finding(), "example.org", AT.replace(month=12)) is None
    assert held.covering(finding(), "example.org", None) is None


def test_the_expired_are_told():
    old, current = waiver(expires=date(2026, 11, 20)), waiver()
    assert list(Waivers((old, current)).expired(DAY)) == [old]


def test_a_file_is_read(tmp_path):
    (tmp_path / "w.toml").write_text(GOOD)
    assert waivers_from_file(tmp_path / "w.toml").all == (waiver(),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("mail team", " "), "waiver 1: owner is empty"),
        (GOOD.replace('owner = "mail team"\n', ""), "missing required field `owner`"),
        (GOOD.replace("2026-11-21", '"soon"'), r"expires"),
        (GOOD + "\nticket = 3", "unknown field `ticket`"),
        (GOOD.replace("]]", "]", 1), "no TOML"),
        ("[[waivers]]\n", "unknown field `waivers`"),
    ],
)
def test_a_mistake_is_told(tmp_path, text, words):
    (tmp_path / "w.toml").write_text(text)
    with pytest.raises(WaiverError, match=words):
        waivers_from_file(tmp_path / "w.toml")


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "w.toml").write_bytes(b"\xff")
    for path, words in ((tmp_path, "cannot be read"), (tmp_path / "w.toml", "no TOML")):
        with pytest.raises(WaiverError, match=words):
            waivers_from_file(path)

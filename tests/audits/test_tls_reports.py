"""TLS reports: the shape of RFC 8460 section 4.4 as JSON, gzip and mail; bombs and broken ones are refused."""

import gzip
import json
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits import tls_reports
from audits.tls_reports import ReportError, reports_in

REPORT: dict[str, Any] = {
    "organization-name": "Company-X",
    "date-range": {"start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z"},
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "policies": [
        {
            "policy": {
                "policy-type": "sts",
                "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"],
                "policy-domain": "company-y.example",
                "mx-host": ["*.mail.company-y.example"],
            },
            "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8:abcd:0012::1",
                    "receiving-mx-hostname": "mx1.mail.company-y.example",
                    "failed-session-count": 100,
                },
                {
                    "result-type": "starttls-not-supported",
                    "sending-mta-ip": "2001:db8:abcd:0013::1",
                    "receiving-mx-hostname": "mx2.mail.company-y.example",
                    "receiving-ip": "203.0.113.56",
                    "failed-session-count": "200",
                    "additional-information": "https://reports.company-x.example/report_info",
                },
            ],
        }
    ],
}
TEXT = json.dumps(REPORT).encode()


def mail(content: bytes, subtype: str = "tlsrpt+gzip", filename: str = "a!b!1!2!001.json.gz") -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "tls@company-x.example", "reports@company-y.example"
    message["Subject"] = "Report Domain: company-y.example Submitter: company-x.example"
    message["TLS-Report-Domain"] = "company-y.example"
    message.set_content("This is an aggregate TLS report.")
    message.add_attachment(content, maintype="application", subtype=subtype, filename=filename)
    return message.as_bytes()


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        b"\n  " + TEXT,
        gzip.compress(TEXT),
        mail(gzip.compress(TEXT)),
        mail(TEXT, "tlsrpt+json", "report"),
        mail(TEXT, "octet-stream", "report.json"),
        mail(gzip.compress(TEXT), "octet-stream", "report"),
    ],
)
def test_every_way_in_which_a_report_comes(data):
    (report,) = reports_in(data)
    assert report.organization_name == "Company-X"
    (policy,) = report.policies
    assert (policy.policy.policy_domain, policy.policy.policy_type) == ("company-y.example", "sts")
    assert [(d.result_type, d.failed_session_count) for d in policy.failure_details] == [
        ("certificate-expired", 100),
        ("starttls-not-supported", 200),
    ]


def test_a_report_of_success_alone():
    quiet = {"policies": [{"policy": {"policy-type": "no-policy-found", "policy-domain": "example.org"}}]}
    assert reports_in(json.dumps(quiet).encode())[0].policies[0].failure_details == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"{",
        b'{"policies": 1}',
        b'{"policies": [{"policy": {}}]}',
        b'{"policies": [{"policy": {"policy-domain": "x"}, "failure-details": [{"result-type": 5}]}]}',
        TEXT.replace(b"100", b"-1"),
        b"[" * 100_000,
        b"{" * 100_000,
        b"\x1f\x8b",
        gzip.compress(TEXT)[:60],
        gzip.compress(b"not json"),
        b"Subject: no report\n\nhello",
        mail(b"{", "tlsrpt+json"),
        b'{"organization-name": "\xff"}',
    ],
)
def test_what_is_no_report_is_refused(data):
    with pytest.raises(ReportError):
        reports_in(data)


@pytest.mark.parametrize("wrapped", [lambda text: text, gzip.compress, lambda text: mail(gzip.compress(text))])
def test_a_byte_order_mark_is_no_fault(wrapped):
    assert reports_in(wrapped(b"\xef\xbb\xbf" + TEXT)) == reports_in(TEXT)


def test_no_member_of_a_gzip_file_is_lost():
    assert reports_in(gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]) + bytes(20)) == reports_in(TEXT)
    with pytest.raises(ReportError, match="trailing"):
        reports_in(gzip.compress(TEXT) + gzip.compress(TEXT))
    with pytest.raises(ReportError, match="cut off"):
        reports_in(gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])[:-9])


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_no_mail_of_a_mailbox_is_lost(end):
    written = b"From tls@company-x.example Mon Nov 16 00:00:00 2026\n" + mail(gzip.compress(TEXT)) + b"\n\n"
    assert reports_in((written * 3).replace(b"\n", end)) == reports_in(TEXT) * 3


def test_many_small_members_are_a_bomb_too(monkeypatch):
    monkeypatch.setattr(tls_reports, "MAX_REPORT_BYTES", 100_000)
    with pytest.raises(ReportError, match="more than 100000 bytes"):
        reports_in(gzip.compress(b"{" + b" " * 1000) * 200)


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(tls_reports, "MAX_REPORT_BYTES", 100_000)
    with pytest.raises(ReportError, match="more than 100000 bytes"):
        reports_in(gzip.compress(b"{" + b" " * 50_000_000))


@given(st.binary(max_size=500))
def test_any_bytes_are_read_or_refused(data):
    try:
        reports_in(data)
    except ReportError:
        return


@given(st.binary(max_size=200), st.integers(0, len(TEXT)))
def test_any_damage_is_read_or_refused(data, at):
    try:
        reports_in(TEXT[:at] + data + TEXT[at:])
    except ReportError:
        return

"""The simulation as text and CSV: nothing foreign reaches a terminal or a spreadsheet as it came."""

import csv

import msgspec

from audits.simulate.log_check import LogCheck, LogVerdict
from audits.simulate.summary import DomainReport, Tally
from audits.simulate_output import COLUMNS, csv_header, csv_rows, log_lines, summary_lines, text_lines
from tests.audits.session_factory import NO_TLS, reply
from tests.audits.simulate.scripted_world import UNTRUSTED, server, simulated

MAY = simulated("smtp_use_tls = yes\n", server(UNTRUSTED))
MUST = simulated("smtp_enforce_tls = yes\n", server(UNTRUSTED))


def test_a_domain_and_its_hosts() -> None:
    lines = list(text_lines(DomainReport("example.org", MAY, MUST, 7)))
    assert lines[0].startswith("example.org: Untrusted TLS  ->  deferred [certificate-not-trusted: ")
    assert lines[0].endswith("(7 deliveries)")
    assert lines[1] == "    today    mx.example.org [192.0.2.1]:25  may: Untrusted TLS"
    assert lines[2].startswith("    what if  mx.example.org [192.0.2.1]:25  verify: deferred  certificate-not-trusted")
    assert lines[2].endswith("(Untrusted TLS)")


def test_what_does_not_change_is_said_once() -> None:
    plain = simulated("", NO_TLS)
    assert list(text_lines(DomainReport("example.org", plain, plain))) == [
        "example.org: clear  (unchanged)",
        "    today    mx.example.org [192.0.2.1]:25  none: clear",
    ]


def test_what_is_unknown_says_how_it_was() -> None:
    moody = simulated("smtp_use_tls = yes\n", server(mail_tls=reply(450, "4.7.0 \x1b[2Jlater")))
    (first, *_) = text_lines(DomainReport("example.org", moody))
    assert "(as during the scan: deferred)" in first
    assert "\x1b" not in first


def test_csv_has_a_row_for_each_host() -> None:
    rows = list(csv.DictReader([csv_header(), *csv_rows(DomainReport("=example.org", MAY, MUST, 7))]))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["when"], row["level"], row["at_host"], row["end"]) for row in rows] == [
        ("today", "may", "Untrusted TLS", "Untrusted TLS"),
        ("what-if", "verify", "deferred", "deferred"),
    ]
    assert {row["domain"] for row in rows} == {"'=example.org"}
    assert rows[1]["end_cause"] == "certificate-not-trusted"


def test_csv_of_a_domain_without_hosts() -> None:
    nowhere = simulated("transport_maps = inline:{example.org=error:no}\n", NO_TLS)
    (row,) = csv.DictReader([csv_header(), *csv_rows(DomainReport("example.org", nowhere))])
    assert (row["mx_host"], row["end"], row["transport"]) == ("", "bounced", "error:no")


def test_the_summary() -> None:
    tally = Tally(with_change=True)
    tally.add(DomainReport("example.org", MAY, MUST, 7))
    lines = list(summary_lines(tally.summary))
    assert lines == [
        "1 domains",
        "today: 1 Untrusted TLS",
        "    deliveries: 7 Untrusted TLS",
        "under the change: 1 deferred",
        "    deliveries: 7 deferred",
        "    deferred or bounced by: certificate-not-trusted 1",
        "1 domains change: 1 would be deferred or bounced, 0 no longer",
    ]


def test_the_log_names_contradictions() -> None:
    check = LogCheck("mx\x1b", "192.0.2.1", 25, "Verified", 3, LogVerdict.CONTRADICTED, ("Trusted",))
    fine = msgspec.structs.replace(check, verdict=LogVerdict.CONFIRMED)
    first, second = log_lines([check, fine])
    assert first == "TLS connections of the mail log: 3 contradicted, 3 confirmed"
    assert "the log says Verified (3 times), the facts say Trusted" in second
    assert "\x1b" not in second
    assert list(log_lines([])) == []

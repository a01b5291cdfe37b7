"""Text for people: rows and sentences, in which foreign words do nothing to the terminal."""

import io
from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest
from rich.console import Console

from audits.tables import ROWS_AT_ONCE, duration, expiry, hosts, moment, print_table, summary, why
from audits.verdicts import Grade
from scanner.facts import Level
from tests.audits.sample_records import EXPIRED, OBEYED, PLAIN, UNREACHABLE, hostile_record, named, record
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, asked


def table(*records, width=140, **options) -> str:
    stream = io.StringIO()
    print_table(Console(file=stream, width=width, **options), records)
    return stream.getvalue()


def test_a_row_says_grade_reason_host_and_expiry():
    head, must, may = table(record(), PLAIN).splitlines()
    assert head.split() == ["domain", "grade", "why", "not", "more", "MX", "expires"]
    assert must.split() == ["example.org", "MUST", "mx.example.org", "2026-11-21"]
    assert may.split("  ")[0] == "example.org"
    assert "MAY" in may
    assert "starttls-not-supported: EHLO shows no STARTTLS" in may


def test_a_missed_demand_stands_beside_the_grade():
    assert "MUST_NOPEERMATCH (MUST required)" in table(record(trusted=False, required=Level.MUST))


@pytest.mark.parametrize("options", [{}, {"force_terminal": True, "color_system": None}])
def test_hostile_words_do_nothing_to_the_terminal(options):
    shown = table(hostile_record(), width=400, **options)
    assert not set(shown) & set(OBEYED)
    assert "calc" in shown


def test_square_brackets_are_no_markup():
    shown = msgspec.structs.replace(record(), domain_unicode="[bold red]x[/bold red].example")
    assert "[bold red]x[/bold red].example" in table(shown)


def test_colours_are_for_terminals_only():
    assert "\x1b" not in table(record())
    assert "\x1b[" in table(record(), force_terminal=True)


def test_a_long_table_streams_in_pieces():
    shown = table(*(named(f"d{number}.example") for number in range(ROWS_AT_ONCE + 1))).splitlines()
    assert len(shown) == ROWS_AT_ONCE + 3, "the second piece has a head of its own"


# --- sentences -----------------------------------------------------------------------------------------------------


def test_why_names_the_reason_and_what_was_not_heard():
    assert why(record()) == ""
    assert why(EXPIRED) == "certificate-expired: certificate has expired"
    silent = record(asked(GOOD), asked(SILENT, address="192.0.2.2"))
    assert why(silent) == "1 of 2 addresses gave no answer"
    assert why(UNREACHABLE) == "unreachable: connect: timeout"
    both = record(asked(NO_TLS), asked(SILENT, address="192.0.2.2"))
    assert why(both).endswith("; 1 of 2 addresses gave no answer")


def test_why_names_the_host_where_there_are_several():
    endpoint = PLAIN.endpoints[0]
    second = msgspec.structs.replace(endpoint, mx_host="mx2.example.org")
    assert "at mx.example.org" in why(msgspec.structs.replace(PLAIN, endpoints=(endpoint, second)))
    assert " at " not in why(PLAIN)


def test_hosts_are_named_once_and_the_first_two():
    endpoint = record().endpoints[0]
    several = [msgspec.structs.replace(endpoint, mx_host=name) for name in ("a", "a", "b", "c", "d")]
    assert hosts(msgspec.structs.replace(record(), endpoints=tuple(several))) == "a, b +2"
    beside = msgspec.structs.replace(endpoint, mx_host="submission", use="submission")
    assert hosts(msgspec.structs.replace(record(), endpoints=(endpoint, beside))) == "mx.example.org"
    assert hosts(msgspec.structs.replace(record(), endpoints=())) == ""


def test_expiry_is_that_of_the_first_mail_certificate():
    endpoint = record().endpoints[0]

    def until(day: int, use: str = "mail"):
        leaf = msgspec.structs.replace(endpoint.leaf, not_after=datetime(2026, 12, day, tzinfo=UTC))
        return msgspec.structs.replace(endpoint, leaf=leaf, use=use)

    ends = (until(9), until(3), until(1, "submission"))
    assert expiry(msgspec.structs.replace(record(), endpoints=ends)) == "2026-12-03"
    assert expiry(PLAIN) == ""


def test_the_summary_counts_grades_from_weak_to_strong():
    grades = Counter({Grade.MUST: 2, Grade.MAY: 1, Grade.NO_MAIL: 3})
    assert summary(grades, 6, 61) == "6 domains in 1 min 1 s: 1 MAY, 2 MUST, 3 NO_MAIL"
    assert summary(Counter(), 0, 0) == "0 domains in 0.0 s: nothing to do"
    assert summary(Counter(), 1, 2) == "1 domain in 2.0 s: no result yet"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.7, "1 h 0 min"),
        (7805, "2 h 10 min"),
        (400_000, "111 h 6 min"),
    ],
)
def test_durations_as_people_say_them(seconds, words):
    assert duration(seconds) == words


def test_moments_in_utc():
    assert moment(datetime(2026, 11, 21, 6, 30, tzinfo=UTC)) == "2026-11-21 06:30:00Z"
    assert moment(None) == "-"

"""The CSV report: trustymail's columns say True, False or nothing; no cell is a formula."""

import csv
import io

from audits.reports.csv_report import OURS, THEIRS, write_csv
from tests.audits.reports.report_factory import baselines, few, judged


def rows(names=None) -> dict[str, dict[str, str]]:
    stream = io.StringIO()
    write_csv(stream, baselines(), judged(names or few()))
    return {row["Domain"]: row for row in csv.DictReader(io.StringIO(stream.getvalue()))}


def test_its_columns_are_theirs_ours_and_one_a_baseline():
    first = next(iter(rows().values()))
    assert list(first) == [*THEIRS, *OURS, *(f"Baseline {baseline.head.id}" for baseline in baselines())]


def test_without_a_baseline_it_has_the_verdicts_of_the_scan():
    stream = io.StringIO()
    write_csv(stream, (), judged(few()))
    assert {row["Domain"]: row for row in csv.DictReader(io.StringIO(stream.getvalue()))} == rows()
    empty = io.StringIO()
    write_csv(empty, (), [])
    assert empty.getvalue().strip() == ",".join([*THEIRS, *OURS])


def test_what_is_known_is_true_or_false_and_the_rest_empty():
    found = rows()
    words = {
        name: (row["Live"], row["Domain Supports SMTP"], row["Domain Supports STARTTLS"]) for name, row in found.items()
    }
    assert words["healthy.example"] == ("True", "True", "True")
    assert words["plain.example"] == ("True", "True", "False")
    assert words["silent.example"] == ("True", "", "")
    assert found["healthy.example"]["Domain Supports STARTTLS Results"] == "mx.example.org:25"


def test_no_cell_is_a_formula_or_a_command():
    for row in rows().values():
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@"))
            assert "\x1b" not in cell

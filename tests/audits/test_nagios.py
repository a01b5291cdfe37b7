"""One line for monitoring: status by what is worst, no foreign text, performance data that plugins read."""

import re

import pytest
from click.testing import CliRunner

from audits.baseline import shipped_baseline
from audits.cli import cli
from audits.gate import Gate, gate_from_words
from audits.nagios import Outcome, Status, nagios_line, status_of
from audits.output import Tally
from audits.store import Store
from tests.audits.evidence.pack_factory import filled_store
from tests.audits.reports.report_factory import few, healthy, judged
from tests.stored_samples import entries, start

LINE = re.compile(r"TLSAUDIT (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+ \| (\w+=\d+ ?)+")


def tally_of(names, gate: Gate | None = None) -> Tally:
    tally = Tally(gate)
    tally.take([domain.record for domain in judged(names)])
    return tally


@pytest.mark.parametrize(
    ("tally", "outcome", "status"),
    [
        (Tally(), Outcome(), Status.OK),
        (tally_of({"a.example": healthy(0)}, gate_from_words(["MUST"])), Outcome(), Status.CRITICAL),
        (Tally(), Outcome(expired=1), Status.WARNING),
        (Tally(), Outcome(complete=False), Status.UNKNOWN),
        (tally_of({"a.example": few()["silent.example"]}), Outcome(), Status.UNKNOWN),
        (tally_of({"a.example": few()["silent.example"]}), Outcome(max_inconclusive=100), Status.OK),
    ],
)
def test_the_worst_decides(tally, outcome, status):
    assert status_of(tally, outcome) is status
    assert LINE.fullmatch(nagios_line(tally, outcome))
    assert f"TLSAUDIT {status.name} -" in nagios_line(tally, outcome)


def test_what_fails_is_critical_unless_a_gate_says_what_counts():
    known = few()
    words = gate_from_words(["NO_MAIL"])
    for gate, status in ((None, Status.CRITICAL), (words, Status.WARNING)):
        tally = Tally(gate)
        tally.take([domain.record for domain in judged(known, (shipped_baseline("bod-18-01"),))])
        assert tally.failed
        assert status_of(tally, Outcome(max_inconclusive=100)) is status
        assert f"{tally.failed} fail a baseline" in nagios_line(tally, Outcome(max_inconclusive=100))


def test_foreign_names_do_not_stand_in_the_line():
    tally = tally_of({"evil|x.example": healthy(0), "good.example": healthy(1)}, gate_from_words(["MUST"]))
    line = nagios_line(tally, Outcome())
    assert LINE.fullmatch(line)
    assert "good.example" in line
    assert "evil" not in line


def test_judge_prints_it_with_the_exit_code_of_a_plugin(tmp_path):
    filled_store(tmp_path / "s.db")[0].close()
    words = ["judge", "--store", str(tmp_path / "s.db"), "--format", "nagios"]
    fine = CliRunner().invoke(cli, words)
    assert (fine.exit_code, fine.stdout[:13]) == (0, "TLSAUDIT OK -")
    missed = CliRunner().invoke(cli, [*words, "--fail-on", "MUST"])
    assert missed.exit_code == 2
    assert LINE.fullmatch(missed.stdout.strip())


def test_judge_knows_that_a_run_did_not_come_to_its_end(tmp_path):
    with Store.open(tmp_path / "s.db", writing=True) as store:
        store.begin_run(start(), entries(3))
    stopped = CliRunner().invoke(cli, ["judge", "--store", str(tmp_path / "s.db"), "--format", "nagios"])
    assert stopped.exit_code == Status.UNKNOWN
    assert "the run was stopped" in stopped.stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("judge", "--store", "missing.db"), "missing.db"),
        (("judge", "no-such-run", "--store", "known.db"), "no-such-run"),
        (("judge", "--store", "known.db", "--cafile", "none.pem"), "none.pem"),
        (("scan", "--store", "new.db", "--cafile", "none.pem", "a.example"), "none.pem"),
        (("scan", "--store", "new.db", "a b.example"), "1 bad line"),
        (("judge", "--store", "a|b.db"), "a/b.db"),
    ],
)
def test_what_cannot_be_answered_is_unknown_in_one_line(words, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store.open(tmp_path / "known.db", writing=True) as store:
        store.begin_run(start(), entries(1))
    done = CliRunner().invoke(cli, [*words, "--format", "nagios"])
    (line,) = done.stdout.splitlines()
    assert (done.exit_code, line.partition(" - ")[0]) == (3, "TLSAUDIT UNKNOWN")
    assert reason in line
    assert "|" not in line
    assert CliRunner().invoke(cli, [*words]).exit_code in (2, 4), "elsewhere an error is an error"

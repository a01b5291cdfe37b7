"""`tlsaudit show`, `runs` and `schema` as commands: exit codes, sentences, both forms of output."""

import json

import msgspec
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from audits.cli import cli
from audits.grade import domain_verdict
from audits.records import domain_record
from audits.store import DomainResult, Store
from tests import stored_samples
from tests.audits.session_factory import trusting


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two runs: the first finished, the second with one of two domains done."""
    path = tmp_path_factory.mktemp("store") / "runs.db"
    with Store.open(path, writing=True) as opened:
        for number in range(2):
            run = opened.begin_run(stored_samples.start(number), stored_samples.entries(1 + number))
            facts, seen = stored_samples.domain(1), stored_samples.seen(1)
            verdict = domain_verdict(facts, {seen.endpoint: seen}, trusting)
            judged = domain_record(facts, {seen.endpoint: seen}, verdict, facts.target.entry)
            opened.save(run.id, [DomainResult(1, facts, "MUST", msgspec.json.encode(judged))], [seen])
            if number == 0:
                opened.finish_run(run.id, stored_samples.start(1).started)
    return str(path)


def run(*arguments):
    return CliRunner().invoke(cli, list(arguments))


def test_show_prints_the_evidence(store):
    done = run("show", "d1.example", "--store", store)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("d1.example  MUST    (run 2026-11-21T07-30-00)")
    assert "S: 220 mx1.example.org ESMTP Postfix" in done.stdout


def test_show_takes_a_run_by_its_name(store):
    done = run("show", "d1.example", "--run", "2026-11-21T06-30-00", "--store", store)
    assert "(run 2026-11-21T06-30-00)" in done.stdout


def test_show_json_is_for_programs(store):
    found = json.loads(run("show", "D1.example.", "--json", "--store", store).stdout)
    assert found["record"]["domain"] == "d1.example"
    assert found["endpoints"][0]["sessions"][0]["transcript"]
    assert found["endpoints"][0]["certificates"][0]["der"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["d2.example"], "the newest run has no result for 'd2.example'; --run names another run"),
        (["\x1b[2J"], r"no result for '\x1b[2J'"),
        (["\udcff"], r"no result for '\udcff'"),
        (["d1.example", "--run", "2025"], "there is no run '2025'"),
        ([], "Missing argument"),
    ],
)
def test_what_is_not_there_is_wrong_use(store, arguments, words):
    done = run("show", *arguments, "--store", store)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("command", [["show", "d1.example"], ["runs"]])
def test_no_store_is_our_failure_in_a_sentence(tmp_path, command):
    done = run(*command, "--store", str(tmp_path / "none.db"))
    assert (done.exit_code, done.stdout) == (4, "")
    assert "there is no store" in done.stderr
    (tmp_path / "text.db").write_text("this is no database, but a text of some length" * 100)
    other = run(*command, "--store", str(tmp_path / "text.db"))
    assert other.exit_code == 4
    assert "Traceback" not in other.stderr


def test_runs_tell_their_grades_when_asked(store):
    done = run("runs", "--grades", "--store", store)
    assert (done.exit_code, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first.split()[2:] == ["1", "of", "2", "1", "MUST"]
    assert second.split()[-2:] == ["1", "MUST"]
    assert "MUST" not in run("runs", "--store", store).stdout


def test_runs_are_listed_newest_first(store):
    done = run("runs", "--store", store)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["2026-11-21T07-30-00", "unfinished", "1", "of", "2"],
        ["2026-11-21T06-30-00", "finished", "1", "of", "1", "1", "h", "0", "min"],
    ]


def test_the_schema_is_one(store):
    schema = json.loads(run("schema").stdout)
    Draft202012Validator.check_schema(schema)
    record = json.loads(run("show", "d1.example", "--json", "--store", store).stdout)["record"]
    Draft202012Validator(schema).validate(record)
    broken = record | {"grade": "EXCELLENT"}
    assert not Draft202012Validator(schema).is_valid(broken)

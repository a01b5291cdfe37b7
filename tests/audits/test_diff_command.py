"""`tlsaudit diff` as a command: its exit codes, its sentences, its forms."""

import json

import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.diff import Kind
from tests.audits.diff.looks import certificate, one, stored
from tests.audits.session_factory import NO_TLS


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Three runs: the second renews a certificate, the third loses STARTTLS."""
    path = tmp_path_factory.mktemp("store") / "runs.db"
    first, second = ({"a.example": one(leaf=certificate(n)), "b.example": one()} for n in (1, 2))
    stored(path, first, second, {**second, "b.example": one(NO_TLS)})
    return str(path)


def run(store, *arguments):
    return CliRunner().invoke(cli, ["diff", *arguments, "--store", store])


RUNS = ("2026-11-21T06-30-00", "2026-11-22T06-30-00", "2026-11-23T06-30-00")


def test_the_newest_two_runs_and_an_exit_code_for_what_matters(store):
    done = run(store)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "alarm       b.example: grade MUST -> MAY at mx.example.org: starttls-not-supported; EHLO shows no STARTTLS",
        "alarm       b.example: STARTTLS lost at mx.example.org",
    ]
    assert done.stderr == f"{RUNS[1]} -> {RUNS[2]}: 2 alarm\n"


def test_information_alone_gives_zero(store):
    done = run(store, *RUNS[:2])
    assert (done.exit_code, done.stderr) == (0, f"{RUNS[0]} -> {RUNS[1]}: 1 information\n")
    assert done.stdout.startswith("information a.example: certificate renewed until 2027-02-19")
    assert run(store, *RUNS[:2], "--severity", "notice").stdout == ""


def test_forms_for_programs(store):
    done = run(store, "--format", "json")
    assert (done.exit_code, done.stderr) == (1, "")
    assert [change["kind"] for change in json.loads(done.stdout)["changes"]] == ["grade-down", "starttls-lost"]
    rows = run(store, "--format", "csv").stdout.splitlines()
    assert rows[0].startswith("domain,kind,severity")
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "there is no run 'nowhere'"),
        (("previous", RUNS[0]), "no finished run before"),
        (("a", "b", "c"), "two runs are compared"),
        (("--window", "0"), "0 is not in the range"),
    ],
)
def test_wrong_use(store, arguments, said):
    done = run(store, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_store_that_is_not_there(tmp_path):
    done = run(str(tmp_path / "none.db"))
    assert done.exit_code == 4
    assert "there is no store" in done.stderr


def test_every_kind_is_explained(store):
    done = run(store, "--kinds")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == len(Kind)
    assert "starttls-lost         A server that offered STARTTLS offers it no longer." in done.stdout

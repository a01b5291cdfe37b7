"""`tlsaudit policy lint --store`: tables and main.cf beside a stored run."""

import pytest
from click.testing import CliRunner

from audits.cli import cli
from tests.audits.policy_table.store_factory import EXPIRED, write_runs
from tests.audits.session_factory import GOOD, NO_TLS


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """In the first run all is well, in the second not."""
    runs = [{"good.test": GOOD, "bad.test": GOOD}, {"good.test": GOOD, "bad.test": EXPIRED, "clear.test": NO_TLS}]
    return write_runs(tmp_path_factory.mktemp("store") / "runs.db", runs)


def lint(path, *arguments):
    return CliRunner().invoke(cli, ["policy", "lint", str(path), *map(str, arguments)])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "tls_per_site"
    path.write_text("good.test MUST\nbad.test MUST\n")
    return path


def test_a_table(table, store):
    assert lint(table).exit_code == 0
    done = lint(table, "--store", store)
    assert done.exit_code == 1
    assert f"{table}:2: error: MUST fails today at mx.example.org" in done.stdout
    assert done.stderr == "errors: 1, warnings: 0, notes: 0\n"


def test_a_run_that_goes_on_is_told(table, tmp_path):
    store = write_runs(tmp_path / "runs.db", [{"good.test": GOOD}], finished=False)
    assert "note: run " in lint(table, "--store", store).stderr


def test_an_older_run(table, store):
    first = CliRunner().invoke(cli, ["runs", "--store", str(store)]).stdout.splitlines()[-1].split()[0]
    assert lint(table, "--store", store, "--run", first).exit_code == 0


def test_the_tables_of_a_main_cf(table, store, tmp_path):
    path = tmp_path / "main.cf"
    path.write_text(f"smtp_tls_CApath = /c\nsmtp_tls_per_site = hash:{table}\n")
    assert f"{table}:2: error: MUST fails" in lint(path, "--store", store).stdout
    policy = tmp_path / "policy"
    policy.write_text("bad.test encrypt\nclear.test verify match=nexthop\n")
    path.write_text(f"smtp_tls_CApath = /c\nsmtp_tls_policy_maps = hash:{policy}\nsmtp_tls_per_site = hash:{table}\n")
    done = lint(path, "--store", store)
    assert f"{policy}:2: error: verify fails today" in done.stdout
    assert f"{table}:2: error" not in done.stdout


def test_the_names_of_main_cf_count(store, tmp_path):
    path = tmp_path / "main.cf"
    table = "smtp_tls_CApath = /c\nsmtp_tls_policy_maps = inline:{good.test=verify}\n"
    path.write_text(table)
    assert "facts-fails" not in lint(path, "--store", store).stdout
    path.write_text(f"{table}smtp_tls_verify_cert_match = nexthop, dot-nexthop\n")
    assert "none of nexthop:dot-nexthop is among" in lint(path, "--store", store).stdout


def test_a_main_cf_that_cannot_be_read_is_told_by_other_checks(store, tmp_path):
    path = tmp_path / "main.cf"
    path.write_text("nonsense\nsmtp_tls_per_site = inline:{bad.test=MUST}\n")
    done = lint(path, "--store", store)
    assert "cf-syntax" in done.stdout
    assert "facts-" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(["--store", "/nonexistent/x.db"], 4, "no folder"), (["--run", "nope"], 2, "there is no run")],
)
def test_wrong_use(table, store, arguments, code, words):
    done = lint(table, "--store", store, *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr


def test_the_facts_of_the_examples_are_shown():
    done = CliRunner().invoke(cli, ["policy", "checks", "facts-fails"])
    assert "example.net mx.example.net MUST_NOPEERMATCH" in done.stdout

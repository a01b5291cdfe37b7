"""`tlsaudit policy offers`: Postfix's own words, and clear errors."""

import json

import pytest
from click.testing import CliRunner

from audits.cli import cli
from tests.audits.policy_table.store_factory import write_runs
from tests.audits.session_factory import GOOD, NO_TLS, SILENT


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    answers = {"good.test": GOOD, "clear.test": NO_TLS, "silent.test": SILENT}
    return write_runs(tmp_path_factory.mktemp("store") / "runs.db", [answers, {"good.test": NO_TLS}])


def offers(store, main_cf, *arguments):
    words = ["policy", "offers", "--main-cf", main_cf, "--store", store, *arguments]
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def main_cf(tmp_path):
    path = tmp_path / "main.cf"
    path.write_text("smtp_tls_note_starttls_offer = yes\n")
    return path


@pytest.fixture
def first(store):
    return CliRunner().invoke(cli, ["runs", "--store", str(store)]).stdout.splitlines()[-1].split()[0]


def test_the_words_of_the_log(store, main_cf, first):
    done = offers(store, main_cf, "--run", first)
    assert (done.exit_code, done.stdout) == (0, "Host offered STARTTLS: [mx.example.org]\n")
    assert done.stderr == "hosts: 1 with an unused offer, 0 whose offer is used, 1 without one, 0 silent\n"
    assert offers(store, main_cf).stdout == ""
    assert offers(store, main_cf, "--run", first, "clear.test").stdout == ""


def test_a_run_that_goes_on_is_told(tmp_path, main_cf):
    store = write_runs(tmp_path / "runs.db", [{"good.test": GOOD}], finished=False)
    assert "is not finished: " in offers(store, main_cf).stderr


def test_json(store, main_cf, first):
    done = offers(store, main_cf, "--run", first, "--format", "json")
    assert json.loads(done.stdout) == [{"host": "mx.example.org", "next_hops": ["good.test"]}]


def test_a_policy_that_uses_tls(store, main_cf, first):
    main_cf.write_text("smtp_tls_security_level = may\nrelayhost = [relay.test]\n")
    done = offers(store, main_cf, "--run", first)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "relayhost may send mail elsewhere" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--run", "nope"], 2, "there is no run"),
        (["no.test"], 2, "has no result for no.test"),
        (["a@b.test"], 2, "an e-mail address"),
        (["--store", "/nonexistent/runs.db"], 4, "no folder /nonexistent"),
        (["--main-cf", "/nonexistent/main.cf"], 2, "cannot be read"),
    ],
)
def test_wrong_use(store, main_cf, arguments, code, words):
    done = offers(store, main_cf, *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr


def test_a_bad_main_cf(store, main_cf):
    main_cf.write_text("smtp_use_tls = maybe\n")
    done = offers(store, main_cf)
    assert done.exit_code == 2
    assert "main.cf:1: smtp_use_tls = maybe" in done.stderr

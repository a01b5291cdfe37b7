"""`tlsaudit demo`: the real scanner on the embedded lab, in this process; every domain has the grade it must have."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.demo.certificates import new_authority
from audits.demo.states import lab_domains
from audits.store import RunStatus, Store


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    store = tmp_path_factory.mktemp("demo") / "demo.db"
    done = CliRunner().invoke(cli, ["demo", "--format", "jsonl", "-v", "--store", str(store)])
    assert done.exit_code == 0, done.stderr
    return done, store


def test_every_domain_has_its_grade(demo):
    done, _ = demo
    found = {record["domain"]: record["grade"] for record in map(json.loads, done.stdout.splitlines())}
    assert found == {domain.name: domain.expected.value for domain in lab_domains(new_authority())}
    assert {"MUST", "MUST_NOPEERMATCH", "MAY", "NONE", "INCONCLUSIVE", "NO_MAIL"} <= set(found.values())


def test_published_policy_is_found_and_kept(demo):
    done, _ = demo
    records = {record["domain"]: record for record in map(json.loads, done.stdout.splitlines())}
    record = records["published.example"]
    published = record["published"]
    assert record["sustained"] == ["NONE", "MAY", "MUST_NOPEERMATCH", "MUST", "dane", "dane-only"]
    assert published["must_by"] == ["MUST-DNSSEC", "MUST-STS"]
    assert (published["mta_sts"]["state"], published["mta_sts"]["delivers"]) == ("valid", "yes")
    assert published["tls_rpt"]["destinations"] == ["mailto:tls-reports@published.example"]
    assert published["tls_rpt"]["missing"] == ""
    assert [each["connections"] for each in record["endpoints"] if each["sni"]] == [2]
    plain = records["must.example"]
    assert (plain["published"]["mx_dnssec"], plain["published"]["must_by"]) == ("insecure", ["MUST-INSECURE-MX"])
    assert ["dane" in plain["sustained"], "dane-only" in plain["sustained"], plain["unknown"]] == [True, False, []]


def test_the_run_is_stored_like_any_other(demo):
    done, path = demo
    with Store.open(path) as store:
        (run,) = store.runs()
        assert (run.status, run.done) == (RunStatus.FINISHED, len(done.stdout.splitlines()))
    shown = CliRunner().invoke(cli, ["show", "must.example", "--store", str(path)])
    assert "must.example  MUST" in shown.stdout


def test_sessions_are_told_on_stderr(demo):
    done, _ = demo
    assert "TLS connection established: TLSv1.3" in done.stderr
    assert " domains in " in done.stderr.splitlines()[-1]


def test_what_is_said_last_can_be_typed(tmp_path):
    command = Path(sys.executable).with_name("tlsaudit")
    elsewhere = {**os.environ, "PATH": "/usr/bin:/bin"}
    arguments = [str(command), "demo", "--store", "my demo.db"]
    done = subprocess.run(arguments, cwd=tmp_path, env=elsewhere, capture_output=True, text=True, check=True)
    words = done.stderr.splitlines()[-1].partition(":  ")[2]
    shown = subprocess.run(words, shell=True, cwd=tmp_path, env=elsewhere, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("must.example  MUST")


def test_the_lab_is_gone_afterwards(demo):
    assert not [thread for thread in threading.enumerate() if thread.name == "demo-lab"]


def test_a_store_that_cannot_be_is_told_and_the_lab_ends(tmp_path):
    done = CliRunner().invoke(cli, ["demo", "--store", str(tmp_path / "none" / "demo.db")])
    assert done.exit_code == 4
    assert "there is no folder" in done.stderr
    assert not [thread for thread in threading.enumerate() if thread.name == "demo-lab"]

"""`tlsaudit scan` as a user runs it: a process of its own, against small servers on loopback."""

import csv
import io
import json
import signal
import time

import jsonschema
import pytest

from audits.demo.behaviour import Behaviour, Send, TlsServer, Wait, reply
from audits.demo.certificates import Validity, new_authority
from audits.demo.dns_answers import Trouble
from audits.records import json_schema
from audits.store import RunStatus, Store
from tests.loopback_world import world

AUTHORITY = new_authority()


def starttls(host, validity=Validity.NOW, **fields):
    chain = AUTHORITY.credential(host, validity=validity).chain_pem
    return Behaviour(name=host, tls=TlsServer(chains=(chain,)), **fields)


ZONE = {
    "good.example": {"MX": ["10 mx.good.example."]},
    "mx.good.example": {"A": ["192.0.2.1"]},
    "shared.example": {"MX": ["10 mx.good.example."]},
    "old.example": {"MX": ["10 mx.old.example."]},
    "mx.old.example": {"A": ["192.0.2.2"]},
    "plain.example": {"MX": ["10 mx.plain.example."]},
    "mx.plain.example": {"A": ["192.0.2.3"]},
    "gone.example": Trouble.SERVFAIL,
    "null.example": {"MX": ["0 ."]},
    "xn--bcher-kva.example": {"MX": ["10 mx.good.example."]},
}
SERVERS = {
    ("192.0.2.1", 25): starttls("mx.good.example"),
    ("192.0.2.2", 25): starttls("mx.old.example", Validity.EXPIRED),
    ("192.0.2.3", 25): Behaviour(name="mx.plain.example"),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with world(tmp_path_factory.mktemp("world"), ZONE, SERVERS, AUTHORITY) as running:
        yield running


def records(text):
    return {record["domain"]: record for record in map(json.loads, text.splitlines())}


def test_grades_reach_stdout_as_json_lines_that_keep_the_schema(small):
    done = small.run(
        "scan", *small.arguments(), "--format", "jsonl", "good.example", "old.example", "plain.example", "null.example"
    )
    assert done.returncode == 0, done.stderr
    found = records(done.stdout)
    assert {name: record["grade"] for name, record in found.items()} == {
        "good.example": "MUST",
        "old.example": "MUST_NOPEERMATCH",
        "plain.example": "MAY",
        "null.example": "NO_MAIL",
    }
    for record in found.values():
        jsonschema.validate(record, json_schema())
    assert found["old.example"]["binding"]["reason"] == "certificate-expired"
    assert found["good.example"]["endpoints"][0]["connections"] == 1
    assert found["plain.example"]["endpoints"][0]["connections"] == 2, "a 'no' needs two sessions"


def test_an_endpoint_shared_by_domains_is_probed_once(small):
    before = small.connections("192.0.2.1")
    done = small.run("scan", *small.arguments(), "good.example", "shared.example", "GOOD.example.")
    assert done.returncode == 0, done.stderr
    assert small.connections("192.0.2.1") == before + 1
    assert done.stdout.count("MUST  ") == 2, "the repeated entry is scanned once"


def test_an_idn_is_stored_as_a_label_and_shown_as_written(small):
    done = small.run("scan", *small.arguments(), "--format", "jsonl", "Bücher.example")
    (record,) = records(done.stdout).values()
    assert (record["domain"], record["domain_unicode"]) == ("xn--bcher-kva.example", "bücher.example")
    assert "bücher.example" in small.run("show", "bücher.example", "--store", "runs.db").stdout


def test_a_missed_level_is_exit_1_and_an_open_one_exit_3(small):
    missed = small.run("scan", *small.arguments(), "-", stdin="old.example MUST\ngood.example MUST\n")
    assert missed.returncode == 1
    assert "MUST required" in missed.stdout
    assert small.run("scan", *small.arguments(), "--require", "must", "good.example").returncode == 0
    assert small.run("scan", *small.arguments(), "gone.example").returncode == 3
    assert small.run("scan", *small.arguments(), "--max-inconclusive", "100", "gone.example").returncode == 0


def test_bad_lines_are_all_shown_and_nothing_is_scanned(small):
    bad = "good.example\nfoo@bar.example\n\nnot a domain\n"
    before = small.connections("192.0.2.1")
    done = small.run("scan", *small.arguments(), "-", stdin=bad)
    assert done.returncode == 2
    assert "line 2: foo@bar.example" in done.stderr
    assert "line 4: not a domain" in done.stderr
    assert small.connections("192.0.2.1") == before
    assert small.run("scan", *small.arguments(), "--skip-bad", "-", stdin=bad).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resolver", "ns.example"], "write an address"),
        (["--ports", "465"], "25 must be among them"),
        (["-4", "-6"], "exclude each other"),
        (["--cafile", "nowhere.pem"], "nowhere.pem"),
        (["--exclude", "nowhere.txt"], "nowhere.txt"),
        (["--jobs", "0"], "--jobs"),
        (["--no-such-flag"], "--no-such-flag"),
        (["domains.txt"], "No such file"),
    ],
)
def test_wrong_use_is_exit_2_with_a_sentence(small, arguments, words):
    done = small.run("scan", *small.arguments(), *arguments, "good.example")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_excluded_is_never_contacted(small):
    (small.folder / "no.txt").write_text("# asked by mail, 2026-11-02\nmx.good.example\n192.0.2.2/31 # a network\n")
    before = [small.connections("192.0.2.1"), small.connections("192.0.2.2")]
    done = small.run(
        "scan", *small.arguments(), "--exclude", "no.txt", "--format", "jsonl", "good.example", "old.example"
    )
    assert [small.connections("192.0.2.1"), small.connections("192.0.2.2")] == before
    for record in records(done.stdout).values():
        assert (record["grade"], record["binding"]["reason"]) == ("INCONCLUSIVE", "not-asked")
    assert done.returncode == 0, "what we chose not to ask does not count as unanswered"
    (small.folder / "bad.txt").write_text("mx.good.example\nwhat is this\n")
    assert "line 2" in small.run("scan", *small.arguments(), "--exclude", "bad.txt", "good.example").stderr


def test_private_addresses_are_not_contacted_unasked(small):
    arguments = [a for a in small.arguments() if a != "--allow-private"]
    done = small.run("scan", *arguments, "--format", "jsonl", "good.example")
    (record,) = records(done.stdout).values()
    assert record["coverage"] == {"asked": 0, "answered": 0, "not_asked": 1}
    assert "address-not-public" in record["binding"]["detail"]


def test_output_files_are_whole_or_absent(small):
    done = small.run(
        "scan", *small.arguments(), "--format", "csv", "--output", "out.csv", "good.example", "old.example"
    )
    assert (done.returncode, done.stdout) == (0, "")
    rows = list(csv.DictReader(io.StringIO((small.folder / "out.csv").read_text())))
    assert {row["domain"]: row["grade"] for row in rows} == {"good.example": "MUST", "old.example": "MUST_NOPEERMATCH"}
    assert small.run("scan", *small.arguments(), "--output", "none/out.csv", "good.example").returncode == 2


def test_verbose_follows_smtp_tls_loglevel(small):
    one = small.run("scan", *small.arguments(), "-v", "good.example").stderr
    assert "TLS connection established: TLSv1.3 with cipher" in one
    assert "C: STARTTLS" not in one
    assert "C: STARTTLS" in small.run("scan", *small.arguments(), "-vv", "good.example").stderr
    three = small.run("scan", *small.arguments(), "-vvv", "good.example").stderr
    assert "(negotiation)" in three
    assert "(inside TLS)" not in three
    assert "(inside TLS)" in small.run("scan", *small.arguments(), "-vvvv", "good.example").stderr


def test_quiet_prints_results_only(small):
    assert small.run("scan", *small.arguments(), "-q", "good.example").stderr == ""


def many(count, hosts):
    """A zone of `count` domains over `hosts` hosts, and slow servers for them."""
    zone = {f"d{i}.example": {"MX": [f"10 mx{i % hosts}.example."]} for i in range(count)}
    zone |= {f"mx{i}.example": {"A": [f"192.0.2.{i}"]} for i in range(hosts)}
    slow = (Wait(0.01), *reply(220, "slow.example"))
    servers = {("192.0.2." + str(i), 25): starttls(f"mx{i}.example", greeting=slow) for i in range(hosts)}
    return zone, servers


def test_kill_9_loses_only_what_is_in_flight(tmp_path):
    """2,000 domains, each on one of 200 hosts; killed in the middle, resumed: nothing lost, nothing probed twice."""
    zone, servers = many(2000, 200)
    with world(tmp_path, zone, servers, AUTHORITY) as running:
        (tmp_path / "domains.txt").write_text("".join(f"d{i}.example\n" for i in range(2000)))
        jobs = 20
        arguments = [
            "scan",
            *running.arguments(),
            "--ports",
            "25",
            "--jobs",
            str(jobs),
            "-q",
            "--format",
            "jsonl",
            "domains.txt",
        ]
        process = running.command(*arguments)
        lines = [process.stdout.readline() for _ in range(300)]
        process.kill()
        process.communicate()
        with Store.open(tmp_path / "runs.db") as store:
            (run,) = store.runs()
            saved = {facts.endpoint.address for facts in store.endpoints(run.id)}
        assert run.status is RunStatus.UNFINISHED
        assert 300 <= run.done < 2000
        assert all(json.loads(line)["grade"] == "MUST" for line in lines)
        before = {address: running.connections(address) for address, _ in running.servers}
        resumed = running.run(*arguments[:-1], "--resume", "domains.txt")
        assert resumed.returncode == 0, resumed.stderr
        found = records(resumed.stdout)
        assert len(found) == 2000
        assert {record["grade"] for record in found.values()} == {"MUST"}
        again = {address for address, count in before.items() if running.connections(address) != count}
        assert not again & saved, "what was stored is not probed again"
        assert all(running.connections(address) <= 2 for address, _ in running.servers), "only what was in flight twice"
        assert sum(running.connections(address) for address, _ in running.servers) <= 200 + jobs
        with Store.open(tmp_path / "runs.db") as store:
            (run,) = store.runs()
        assert (run.status, run.done) == (RunStatus.FINISHED, 2000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_cleanly(tmp_path, number):
    zone, servers = many(40, 40)
    hanging = {place: starttls("x.example", greeting=(Wait(30), Send(b"220 x\r\n"))) for place in servers}
    with world(tmp_path, zone, servers | dict(list(hanging.items())[:1]), AUTHORITY) as running:
        domains = [f"d{i}.example" for i in range(40)]
        process = running.command("scan", *running.arguments(), "--ports", "25", "--format", "jsonl", *domains)
        lines = [process.stdout.readline() for _ in range(39)]
        started = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - started < 15
        assert process.returncode == 130
        assert "--resume" in err
        assert "Traceback" not in err
        assert len([line for line in lines if line]) + len(out.splitlines()) == 39


def test_two_runs_on_one_store_are_refused(tmp_path):
    zone, servers = many(2, 2)
    slow = {place: starttls("x.example", greeting=(Wait(90), Send(b"220 x\r\n"))) for place in servers}
    with world(tmp_path, zone, slow, AUTHORITY) as running:
        first = running.command("scan", *running.arguments(), "--ports", "25", "d0.example")
        first.stderr.readline()
        second = running.run("scan", *running.arguments(), "--ports", "25", "d1.example")
        assert second.returncode == 4
        assert "runs.db" in second.stderr
        assert running.run("runs", "--store", "runs.db").returncode == 0, "reading works meanwhile"
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        assert first.returncode == 130

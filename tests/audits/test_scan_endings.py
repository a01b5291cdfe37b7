"""How `tlsaudit scan` ends before its time, as the one who called it sees it."""

import json
import signal
from pathlib import Path

import pytest

from audits.demo.behaviour import Behaviour, Send, Wait
from audits.demo.certificates import new_authority
from tests.loopback_world import world

ZONE = {f"d{number}.example": {"MX": [f"10 mx{number}.example."]} for number in range(20)}
ZONE |= {f"mx{number}.example": {"A": [f"192.0.2.{number}"]} for number in range(20)}
QUICK = Behaviour(name="mx.example")
HANGING = Behaviour(name="mx.example", greeting=(Wait(60), Send(b"220 mx.example\r\n")))
DOMAINS = [name for name in ZONE if name.startswith("d")]


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    servers = {(f"192.0.2.{number}", 25): QUICK if number else HANGING for number in range(20)}
    with world(tmp_path_factory.mktemp("endings"), ZONE, servers) as running:
        yield running


def arguments(slow, store, *more, domains=DOMAINS):
    return ["scan", *slow.arguments(store), "--ports", "25", "--no-policy", *more, *domains]


def test_an_output_file_that_is_not_whole_does_not_appear(slow):
    (slow.folder / "out.csv").write_text("that of yesterday")
    process = slow.command(*arguments(slow, "signal.db", "-v", "--format", "csv", "--output", "out.csv"))
    while "192.0.2.19:25" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "go on with --resume" in err
    assert (slow.folder / "out.csv").read_text() == "that of yesterday"
    assert not [file for file in slow.folder.iterdir() if file.name.startswith(".out")]


def test_a_reader_that_leaves_ends_the_run_in_a_sentence(slow):
    options = ("-q", "--format", "jsonl", "--interval", "0.2", "--jobs", "1")
    process = slow.command(*arguments(slow, "pipe.db", *options, domains=DOMAINS[1:]))
    assert process.stdout.readline().startswith("{")
    process.stdout.close()
    assert process.stderr.read() == "Error: the reader of the results has gone; what is done is stored\n"
    assert process.wait(30) == 4
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full (Linux)")
def test_a_full_disk_is_told_in_a_sentence(slow):
    options = ("-q", "--format", "csv", "--output", "/dev/full")
    done = slow.run(*arguments(slow, "full.db", *options, domains=DOMAINS[1:2]))
    assert done.returncode == 4
    assert done.stderr == "Error: the results cannot be written: No space left on device; what is done is stored\n"


def test_a_run_out_of_time_keeps_what_is_there_and_logs_to_its_file(slow):
    options = ("--max-runtime", "2s", "--log-file", "night.log", "--log-json", "--format", "csv")
    done = slow.run(*arguments(slow, "time.db", *options))
    assert (done.returncode, done.stderr) == (130, "")
    messages = [json.loads(line)["message"] for line in (slow.folder / "night.log").read_text().splitlines()]
    assert messages[0].startswith("run ")
    assert "--max-runtime" in messages[-1]
    rows = done.stdout.splitlines()
    assert 1 < len(rows) <= len(DOMAINS), "the header, and all but the one that hangs"
    again = slow.run(*arguments(slow, "time.db", "--resume", "--max-runtime", "1s", "--format", "csv"))
    assert "done before" in again.stderr


def test_a_run_that_trusted_other_cas_is_not_gone_on_with(slow):
    """Its verdicts would rest on two sets of anchors, and the run names one."""
    (slow.folder / "other.pem").write_bytes(new_authority().root_pem)
    assert slow.run(*arguments(slow, "cas.db", "--max-runtime", "1s")).returncode == 130
    options = ("--cafile", str(slow.folder / "other.pem"), "--max-runtime", "1s", "--resume")
    again = slow.run(*arguments(slow, "cas.db", *options))
    assert "no unfinished run that trusted the same CAs: beginning a new one" in again.stderr
    assert "done before" not in again.stderr

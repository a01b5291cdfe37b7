"""`tlsaudit nightly` as cron runs it: silent on a quiet night, one message a change, nothing lost by a crash."""

import json
import random
import socket
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from audits.demo.behaviour import Behaviour, TlsServer, reply
from audits.demo.certificates import new_authority
from audits.store import RunStatus, Store
from audits.store_lock import lock_file
from tests.loopback_world import world

DOMAINS = [f"d{number}.example" for number in range(6)]
ZONE = {domain: {"MX": [f"10 mx.{domain}."]} for domain in DOMAINS}
ZONE |= {f"mx.{domain}": {"A": [f"192.0.2.{number}"]} for number, domain in enumerate(DOMAINS, 1)}
AUTHORITY = new_authority()
GOOD = {
    (f"192.0.2.{number}", 25): Behaviour(
        name=f"mx.{domain}", tls=TlsServer(chains=(AUTHORITY.credential(f"mx.{domain}").chain_pem,))
    )
    for number, domain in enumerate(DOMAINS, 1)
}
LOST = GOOD | {("192.0.2.1", 25): Behaviour(name="mx.d0.example")}


def configure(running, **tables: str) -> None:
    """The configuration of this world; `tables` are added at the end."""
    (running.folder / "domains.txt").write_text("\n".join(DOMAINS))
    more = "\n".join(f"[{name}]\n{words}" for name, words in tables.items())
    (running.folder / "night.toml").write_text(
        f"""
lists = ["domains.txt"]
store = "night.db"
log = "night.log"

[scan]
resolver = "127.0.0.1:{running.dns.port}"
no-system-trust = true
cafile = "root.pem"
depth = "policy"
ports = "25"
allow-private = true
interval = 0
ehlo = "scanner.example"
no-policy = true

{more}
"""
    )


@pytest.fixture
def good(tmp_path):
    with world(tmp_path, ZONE, GOOD, AUTHORITY) as running:
        configure(running, report='metrics = "night.prom"\nhtml = "{run}.html"')
        yield running


def night(running, *more):
    done = running.run("nightly", *more, "night.toml")
    return done.returncode, done.stdout, done.stderr


def test_a_quiet_night_says_nothing_and_a_change_is_told_once(tmp_path):
    with world(tmp_path, ZONE, GOOD, AUTHORITY) as running:
        configure(running, report='metrics = "night.prom"\nhtml = "{run}.html"')
        assert night(running) == (0, "", ""), "the first night"
        assert night(running) == (0, "", ""), "a quiet night"
        assert len([*tmp_path.glob("*.html")]) == 2
        assert 'tlsaudit_domains{grade="MUST"} 6.0' in (tmp_path / "night.prom").read_text()
    with world(tmp_path, ZONE, LOST, AUTHORITY) as running:
        configure(running, judge='fail-on = ["MAY"]')
        code, out, err = night(running)
        assert (code, err) == (1, "")
        assert "d0.example" in out
        assert "grade" in out
        assert "MUST -> MAY" in out
        assert "gate        d0.example: grade MAY" in out
        assert not any(domain in out for domain in DOMAINS[1:])
        configure(running)
        assert night(running) == (0, "", ""), "told already"
    assert "run " in (tmp_path / "night.log").read_text()


def test_what_could_not_be_told_is_told_the_next_night(tmp_path):
    hook = 'url = "http://127.0.0.1:9/"'
    with world(tmp_path, ZONE, GOOD, AUTHORITY) as running:
        configure(running)
        night(running)
    with world(tmp_path, ZONE, LOST, AUTHORITY) as running:
        configure(running, webhook=hook)
        code, out, err = night(running)
        assert code == 4
        assert "MUST -> MAY" in out
        assert "not told: webhook http://127.0.0.1:9/" in err
        code, out, err = night(running)
        assert code == 4, "nothing changed since, but it was not told yet"
        assert "MUST -> MAY" in out
        configure(running)
        assert "MUST -> MAY" in night(running)[1]
        assert night(running) == (0, "", "")


def test_what_was_told_while_another_run_began_is_told_again_and_so_it_says(tmp_path):
    """Several configurations may share a store: one may begin to scan while the other waits for its webhook."""

    def answer():
        with listener.accept()[0] as connection:
            with connection.makefile("rb") as request:
                head = [*iter(request.readline, b"\r\n")]
                request.read(next(int(line.split()[1]) for line in head if line.startswith(b"Content-Length")))
            held.append(lock_file(tmp_path / "night.db"))
            connection.sendall(b"HTTP/1.1 204 \r\n\r\n")

    held = []
    with world(tmp_path, ZONE, GOOD, AUTHORITY) as running, socket.create_server(("127.0.0.1", 0)) as listener:
        configure(running, webhook=f'url = "http://127.0.0.1:{listener.getsockname()[1]}/"\non = ["always"]')
        thread = threading.Thread(target=answer)
        thread.start()
        code, out, err = night(running)
        thread.join()
        held.pop()()
    assert (code, out) == (4, "")
    assert err.startswith("not noted: another run ")
    assert err.endswith("what was told is told again next time\n")


def test_nothing_is_lost_where_nobody_could_be_told_since_the_first_night(tmp_path):
    hook = 'url = "http://127.0.0.1:9/"\non = ["always"]'
    with world(tmp_path, ZONE, GOOD, AUTHORITY) as running:
        configure(running, webhook=hook)
        assert night(running)[0] == 4
    with world(tmp_path, ZONE, LOST, AUTHORITY) as running:
        configure(running, webhook=hook)
        assert "MUST -> MAY" in night(running)[1]
        assert "MUST -> MAY" in night(running)[1]


def test_a_dry_run_tells_nobody_and_changes_nothing(good):
    night(good)
    configure(
        good,
        report='metrics = "dry.prom"',
        mail='server = "mail.example.org"\nto = ["a@example.org"]\nsender = "b@example.org"\non = ["always"]',
        webhook='url = "https://hook.example.org/"',
    )
    before = (good.folder / "night.db").read_bytes()
    code, out, err = night(good, "--dry-run")
    assert (code, err) == (0, "")
    assert "mail to a@example.org by mail.example.org:587 (starttls) would be sent" in out
    assert "webhook https://hook.example.org/ would not be called" in out
    assert "tlsaudit_domains" in out
    assert not (good.folder / "dry.prom").exists()
    assert (good.folder / "night.db").read_bytes() == before


def test_metrics_may_be_named_on_the_command_line(good):
    place = good.folder / "other.prom"
    code, out, _ = night(good, "--metrics", str(place))
    assert (code, out) == (0, "")
    assert 'tlsaudit_domains{grade="MUST"} 6.0' in place.read_text()
    assert not (good.folder / "night.prom").exists()
    assert f"--- {place} would be" in night(good, "--dry-run", "--metrics", str(place))[1]


def test_check_tells_every_mistake_and_scans_nothing(good):
    assert night(good, "--check") == (0, "night.toml: no mistake found\n", "")
    configure(good, report='html = "none/x.html"', diff='severity = "loud"')
    code, out, err = night(good, "--check")
    assert (code, out) == (2, "")
    assert [line.split(": ")[1] for line in err.splitlines()] == ["report.html", "diff.severity"]
    assert night(good)[0] == 2
    assert not (good.folder / "night.db").exists()


def test_a_night_that_never_comes_to_its_end_is_not_silent(good):
    """Else max-runtime = "1h" could be too short for a year, and cron would send no mail."""
    text = (good.folder / "night.toml").read_text()
    (good.folder / "night.toml").write_text(text.replace("[scan]", '[scan]\nmax-runtime = "0.001s"'))
    code, out, err = night(good)
    assert (code, out) == (130, "")
    assert "stopped before its end" in err


def test_a_night_that_learns_nothing_is_not_silent(tmp_path):
    deaf = {place: Behaviour(name="x.example", greeting=reply(421, "4.7.0 later")) for place in GOOD}
    with world(tmp_path, ZONE, deaf, AUTHORITY) as running:
        configure(running)
        code, out, err = night(running)
    assert (code, out) == (3, "")
    assert "6 domains are inconclusive, more than max-inconclusive allows" in err


def test_a_report_that_cannot_be_written_keeps_no_news_back(tmp_path):
    with world(tmp_path, ZONE, GOOD, AUTHORITY) as running:
        configure(running)
        night(running)
    with world(tmp_path, ZONE, LOST, AUTHORITY) as running:
        (tmp_path / "run").mkdir()
        configure(running, report='html = "{run}/x.html"')
        code, out, err = night(running)
        assert code == 4
        assert "MUST -> MAY" in out
        assert err.startswith("not written: cannot write ")
        configure(running)
        assert night(running) == (0, "", ""), "it was told"


def committed(file: Path) -> int:
    """The results in a store, each of which can be read; a store that was killed before its first run has none."""
    if not file.exists():
        return 0
    with closing(sqlite3.connect(file)) as plain:
        if not plain.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return 0
    count = 0
    with Store.open(file) as store:
        for run in store.runs():
            stored = [*store.domains(run.id)]
            assert len(stored) == run.done
            assert all(json.loads(result.judgement)["grade"] == result.grade for result in stored)
            count += run.done
    return count


def test_a_store_that_was_killed_before_its_first_run_is_no_reason_to_stop(good):
    (good.folder / "night.db").touch()
    assert night(good) == (0, "", "")


def test_kill_at_any_moment_loses_nothing_that_was_committed(good):
    chance, done = random.Random(7), 0
    for _ in range(50):
        process = good.command("nightly", "night.toml")
        time.sleep(chance.uniform(0.3, 1.3))
        process.kill()
        process.communicate()
        done, before = committed(good.folder / "night.db"), done
        assert done >= before, "what was committed stays"
    assert night(good)[0] == 0
    with Store.open(good.folder / "night.db") as store:
        last = store.runs()[-1]
        assert (last.status, last.done) == (RunStatus.FINISHED, len(DOMAINS))
        assert [*store.all_remembered("nightly-told").values()] == [last.name]


def test_a_store_that_cannot_be_written_is_told_and_stays(good):
    night(good)
    (good.folder / "night.db").rename(good.folder / "full.db")
    (good.folder / "night.db").write_bytes(b"no database" * 1000)
    code, out, err = night(good)
    assert (code, out) == (4, "")
    assert err.startswith("Error: ")


def test_bad_lines_of_a_list_are_named_before_the_night_and_by_the_night(good):
    """The log may be nowhere, and cron mails what stands on stderr."""
    with (good.folder / "domains.txt").open("a") as stream:
        stream.write("\nexa mple\nx@d0.example\n")
    file = good.folder / "night.toml"
    file.write_text(file.read_text().replace('log = "night.log"', ""))
    checked = night(good, "--check")
    assert checked == night(good)
    assert checked[:2] == (2, "")
    assert [line.split(": ")[1] for line in checked[2].splitlines()] == ["exa mple", "x@d0.example", "lists"]
    assert f"{good.folder}/domains.txt:{len(DOMAINS) + 1}: exa mple: unknown level" in checked[2]
    assert "leave it out with skip-bad = true under [scan]" in checked[2]
    file.write_text(file.read_text().replace("[scan]", "[scan]\nskip-bad = true"))
    assert night(good, "--check")[0] == 0
    assert night(good) == (0, "", "")

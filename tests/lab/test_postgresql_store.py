"""The store on a real PostgreSQL, by the commands as they are run: the same records and pages as on SQLite."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from msgspec import Struct

from audits.demo.behaviour import Behaviour, TlsServer, Wait, reply
from audits.demo.certificates import new_authority
from audits.frames import all_frames, open_history
from audits.store import RunStatus, Store
from tests.loopback_world import World, world

from .commands import python, tlsaudit
from .postgresql import new_database, sql

pytestmark = pytest.mark.lab

AUTHORITY = new_authority()
HOSTS = 12
ZONE = {f"d{n}.example": {"MX": [f"10 mx{n % HOSTS}.example."]} for n in range(120)}
ZONE |= {f"mx{n}.example": {"A": [f"192.0.2.{n}"]} for n in range(HOSTS)}
HISTORY = """
import sys
sys.path.insert(0, "data")
import make_demo_history as script
whole = script.world.listed
script.world.NIGHTS, script.world.listed = 5, lambda night: whole(night)[::9]
script.make(sys.argv[1])
"""
"""Five nights of every ninth domain of the demo history."""


class Places(Struct, frozen=True):
    """The same history twice, and the beginning of the URLs of further databases."""

    file: str
    url: str
    server: str


@pytest.fixture(scope="module")
def histories(folder: Path, server: str) -> Places:
    places = Places(str(folder / "history.db"), new_database(server, "history"), server)
    with ThreadPoolExecutor() as pool:
        made = pool.map(lambda place: python("-c", HISTORY, place), (places.file, places.url))
    assert [done.stderr for done in made] == ["", ""]
    return places


def both(places: Places, *words: str) -> tuple[int, str, str]:
    """How a command ends and what it says, which is the same on either store."""
    url = tlsaudit(*words, "--store", places.url)
    assert url == tlsaudit(*words, "--store", places.file)
    return url


# --- one history, read on both ---


def test_runs_show_and_diff_say_the_same(histories: Places) -> None:
    code, out, _ = both(histories, "runs", "--grades")
    with Store.open(histories.url) as store:
        first, *_, last = (run.name for run in store.runs())
        assert code == 0
        assert first in out
        assert last in out
        entry = next(store.domains(store.run("latest").id)).facts.target.entry
    for run in (last, first):
        code, shown, _ = both(histories, "show", entry, "--run", run, "--json")
        assert code == 0
        assert entry in shown
    assert both(histories, "show", "nowhere.example")[0] == 2
    code, changes, _ = both(histories, "diff", "--format", "json")
    assert code in (0, 1)
    assert json.loads(changes)["changes"], changes
    assert both(histories, "diff", first, "latest", "--format", "csv")[1].count("\n") > 5


def test_judgements_and_reports_are_the_same_to_the_byte(histories: Places, folder: Path) -> None:
    code, findings, _ = both(
        histories, "judge", "--baseline", "ncsc-nl-2025-05", "--format", "findings", "--fail-on", "fail"
    )
    assert code == 1
    assert findings.count("\n") > 100
    pages = {}
    for place in (histories.file, histories.url):
        files = {word: folder / f"report.{word}" for word in ("html", "csv", "markdown")}
        words = [word for name, file in files.items() for word in (f"--{name}", str(file))]
        code, _, said = tlsaudit("report", *words, "--baseline", "rfc", "--store", place)
        assert code == 0, said
        pages[place] = {name: file.read_bytes() for name, file in files.items()}
        for file in files.values():
            file.unlink()
    assert pages[histories.file] == pages[histories.url]


def test_evidence_is_the_same_to_the_byte_and_judged_again(histories: Places, folder: Path) -> None:
    packs = {name: folder / f"pack-{name}" for name in ("file", "url")}
    for name, pack in packs.items():
        code, _, said = tlsaudit("export", "--evidence", str(pack), "--store", getattr(histories, name))
        assert code == 0, said
    files = {name: content(pack) for name, pack in packs.items()}
    assert files["file"] == files["url"]
    assert len(files["url"]) > 5
    judged = [tlsaudit("judge", "--evidence", str(pack), "--baseline", "rfc") for pack in packs.values()]
    assert judged[0] == judged[1]
    assert judged[0][0] == 1, "some of the list miss the level that they must sustain"
    assert "RFC8314" in judged[0][1]


def content(folder: Path) -> dict[str, bytes]:
    """The files below a folder; of a pack without its moment, and without the sums over that."""
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    del found["SHA256SUMS"]
    found["run.json"] = b"\n".join(line for line in found["run.json"].splitlines() if b'"exported"' not in line)
    return found


def test_policies_are_the_same(histories: Places, folder: Path) -> None:
    for form in ("policy-maps", "per-site", "transport"):
        code, table, _ = both(histories, "policy", "write", "--format", form)
        assert code == 0
        assert table.count("\n") > 5
    (folder / "main.cf").write_text("smtp_tls_security_level = may\n")
    words = ("policy", "simulate", "--main-cf", str(folder / "main.cf"), "--what-if-level", "MUST")
    code, out, _ = both(histories, *words)
    assert code == 0
    assert "under the change:" in out


def test_frames_are_the_same(histories: Places) -> None:
    with open_history(histories.file) as file, open_history(histories.url) as url:
        for (name, expected), (_, frame) in zip(all_frames(file, "all"), all_frames(url, "all"), strict=True):
            assert len(frame), name
            assert frame.equals(expected), name


def test_prune_leaves_what_is_used_and_nothing_else(histories: Places, folder: Path) -> None:
    """On copies: what goes is counted alike, and every content that stays is the one that stays on SQLite."""
    places = Places(str(folder / "pruned.db"), f"{histories.server}pruned", histories.server)
    shutil.copy(histories.file, places.file)
    sql("CREATE DATABASE pruned TEMPLATE history")
    words = ("prune", "--keep", "0h", "--keep-runs", "2")
    assert "would remove 3 of 5 runs" in both(places, *words, "--dry-run")[1]
    said = [tlsaudit(*words, "--store", place) for place in (places.file, places.url)]
    assert [code for code, _, _ in said] == [0, 0], said
    assert said[0][1].splitlines()[:-1] == said[1][1].splitlines()[:-1], "the last line is the size"
    assert "what was removed is free for new runs after its vacuum" in said[1][1]
    assert contents(places.file) == contents(places.url) != contents(histories.url)
    assert both(places, "diff", "--format", "json")[0] in (0, 1)
    assert both(places, "prune", "--keep", "0h", "--dry-run")[0] == 0
    indexes = "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'prune%%'"
    with Store.open(places.url) as store, store._database.reading() as connection:
        assert connection.exec_driver_sql(indexes).scalar() == 0


def contents(place: str) -> dict[str, list[Any]]:
    """All rows of all tables, as the database has them."""
    engine = sqlalchemy.create_engine(place if "://" in place else f"sqlite:///{place}")
    tables = ("runs", "targets", "facts", "certificates", "domain_results", "endpoint_results")
    with engine.connect() as connection:
        found = {name: sorted(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {name}"))) for name in tables}
    engine.dispose()
    return found


def test_all_rows_are_the_same(histories: Places) -> None:
    assert contents(histories.file) == contents(histories.url)


# --- scans ---


def behaviours(greeting_s: float) -> Mapping[tuple[str, int], Behaviour]:
    """Servers that take so long to greet; one has no TLS."""
    chains = [TlsServer(chains=(AUTHORITY.credential(f"mx{n}.example").chain_pem,)) for n in range(HOSTS)]
    greeting = (Wait(greeting_s), *reply(220, "mx.example"))
    return {
        (f"192.0.2.{n}", 25): Behaviour(name=f"mx{n}.example", greeting=greeting, tls=chain if n else None)
        for n, chain in enumerate(chains)
    }


@pytest.fixture(scope="module")
def running(folder: Path, server: str) -> Iterator[World]:
    (folder / "world").mkdir()
    with world(folder / "world", ZONE, behaviours(0.3), AUTHORITY) as running:
        yield running


def scan(running: World, store: str, *more: str) -> list[str]:
    words = [*running.arguments()[:-1], store, "--ports", "25", "--no-policy", "--format", "jsonl", "-q"]
    return ["scan", *words, *more, *(name for name in ZONE if name.startswith("d"))]


def records(out: str) -> dict[str, Any]:
    """What was said of each domain, but for the moments."""
    return {record["domain"]: timeless(record) for record in map(json.loads, out.splitlines())}


def timeless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: timeless(inner) for key, inner in value.items() if key not in ("seen_at", "judged_at", "run")}
    return [timeless(inner) for inner in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def test_kill_9_loses_nothing_that_was_stored_and_a_second_run_is_refused(running: World, server: str) -> None:
    url = new_database(server, "killed")
    killed = running.command(*scan(running, url, "--jobs", "3"))
    lines = [killed.stdout.readline() for _ in range(30)]
    second = running.run(*scan(running, url))
    assert second.returncode == 4
    assert f"another run writes to {url}: wait for its end" in second.stderr
    killed.kill()
    killed.communicate()
    with Store.open(url) as store:
        (run,) = store.runs()
        saved = {facts.endpoint.address for facts in store.endpoints(run.id)}
    assert run.status is RunStatus.UNFINISHED
    assert len(lines) <= run.done < 120
    before = {address: running.connections(address) for address, _ in running.servers}
    resumed = running.run(*scan(running, url, "--resume"))
    assert resumed.returncode == 0, resumed.stderr
    assert not {address for address, count in before.items() if running.connections(address) != count} & saved
    with Store.open(url) as store:
        (run,) = store.runs()
    assert (run.status, run.done) == (RunStatus.FINISHED, 120)
    on_file = running.run(*scan(running, "runs.db"))
    assert records(resumed.stdout) == records(on_file.stdout)


def test_two_nights(running: World, server: str) -> None:
    """The first says nothing; the second, with a server that lost its TLS, says that."""
    url = new_database(server, "night")
    assert night(running, url) == (0, "", "")
    (running.folder / "later").mkdir()
    changed = dict(behaviours(0)) | {("192.0.2.1", 25): Behaviour(name="mx1.example")}
    with world(running.folder / "later", ZONE, changed, AUTHORITY) as later:
        code, out, err = night(later, url)
    assert (code, err) == (0, "")
    assert "d1.example: grade MUST -> MAY" in out
    assert len([*running.folder.rglob("*.html")]) == 2
    with Store.open(url) as store:
        assert [run.status for run in store.runs()] == [RunStatus.FINISHED] * 2
        assert store.runs()[-1].name in store.all_remembered("nightly-told").values()


def night(running: World, store: str) -> tuple[int, str, str]:
    (running.folder / "night.toml").write_text(
        f"""
lists = ["{running.folder.parent}/domains.txt"]
store = "{store}"
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
[report]
html = "{{run}}.html"
[keep]
days = 1
"""
    )
    (running.folder.parent / "domains.txt").write_text("".join(f"d{n}.example\n" for n in range(6)))
    done = running.run("nightly", "night.toml")
    return done.returncode, done.stdout, done.stderr

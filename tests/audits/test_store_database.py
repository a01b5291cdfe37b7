"""Opening a store: what is created, what is refused with which sentence, and who may read while another writes."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from audits.store import Store, StoreError
from audits.store_database import Database, open_database
from tests.stored_samples import domain, entries, result, seen, start


def made(path: Path) -> Path:
    with Store.open(path, writing=True) as store:
        run = store.begin_run(start(), entries(2)).id
        store.save(run, [result(1)], [seen(1)])
    return path


@pytest.mark.parametrize("name", ["runs.db", "a b%20?x=1#y.db", "größe.db"])
def test_any_file_name(tmp_path: Path, name: str) -> None:
    made(tmp_path / name)
    assert (tmp_path / name).stat().st_size > 0
    with Store.open(tmp_path / name) as store:
        assert store.run("latest").targets == 2


def test_a_path_and_its_url_are_the_same_store(tmp_path: Path) -> None:
    made(tmp_path / "runs.db")
    with Store.open(f"sqlite:///{tmp_path}/runs.db") as store:
        assert store.run("latest").done == 1


def test_nothing_is_left_beside_a_closed_store_but_the_lock(tmp_path: Path) -> None:
    made(tmp_path / "runs.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.db", "runs.db.lock"]


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("no-folder/runs.db", r"there is no folder .*no-folder for the store: make it first"),
        (":memory:", "a store in memory would be lost"),
        ("sqlite://", "a store in memory would be lost"),
        ("", "a store in memory would be lost"),
        ("mysql://db.example.org/x", "stores on mysql are not supported"),
        ("postgresql+asyncpg://db.example.org/x", r"stores on postgresql\+asyncpg are not supported: .* postgresql://"),
        ("nosuch://db.example.org/x", "is no database URL: give a file name or postgresql://HOST/DATABASE"),
        ("://", "is no database URL"),
    ],
)
def test_places_that_cannot_be(tmp_path: Path, where: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=why):
        Store.open(where, writing=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["nosuch://{}@db.example.org/x", "postgresql://{}@db.example.org:x/x", "://{}@db"])
def test_a_password_is_not_shown(url: str) -> None:
    with pytest.raises(StoreError, match="is no database URL") as raised:
        Store.open(url.format("someone:se/cr@et"), writing=True)
    assert "se/cr" not in str(raised.value)
    assert "@et" not in str(raised.value)


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    told = (
        r"^postgresql://me:\*\*\*@db.example.org/x cannot be opened: .*psycopg.*pipx install 'tlsaudit\[postgresql\]'"
    )
    with pytest.raises(StoreError, match=told):
        Store.open("postgresql://me:secret@db.example.org/x")


def test_reading_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no store .*runs.db yet: `tlsaudit scan` makes it"):
        Store.open(tmp_path / "runs.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "runs.db").touch()
    with pytest.raises(StoreError, match="the store is empty"):
        Store.open(tmp_path / "runs.db")


@pytest.mark.parametrize("writing", [False, True])
def test_files_that_are_no_store(tmp_path: Path, writing: bool) -> None:
    (tmp_path / "list.txt").write_bytes(b"example.org\n" * 100)
    with pytest.raises(StoreError, match=r"list.txt is no SQLite database: give another file with --store"):
        Store.open(tmp_path / "list.txt", writing=writing)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE runs (id INTEGER)")
    other.close()
    with pytest.raises(StoreError, match="holds other tables and is no store of tlsaudit"):
        Store.open(tmp_path / "other.db", writing=writing)
    assert (tmp_path / "list.txt").read_bytes() == b"example.org\n" * 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.txt", "other.db"], "and no lock beside them"


@pytest.mark.parametrize("writing", [False, True])
def test_a_folder_is_no_store(tmp_path: Path, writing: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(StoreError, match=r"folder is a folder: give a file in it with --store"):
        Store.open(folder, writing=writing)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match=r"pipe is no ordinary file: give another with --store"):
        Store.open(tmp_path / "pipe", writing=writing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"], "and no lock beside them"


def test_a_damaged_store_is_told(tmp_path: Path) -> None:
    path = made(tmp_path / "runs.db")
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged: go back to a copy"), Store.open(path) as store:
        list(store.endpoints(1))


def test_facts_of_the_future_are_told(tmp_path: Path) -> None:
    path = made(tmp_path / "runs.db")
    with sqlite3.connect(path) as raw:
        raw.execute('UPDATE facts SET coding = 0, content = CAST(\'{"from":"2031"}\' AS BLOB)')
    raw.close()
    with Store.open(path) as store:
        assert len(store.runs()) == 1
        with pytest.raises(StoreError, match="holds facts that this version cannot read"):
            list(store.domains(1))


def test_reading_works_while_a_run_writes(tmp_path: Path) -> None:
    path = made(tmp_path / "runs.db")
    writer, reader = open_database(path, writing=True), Store.open(path)
    with writer.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET name = 'half-way'")
        assert reader.run("latest").name == "2026-11-21T06-30-00"
        assert reader.endpoints_of(1, domain(1).endpoints)
        with Store.open(path) as another:
            assert len(list(another.domains(1))) == 1
    assert reader.run("latest").name == "half-way"
    reader.close()
    writer.close()


def test_the_promises_of_the_settings(tmp_path: Path) -> None:
    database = open_database(tmp_path / "runs.db", writing=True)
    with database.writing() as connection:
        settings = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SETTINGS}
    assert settings == SETTINGS
    database.close()


SETTINGS = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1}


def test_a_transaction_holds_changes_of_tables_too(tmp_path: Path) -> None:
    def half_way() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
            connection.exec_driver_sql("DELETE FROM meta")
            raise RuntimeError("half-way")

    database = open_database(tmp_path / "runs.db", writing=True)
    with pytest.raises(RuntimeError, match="half-way"):
        half_way()
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'half'").first() is None
        assert connection.exec_driver_sql("SELECT count(*) FROM meta").scalar() == 1
    database.close()


def test_readers_cannot_write(tmp_path: Path) -> None:
    database = open_database(made(tmp_path / "runs.db"), writing=False)
    with pytest.raises(RuntimeError, match="opened for reading"), database.writing():
        pass
    with pytest.raises(StoreError, match="cannot be written"), database.reading() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    database.close()


def test_a_full_disk_loses_the_batch_and_nothing_else(tmp_path: Path) -> None:
    database = open_database(tmp_path / "runs.db", writing=True)
    store = Store(database)
    run = store.begin_run(start(), entries(300)).id
    store.save(run, [result(1)], [seen(1)])
    limit_pages(database, 60)
    with pytest.raises(StoreError, match=r"no space is left for .*runs.db: make room and go on with --resume"):
        store.save(run, [result(n) for n in range(2, 300)], [seen(n) for n in range(2, 300)])
    assert [found.seq for found in store.domains(run)] == [1]
    limit_pages(database, 100_000)
    store.save(run, [result(n) for n in range(2, 300)], [seen(n) for n in range(2, 300)])
    assert len(list(store.domains(run))) == 299
    store.close()


def limit_pages(database: Database, count: int) -> None:
    """Gives the database a disk of so many pages; the pool hands the same connection to one thread again and again."""
    with database.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {count}")


READER = """
import os, sys
from audits.store import Store, StoreError
with Store.open(sys.argv[2]) as store:  # imports what another user may not be allowed to read
    list(store.endpoints(1))
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with Store.open(sys.argv[1]) as store:
    print(store.run("latest").name, len(list(store.endpoints(1))))
try:
    Store.open(sys.argv[1], writing=True)
except StoreError as error:
    print(error)
"""


def test_a_store_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    # Not in tmp_path, which no other user may enter: root may write anywhere, so the reader is somebody else.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = made(folder / "runs.db")
        for part in folder.iterdir():
            part.chmod(0o444)
        folder.chmod(0o555)
        read = subprocess.run(
            [sys.executable, "-c", READER, path, made(tmp_path / "own.db")],
            capture_output=True,
            text=True,
            check=True,
        )
        folder.chmod(0o755)
    first, second = read.stdout.splitlines()
    assert first == "2026-11-21T06-30-00 1"
    assert "cannot be opened: look whether its folder exists and this user may write there" in second


REFUSED = """
import os, sys
from audits.store import Store, StoreError

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for place in sys.argv[1:]:
    for writing in (False, True):
        try:
            Store.open(place, writing=writing)
        except StoreError as error:
            print(error)
"""


def test_a_store_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        secret = made(folder / "secret.db")
        secret.chmod(0)
        closed = folder / "closed"
        closed.mkdir(0o700)
        if os.geteuid() != 0:
            closed.chmod(0)
        before = sorted(folder.iterdir())
        done = subprocess.run(
            [sys.executable, "-c", "import audits.store_database\n" + REFUSED, secret, closed / "runs.db"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert sorted(folder.iterdir()) == before
        closed.chmod(0o700)
    lines = done.stdout.splitlines()
    assert lines[0] == lines[1]
    assert lines[0].startswith(f"{secret} may not be read by this user: allow it, or give another file")
    assert lines[2] == lines[3]
    assert "this user may write there" in lines[2]

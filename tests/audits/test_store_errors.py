"""Each refusal of SQLite, provoked for real, becomes a sentence that says what to do."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from audits.store_errors import StoreError, store_error


def no_database(path: Path) -> None:
    path.write_bytes(b"this is a list of domains, not a store\n" * 50)
    sqlite3.connect(path).execute("SELECT * FROM runs")


def damaged(path: Path) -> None:
    connection = filled(path)
    connection.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    sqlite3.connect(path).execute("SELECT * FROM t").fetchall()


def read_only(path: Path) -> None:
    filled(path).close()
    sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("INSERT INTO t VALUES ('x')")


def full(path: Path) -> None:
    connection = filled(path)
    connection.execute("PRAGMA max_page_count = 3")
    connection.execute("INSERT INTO t VALUES (randomblob(100000))")


def locked(path: Path) -> None:
    filled(path).execute("BEGIN IMMEDIATE")
    sqlite3.connect(path, timeout=0).execute("BEGIN IMMEDIATE")


def unopened(path: Path) -> None:
    sqlite3.connect(path / "no-folder" / "runs.db")


def no_file(path: Path) -> None:
    (path / "runs.db.lock").open("w")


def filled(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE t (c)")
    connection.execute("INSERT INTO t VALUES (1)")
    return connection


@pytest.mark.filterwarnings("ignore:unclosed database")
@pytest.mark.parametrize(
    ("provoke", "sentence"),
    [
        (no_database, "is no SQLite database: give another file with --store, or move this one away"),
        (damaged, "is damaged: go back to a copy of it, or rescue what is readable with `sqlite3"),
        (read_only, "cannot be written: allow this user to write the file and its folder"),
        (full, "no space is left for .*: make room and go on with --resume; what was saved stays"),
        (locked, "another program holds .* locked: close it, or wait for its end"),
        (unopened, "cannot be opened: look whether its folder exists and this user may write there"),
        (no_file, "cannot be opened: look whether its folder exists and this user may write there .*No such file"),
    ],
)
def test_sentences(tmp_path: Path, provoke: Callable[[Path], None], sentence: str) -> None:
    path = tmp_path / "runs.db"
    with pytest.raises((sqlite3.Error, OSError)) as raised:
        provoke(path)
    error = store_error("runs.db", raised.value)
    assert error.args[0].startswith(("runs.db ", "no space is left for runs.db", "another program holds runs.db"))
    with pytest.raises(type(error), match=sentence):
        raise error


def test_what_is_not_known_is_quoted_in_short() -> None:
    error = store_error("postgresql://db.example.org/x", RuntimeError("server\nclosed the connection " + "x" * 900))
    assert str(error).startswith("the store postgresql://db.example.org/x does not answer as it should (server closed")
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("raised", "sentence"),
    [
        (
            psycopg.errors.InsufficientPrivilege,
            r"^this user lacks a right in postgresql://db/x: let the owner .*\(why\)$",
        ),
        (psycopg.errors.DiskFull, r"^no space is left for postgresql://db/x: make room and go on with --resume"),
        (psycopg.errors.ReadOnlySqlTransaction, r"^postgresql://db/x cannot be written: it is in recovery, or set to"),
        (psycopg.OperationalError, r"^the store postgresql://db/x does not answer as it should \(why\)$"),
    ],
)
def test_sentences_for_a_server(raised: type[Exception], sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        raise store_error("postgresql://db/x", raised("why"))

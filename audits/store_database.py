"""Opens the database of a store, and makes every transaction on it safe and every error a sentence.

SQLite, in WAL mode with synchronous NORMAL (https://www.sqlite.org/wal.html): readers never wait for the writer nor
it for them, a killed process loses nothing that was committed, and a power cut may lose the last commits but never
corrupts. PostgreSQL as the other choice. One engine serves all threads: its pool hands a connection to one thread at
a time, for one transaction, so a `Database` may be used from any worker thread, also from several at once. On
PostgreSQL what writes is an engine of its own, with the one connection that holds the lock.
"""

import os
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, NoSuchModuleError, ProgrammingError

from audits.extras import ExtraMissingError, require
from audits.store_errors import LACKS_RIGHT, StoreError, store_error
from audits.store_lock import Release, lock_file, lock_server
from audits.store_schema import MIGRATIONS, Migration, bring_up_to_date, refuse_unreadable, schema_version

BUSY_TIMEOUT_S = 30
"""How long SQLite waits for another program's transaction, a backup say."""
CACHE_KIB = 8 * 1024
"""Pages kept in memory, a connection. A million entries in random order go in within 18 s with 4 MiB, 12 s with 16."""
WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""To this size the write-ahead log is cut after a checkpoint."""


class Space(msgspec.Struct, frozen=True):
    """The size of a database; `free_bytes` of it, where that is `known`, the next runs fill before it grows."""

    whole_bytes: int
    free_bytes: int
    known: bool = True


class Database:
    """An open database with the current schema. Writing is for the one who holds the lock."""

    def __init__(self, engine: Engine, where: str, release: Release | None, writer: Engine | None = None) -> None:
        self.where = where
        self._engine = engine
        self._writing_engine = (writer or engine).execution_options(tlsaudit_writing=True)
        self._release = release
        self._one_writer = Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; to be kept short, because the log cannot be cut behind it."""
        with _sentences(self.where), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is saved, or nothing. Threads that write wait for each other."""
        if self._release is None:
            raise RuntimeError("the store was opened for reading")
        with _sentences(self.where), self._one_writer, self._writing_engine.begin() as connection:
            yield connection

    @contextmanager
    def unchecked(self) -> Iterator[Connection]:
        """As `writing`, without a search for broken references: for taking out what nothing refers to.

        SQLite looks through all results for each content that is deleted, because they have no index by their content;
        PostgreSQL does the same, and so gets such an index for the time.
        """
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                with _indexed(connection):
                    yield connection
                return
        engine = self._writing_engine.execution_options(tlsaudit_unchecked=True)
        with _sentences(self.where), self._one_writer, engine.begin() as connection:
            yield connection

    def space(self) -> Space:
        """How large the database is."""
        with self.reading() as connection:
            if connection.dialect.name == "postgresql":
                return Space(
                    connection.scalar(text("SELECT pg_database_size(current_database())")) or 0, 0, known=False
                )
            pages, free, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
            return Space(pages * size, free * size)

    def compact(self) -> None:
        """Gives free space back to the file system: SQLite writes the file anew, which needs as much room again.

        PostgreSQL reuses room by itself (autovacuum). Killed in the middle the file is as it was.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with _sentences(self.where), self._one_writer:
            connection = self._engine.raw_connection()
            try:
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    connection.cursor().execute(statement)
            except sqlite3.DatabaseError as error:
                raise store_error(self.where, error) from error
            finally:
                connection.close()

    def close(self) -> None:
        release, self._release = self._release, None
        self._engine.dispose()
        if release is not None:
            release()


@contextmanager
def _indexed(connection: Connection) -> Iterator[None]:
    """Indexes of the references to contents, as long as the block lasts."""
    columns = ("domain_results", "facts"), ("domain_results", "judgement"), ("endpoint_results", "facts")
    for table, column in columns:
        connection.exec_driver_sql(f"CREATE INDEX prune_{table}_{column} ON {table} ({column})")
    yield
    for table, column in columns:
        connection.exec_driver_sql(f"DROP INDEX prune_{table}_{column}")


class _Place(msgspec.Struct, frozen=True):
    """Where a store lies: how to connect to it, for writing or not, and how to lock it.

    Where a lock belongs to a connection, `writer` makes the engine whose one connection holds it.
    """

    where: str
    engine: Callable[[bool], Engine]
    lock: Callable[[Engine], Release]
    writer: Callable[[], Engine] | None = None


def open_database(where: str | Path, *, writing: bool, migrations: Sequence[Migration] = MIGRATIONS) -> Database:
    """Opens a path or URL. Writing creates what is missing and takes the lock; reading needs an existing store.

    An older store is migrated in both cases, for which reading, too, takes the lock for a moment.
    """
    place = _place(str(where))
    if writing:
        return _writing(place, migrations)
    database = Database(place.engine(False), place.where, None)
    try:
        with database.reading() as connection:
            version = schema_version(connection)
        refuse_unreadable(version, 1 + len(migrations))
        if version <= len(migrations):
            _writing(place, migrations).close()
    except BaseException:
        database.close()
        raise
    return database


def _writing(place: _Place, migrations: Sequence[Migration]) -> Database:
    engine = place.engine(True)
    writer = place.writer() if place.writer else engine
    with _sentences(place.where):
        database = Database(engine, place.where, place.lock(writer), writer)
    try:
        with database.writing() as connection:
            bring_up_to_date(connection, migrations)
    except BaseException:
        database.close()
        raise
    return database


def _place(where: str) -> _Place:
    if "://" not in where:
        return _file_place(where)
    url = _server_url(where)
    return _file_place(url.database or "") if url.get_backend_name() == "sqlite" else _server_place(url)


def _server_url(text: str) -> URL:
    try:
        url = make_url(text)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        shown = re.sub("://.*@", "://***@", text, flags=re.DOTALL)  # what stands before the last @ may be a password
        raise StoreError(f"{shown} is no database URL: give a file name or postgresql://HOST/DATABASE") from None
    if url.get_backend_name() == "sqlite" or url.drivername in ("postgresql", _DRIVER):
        return url
    raise StoreError(f"stores on {url.drivername} are not supported: give a file name or postgresql://…")


# --- SQLite --------------------------------------------------------------------------------------------------------


def _file_place(where: str) -> _Place:
    if where in ("", ":memory:"):
        raise StoreError("a store in memory would be lost with the command: give a file name with --store")
    path = Path(where).resolve()
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} for the store: make it first")
    _refuse_no_file(path, where)

    def engine(writing: bool) -> Engine:
        if not writing and not path.exists():
            raise StoreError(f"there is no store {where} yet: `tlsaudit scan` makes it, or give another with --store")
        return _file_engine(path, {"mode": "rwc"} if writing else _reading_mode(path), writing=writing)

    def lock(_writer: Engine) -> Release:
        """Beside what turns out to be no store a lock would stay for ever, so that is looked at before."""
        if path.exists() and path.stat().st_size:
            looking = Database(_file_engine(path, _reading_mode(path), writing=False), where, None)
            try:
                with looking.reading() as connection:
                    schema_version(connection)
            finally:
                looking.close()
        return lock_file(path)

    return _Place(where, engine, lock)


def _refuse_no_file(path: Path, where: str) -> None:
    """SQLite has one sentence for all that it cannot open; what is there and cannot be a store is told closer."""
    try:
        if path.is_dir():
            raise StoreError(f"{where} is a folder: give a file in it with --store")
        if path.exists() and not path.is_file():
            raise StoreError(f"{where} is no ordinary file: give another with --store")
        if path.exists() and not os.access(path, os.R_OK):
            raise StoreError(f"{where} may not be read by this user: allow it, or give another file with --store")
    except OSError as error:  # a folder that may not be entered
        raise store_error(where, error) from None


def _reading_mode(path: Path) -> dict[str, str]:
    """Readers of a WAL database write to the memory they share with the writer; an archived store has no writer."""
    if os.access(path, os.W_OK):
        return {"mode": "rw"}
    if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
        return {"mode": "ro"}
    return {"mode": "ro", "immutable": "1"}


def _file_engine(path: Path, mode: dict[str, str], *, writing: bool) -> Engine:
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={**mode, "uri": "true"})
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, max_overflow=-1)
    pragmas = ["foreign_keys = ON", "synchronous = NORMAL", f"cache_size = -{CACHE_KIB}"]
    pragmas += ["journal_mode = WAL", f"journal_size_limit = {WAL_LIMIT_BYTES}"] if writing else ["query_only = ON"]

    # Left alone the driver begins a transaction late, and none for DDL; so BEGIN is ours.
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        for_writing = options.get("tlsaudit_writing")
        if for_writing:  # has to stand before BEGIN, and stays with the connection, which the pool hands on
            checks = "OFF" if options.get("tlsaudit_unchecked") else "ON"
            connection.exec_driver_sql(f"PRAGMA foreign_keys = {checks}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if for_writing else "BEGIN")

    return engine


# --- PostgreSQL ----------------------------------------------------------------------------------------------------


_DRIVER = "postgresql+psycopg"
"""The driver of the extra, whichever SQLAlchemy would take."""
_TEXT = {"client_encoding": "utf8"}
"""As text is handed over; a database in SQL_ASCII would give bytes."""
_ENCODINGS = ("UTF8", "SQL_ASCII")
"""Those that hold every character: names in certificates come from strangers, and must not end a scan."""


def _server_place(url: URL) -> _Place:
    where = url.render_as_string(hide_password=True)
    driven = url.set(drivername=_DRIVER)

    def engine(_writing: bool) -> Engine:
        try:
            require("postgresql")
            engine = create_engine(driven, connect_args=_TEXT, max_overflow=-1, isolation_level="REPEATABLE READ")
        except (ExtraMissingError, ImportError) as error:
            raise StoreError(f"{where} cannot be opened: {error}") from None
        try:
            with _sentences(where), engine.connect() as connection:
                encoding = connection.scalar(text("SHOW server_encoding"))
        finally:
            engine.dispose()
        if encoding not in _ENCODINGS:
            whole = "`createdb --encoding UTF8 --template template0`"
            raise StoreError(f"{where} keeps text as {encoding}, which lacks characters: make another with {whole}")
        return engine

    def writer() -> Engine:
        return create_engine(driven, connect_args=_TEXT, pool_size=1, max_overflow=0)

    return _Place(where, engine, lambda writer: lock_server(writer, where), writer)


@contextmanager
def _sentences(where: str) -> Iterator[None]:
    """Turns what the database refuses into a `StoreError`; our own mistakes stay what they are."""
    try:
        yield
    except IntegrityError:
        raise
    except ProgrammingError as error:
        if error.statement is not None and getattr(error.orig, "sqlstate", "") != LACKS_RIGHT:
            raise
        raise store_error(where, error.orig) from error  # an option in the URL that is none, or a missing right
    except DatabaseError as error:
        raise store_error(where, error.orig) from error
    except (msgspec.DecodeError, zlib.error) as error:
        raise StoreError(
            f"{where} holds facts that this version cannot read: use the newer tlsaudit that wrote them,"
            f" or go back to a copy of the store ({error})"
        ) from error

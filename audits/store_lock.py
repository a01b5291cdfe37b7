"""Keeps two runs off one store, by a lock that ends with its process: nothing to clean up after a crash or kill -9.

Beside an SQLite file stands an empty-looking file with the suffix ".lock", held by flock(2). It is never removed:
whoever removed it could let in a third who locks a new file of the same name. It is not inherited by child processes
that are started through exec. On PostgreSQL it is an advisory lock of a session, which ends with its connection.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, text

from audits.store_errors import StoreLockedError, store_error

Release = Callable[[], None]
"""Gives a lock back."""

_ADVISORY_KEY = int.from_bytes(b"tlsaudit", "big") >> 1
"""Advisory locks are numbers of 63 bits, per database."""


def lock_file(database: Path) -> Release:
    """Locks an SQLite store for writing; `StoreLockedError` while another process, or another store here, has it."""
    path = database.with_name(f"{database.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise store_error(str(database), error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StoreLockedError(_sentence(str(database), holder)) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return lambda: os.close(descriptor)


def lock_server(engine: Engine, where: str) -> Release:
    """Locks a store on PostgreSQL for writing, by a connection that is kept for it alone."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}):
        connection.close()
        raise StoreLockedError(_sentence(where, ""))

    def release() -> None:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_KEY})
        connection.close()

    return release


def _sentence(where: str, holder: str) -> str:
    who = f"another run (process {holder})" if holder else "another run"
    return f"{who} writes to {where}: wait for its end, or give this one another store with --store"

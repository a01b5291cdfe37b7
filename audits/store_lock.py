"""Keeps two runs off one store, by a lock that ends with its process: nothing to clean up after a crash or kill -9.

Beside an SQLite file stands an empty-looking file with the suffix ".lock", held by flock(2). It is never removed:
whoever removed it could let in a third who locks a new file of the same name. It is not inherited by child processes
that are started through exec. On PostgreSQL it is an advisory lock of a session, which ends with its connection. All is
written by that connection, so that nothing is written without the lock, even after the server was started anew.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

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
    except OSError as error:  # a file system without locks
        os.close(descriptor)
        raise store_error(str(database), error) from error
    with suppress(OSError):  # on a full disk: the number is for people, and the store says itself what it lacks
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    return lambda: os.close(descriptor)


def lock_server(writer: Engine, where: str) -> Release:
    """Locks a store on PostgreSQL for writing: every connection of `writer`, which has one at a time, holds the lock.

    One that was lost is made anew by the next transaction, and takes the lock again, or fails where another run has it.
    """

    @event.listens_for(writer, "connect")
    def lock(connection: Any, _record: object) -> None:
        found = connection.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_KEY]).fetchone()
        connection.commit()
        if not found[0]:
            connection.close()
            raise StoreLockedError(_sentence(where, ""))

    writer.connect().close()
    return writer.dispose


def _sentence(where: str, holder: str) -> str:
    who = f"another run (process {holder})" if holder else "another run"
    return f"{who} writes to {where}: wait for its end, or give this one another store with --store"

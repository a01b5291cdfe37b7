"""The lock of a store: one writer at a time, freed by any death of its holder."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audits.store import Store, StoreLockedError
from audits.store_lock import lock_file
from tests.stored_samples import store_place

HOLDER = """
import sys
from audits.store import Store
store = Store.open(sys.argv[1], writing=True)
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(where: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of a store until its input ends."""
    command = [sys.executable, "-c", HOLDER, where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


def test_a_full_disk_is_no_reason_to_refuse_the_lock(tmp_path: Path) -> None:
    """What is done then, pruning say, may make room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        release = lock_file(tmp_path / "runs.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(StoreLockedError, match="another run writes"):
        lock_file(tmp_path / "runs.db")
    release()


def test_a_second_run_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    where = str(tmp_path / "runs.db")
    with holder(where) as process:
        told = rf"another run \(process {process.pid}\) writes to .*runs.db: wait for its end, or give this one another"
        with pytest.raises(StoreLockedError, match=told):
            Store.open(where, writing=True)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_ends_with_its_holder(tmp_path: Path, how: signal.Signals) -> None:
    where = store_place(tmp_path)
    with holder(where) as process:
        with pytest.raises(StoreLockedError):
            Store.open(where, writing=True)
        os.kill(process.pid, how)
        process.wait()
        for _ in range(50):  # a database server notices the death of its client a moment later
            try:
                Store.open(where, writing=True).close()
            except StoreLockedError:
                assert "://" in where
            else:
                return
    pytest.fail("the lock outlived its holder")


def test_within_one_process_too(tmp_path: Path) -> None:
    where = store_place(tmp_path)
    with Store.open(where, writing=True):
        with pytest.raises(StoreLockedError):
            Store.open(where, writing=True)
        with pytest.raises(StoreLockedError):
            Store.open(where, writing=True)
    Store.open(where, writing=True).close()


def test_one_store_under_two_names_has_one_lock(tmp_path: Path) -> None:
    Store.open(tmp_path / "runs.db", writing=True).close()
    (tmp_path / "link.db").symlink_to("runs.db")
    with Store.open(tmp_path / "runs.db", writing=True), pytest.raises(StoreLockedError):
        Store.open(tmp_path / "link.db", writing=True)
    with Store.open(f"sqlite:///{tmp_path}/link.db", writing=True), pytest.raises(StoreLockedError):
        Store.open(tmp_path / "runs.db", writing=True)


def test_other_stores_are_free(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db", writing=True), Store.open(tmp_path / "b.db", writing=True):
        pass


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    release = lock_file(tmp_path / "runs.db")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        release()
        lock_file(tmp_path / "runs.db")()
        child.kill()


def test_a_store_that_failed_to_open_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(Exception, match="no SQLite database"):
        Store.open(path, writing=True)
    lock_file(path)()

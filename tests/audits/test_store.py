"""The store as a scan uses it: from many threads, resumed, killed at any moment, and with flat memory."""

import os
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
import trio

from audits.store import RunStatus, Store
from scanner.facts import Target
from tests.stored_samples import NIGHT, endpoint, entries, result, seen, start, store_place


async def test_worker_threads_share_a_store(tmp_path: Path) -> None:
    def work(first: int) -> None:
        numbers = range(first, first + 10)
        store.save(run, [result(n) for n in numbers], [seen(n) for n in numbers])
        for number in numbers:
            assert store.endpoint(run, endpoint(number)) == seen(number)
            assert store.domain(run, f"d{number}.example") == result(number)

    with Store.open(store_place(tmp_path), writing=True) as store:
        run = store.begin_run(start(), entries(300)).id
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for first in range(1, 301, 10):
                    nursery.start_soon(trio.to_thread.run_sync, work, first)
        assert len(list(store.domains(run))) == 300
        assert list(store.pending_targets(run)) == []


def test_an_interrupted_run_of_long_ago_may_be_left_alone(tmp_path: Path) -> None:
    with Store.open(store_place(tmp_path), writing=True) as store:
        run = store.begin_run(start(), entries(1))
        assert store.resume_run(run.input_digest, run.started) == run
        assert store.resume_run(run.input_digest, run.started + timedelta(seconds=1)) is None


async def test_an_iterator_may_be_advanced_by_one_worker_thread_after_another(tmp_path: Path) -> None:
    with Store.open(store_place(tmp_path), writing=True) as store:
        run = store.begin_run(start(), entries(1001)).id
        pending = store.pending_targets(run)
        found = [await trio.to_thread.run_sync(next, pending) for _ in range(1001)]
        assert [one.seq for one in found] == list(range(1, 1002))
        assert await trio.to_thread.run_sync(next, pending, None) is None


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    where = store_place(tmp_path)
    with Store.open(where, writing=True) as store:
        run = store.begin_run(start(), entries(10)).id
        store.save(run, [result(n) for n in (1, 2, 4)], [seen(n) for n in (1, 2, 3, 4)])
    with Store.open(where, writing=True) as store:
        again = store.resume_run("ab" * 32)
        assert again is not None
        assert (again.id, again.status, again.done) == (run, RunStatus.UNFINISHED, 3)
        assert store.endpoint(run, endpoint(3)) == seen(3)
        pending = list(store.pending_targets(run))
        assert [one.seq for one in pending] == [3, 5, 6, 7, 8, 9, 10]
        assert pending[0].target == Target("d3.example", "d3.example")
        store.save(run, [result(one.seq) for one in pending], [seen(one.seq) for one in pending])
        assert store.finish_run(run, NIGHT).done == 10
        assert [found.seq for found in store.domains(run)] == list(range(1, 11))


WRITER = """
import sys
from audits.store import Store
from tests.stored_samples import entries, result, seen, start
with Store.open(sys.argv[1], writing=True) as store:
    run = store.resume_run("ab" * 32) or store.begin_run(start(), entries(100_000))
    print("begun", flush=True)
    numbers = [pending.seq for _, pending in zip(range(10_000), store.pending_targets(run.id))]
    for first in range(0, len(numbers), 7):
        batch = numbers[first : first + 7]
        store.save(run.id, [result(n) for n in batch], [seen(n) for n in batch])
        print(batch[-1], flush=True)
"""


@pytest.mark.parametrize("kills", [4])
def test_kill_9_at_any_moment_loses_nothing_that_was_saved(tmp_path: Path, kills: int) -> None:
    where = store_place(tmp_path)
    saved = 0
    for kill in range(kills):
        saved = killed_after(where, 3 + 5 * kill, saved)
        with Store.open(where) as reader:
            run = reader.run("latest")
            done = [found.seq for found in reader.domains(run.id)]
            assert len(reader.runs()) == 1
            assert done == list(range(1, len(done) + 1))
            assert len(done) >= saved
            assert len(done) % 7 == 0
            assert {one.endpoint for one in reader.endpoints(run.id)} == {endpoint(number) for number in done}
            assert next(reader.pending_targets(run.id)).seq == len(done) + 1
        if "://" not in where:
            assert integrity(where) == "ok"
    assert saved > 7 * 3 * kills


def test_kill_9_while_the_input_is_read_leaves_no_run(tmp_path: Path) -> None:
    where = str(tmp_path / "runs.db")
    endless = """
import itertools, sys
from audits.store import Store
from scanner.facts import Target
from tests.stored_samples import start
def lines():
    for number in itertools.count():
        if number == 20_000:
            print("reading", flush=True)
        yield Target(f"d{number}.example", f"d{number}.example")
Store.open(sys.argv[1], writing=True).begin_run(start(), lines())
"""
    with subprocess.Popen([sys.executable, "-c", endless, where], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "reading\n"
        os.kill(writer.pid, signal.SIGKILL)
    with Store.open(where, writing=True) as store:
        assert store.runs() == ()
        run = store.begin_run(start(), entries(3))
        assert (run.targets, len(list(store.pending_targets(run.id)))) == (3, 3)
    assert integrity(where) == "ok"


def killed_after(where: str, batches: int, saved: int) -> int:
    """Lets a process save until it said so that many times, kills it, and gives the last number that it announced."""
    with subprocess.Popen([sys.executable, "-c", WRITER, where], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
        for _ in range(batches):
            saved = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        for line in writer.stdout:
            saved = int(line) if line.endswith("\n") else saved
    assert writer.returncode == -signal.SIGKILL
    return saved


def integrity(where: str) -> str:
    connection = sqlite3.connect(where)
    (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return str(said)


def test_memory_does_not_grow_with_the_input(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        with Store.open(tmp_path / f"{count}.db", writing=True) as store:
            tracemalloc.start()
            try:
                run = store.begin_run(start(), (Target(name, name) for name in map("d{}.example".format, range(count))))
                assert sum(1 for _ in store.pending_targets(run.id)) == count
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    peak(100)  # what is made once and kept: compiled statements
    assert peak(40_000) < 1.2 * peak(12_000)

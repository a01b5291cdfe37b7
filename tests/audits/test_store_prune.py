"""Old runs leave the store with all that only they use; what others use stays, whatever happens in between."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from random import Random

import pytest

from audits.store import RunStatus, Store, StoreError
from audits.store_prune import chosen
from tests.environments import ROOT
from tests.stored_samples import NIGHT, entries, result, seen, start, store_place


def night(store, number, *servers, finish=True):
    """A run in which the n-th domain has the n-th of these servers."""
    run = store.begin_run(start(number), entries(len(servers)))
    results = [result(seq, server) for seq, server in enumerate(servers, 1)]
    store.save(run.id, results, [seen(server) for server in set(servers)])
    return store.finish_run(run.id, start(number).started).id if finish else run.id


@pytest.fixture
def where(tmp_path):
    return store_place(tmp_path)


@pytest.fixture
def store(where):
    with Store.open(where, writing=True) as opened:
        yield opened


def whole(store, run):
    """All that a run holds, read back."""
    return list(store.domains(run)), list(store.endpoints(run))


def counted(store):
    with store._database.reading() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in ("runs", "targets", "facts", "certificates", "domain_results", "endpoint_results")
        }


def test_a_run_takes_along_what_only_it_uses(store):
    first, second = night(store, 0, 1, 2, 3), night(store, 1, 1, 2, 4)
    kept = whole(store, second)
    before = counted(store)
    expected = store.prune_estimate([first])
    gone = store.prune([first])
    assert gone == expected
    assert (gone.runs, gone.domain_results, gone.endpoint_results, gone.certificates) == (1, 3, 3, 1)
    assert gone.facts == 3, "facts and judgement of one domain, facts of one server"
    assert gone.facts_bytes > 300
    assert gone.certificates_bytes > 1200
    assert whole(store, second) == kept
    after = counted(store)
    assert {name: before[name] - after[name] for name in before} == {
        "runs": 1,
        "targets": 3,
        "facts": 3,
        "certificates": 1,
        "domain_results": 3,
        "endpoint_results": 3,
    }


def test_nothing_to_remove_removes_nothing(store):
    run = night(store, 0, 1, 2)
    kept, before = whole(store, run), counted(store)
    assert store.prune([]) == store.prune_estimate([]) == type(store.prune([]))()
    assert (whole(store, run), counted(store)) == (kept, before)


def test_the_last_run_leaves_an_empty_store(store):
    store.prune([night(store, 0, 1, 2)])
    assert set(counted(store).values()) == {0}
    night(store, 1, 1)


def test_references_are_checked_again_afterwards(store):
    """The search for broken references is left out for the sweep alone."""
    night(store, 0, 1)
    store.prune([])
    with pytest.raises(Exception, match=r"(?i)foreign key"), store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM runs")


@pytest.mark.skipif("TLSAUDIT_TEST_STORE" in os.environ, reason="PostgreSQL gives space back by itself")
def test_the_file_becomes_smaller(store):
    runs = [night(store, number, *range(10 * number + 1, 10 * number + 9)) for number in range(4)]
    store.prune(runs[:3])
    space = store.space()
    assert space.free_bytes * 3 > space.whole_bytes
    store.compact()
    assert store.space().whole_bytes <= space.whole_bytes - space.free_bytes
    assert store.space().free_bytes == 0
    assert len(list(store.domains(runs[3]))) == 8


def test_a_store_open_for_reading_is_left_alone(store, where):
    run = night(store, 0, 1)
    with Store.open(where) as reader, pytest.raises(RuntimeError, match="opened for reading"):
        reader.prune([run])


# --- which runs ----------------------------------------------------------------------------------------------------


def names(runs):
    return [run.id for run in runs]


def test_the_newest_finished_runs_stay_however_old(store):
    for number in range(6):
        night(store, number, 1)
    late = NIGHT + timedelta(days=1000)
    choice = chosen(store.runs(), late, 4)
    assert (names(choice.doomed), names(choice.for_diff)) == ([1, 2], [3, 4, 5, 6])
    choice = chosen(store.runs(), start(1).started, 2)
    assert (names(choice.doomed), names(choice.for_diff)) == ([1], [])


def test_runs_that_were_told_last_stay_however_old(store):
    for number in range(1, 7):
        night(store, number)
    told = store.runs()[1].name
    choice = chosen(store.runs(), start(9).started + timedelta(days=999), 2, told=[told])
    assert [run.id for run in choice.doomed] == [1, 3, 4]


def test_unfinished_runs_stay_unless_wanted_and_the_newest_in_any_case(store):
    for number in range(4):
        night(store, number, 1, finish=number % 2 == 0)
    assert store.runs()[-1].status is RunStatus.UNFINISHED
    late = NIGHT + timedelta(days=1000)
    choice = chosen(store.runs(), late, 1)
    assert (names(choice.doomed), names(choice.for_diff), names(choice.unfinished)) == ([1], [3], [2, 4])
    choice = chosen(store.runs(), late, 1, unfinished=True)
    assert (names(choice.doomed), names(choice.unfinished)) == ([1, 2], [4])


# --- when it goes wrong --------------------------------------------------------------------------------------------

PRUNE = """
import sys
from audits.store import Store
with Store.open(sys.argv[1], writing=True) as store:
    print("ready", flush=True)
    store.prune([run.id for run in store.runs()[:-2]])
    store.compact()
"""


@pytest.mark.skipif("TLSAUDIT_TEST_STORE" in os.environ, reason="kills the client of a file")
def test_killed_at_any_moment_it_leaves_whole_runs(tmp_path):
    path = str(tmp_path / "runs.db")
    with Store.open(path, writing=True) as store:
        for number in range(12):
            night(store, number, *range(20 * number + 1, 20 * number + 31))
        before = {run.name: whole(store, run.id) for run in store.runs()}
    random = Random(7)
    killed = 0
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", PRUNE, path], stdout=subprocess.PIPE, cwd=ROOT)
        assert child.stdout is not None
        child.stdout.readline()
        try:
            child.wait(random.uniform(0, 0.12))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
        child.stdout.close()
        with Store.open(path) as store:
            assert len(store.runs()) >= 2
            assert {run.name: whole(store, run.id) for run in store.runs()}.items() <= before.items()
    assert killed
    with Store.open(path, writing=True) as store:
        store.prune([run.id for run in store.runs()[:-2]])
        assert [run.name for run in store.runs()] == list(before)[-2:]
        assert counted(store)["certificates"] == 51
        with store._database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


NO_ROOM = """
import resource, sys
from audits.store import Store, StoreError
with Store.open(sys.argv[1], writing=True) as store:
    runs = [run.id for run in store.runs()[:-1]]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    try:
        store.prune(runs)
        store.compact()
    except StoreError as error:
        sys.exit(f"told: {error}")
"""


@pytest.mark.skipif("TLSAUDIT_TEST_STORE" in os.environ, reason="about a file")
@pytest.mark.parametrize("room", [0, 20_000, 60_000])
def test_without_room_it_is_a_sentence_and_every_run_is_whole(tmp_path, room):
    """A limit on the size of files stands for a full disk: the log cannot grow, or the file not be written anew."""
    path = str(tmp_path / "runs.db")
    with Store.open(path, writing=True) as store:
        for number in range(3):
            night(store, number, *range(20 * number + 1, 20 * number + 31))
        before = {run.name: whole(store, run.id) for run in store.runs()}
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, path, str(room)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith(f"told: reading or writing {path} failed: look at the disk"), done.stderr
    with Store.open(path, writing=True) as store:
        assert {run.name: whole(store, run.id) for run in store.runs()}.items() <= before.items()
        store.prune([run.id for run in store.runs()[:-1]])
        assert whole(store, store.runs()[-1].id) == list(before.values())[-1]


@pytest.mark.skipif("TLSAUDIT_TEST_STORE" in os.environ, reason="about a file")
def test_a_store_that_may_not_be_written_is_a_sentence(store):
    run = night(store, 0, 1)
    with store._database._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="cannot be written"):
        store.prune([run])
    assert counted(store)["runs"] == 1

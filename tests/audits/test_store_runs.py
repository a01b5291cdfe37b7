"""Runs are named for people, known again by their input, and found by name with help for slips."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from audits.store import NoSuchRunError, RunStatus, Store, input_digest
from scanner.facts import Level, Target
from tests.stored_samples import NIGHT, entries, result, start, store_place


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(store_place(tmp_path), writing=True) as opened:
        yield opened


def test_a_run_from_its_beginning_to_its_end(store: Store) -> None:
    run = store.begin_run(start(), [*entries(2), *entries(1)])
    assert (run.name, run.status, run.started) == ("2026-11-21T06-30-00", RunStatus.UNFINISHED, NIGHT)
    assert (run.targets, run.duplicates, run.done, run.finished) == (2, 1, 0, None)
    assert (run.options, run.tool_version, run.trust_digest) == (b'{"ports":[25]}', "0.1.0", "cd" * 32)
    store.save(run.id, [result(1)])
    assert store.run(run.name).done == 1
    store.save(run.id, [result(2)])
    ended = store.finish_run(run.id, NIGHT + timedelta(minutes=5))
    assert (ended.status, ended.done, ended.finished) == (RunStatus.FINISHED, 2, NIGHT + timedelta(minutes=5))
    assert store.run("latest") == store.run(run.name) == ended == store.runs()[0]


def test_names_are_unique(store: Store) -> None:
    names = [store.begin_run(start(hour), []).name for hour in (0, 0, 1, 0)]
    time = "2026-11-21T06-30-00"
    assert names == [time, f"{time}-2", "2026-11-21T07-30-00", f"{time}-3"]
    assert [run.name for run in store.runs()] == names
    assert store.run("latest").name == names[-1]


def test_an_unfinished_run_is_found_again_by_its_input(store: Store) -> None:
    assert store.resume_run("aa" * 32) is None
    old, _, new, ended = (
        store.begin_run(start(hour, input_digest=digest * 32), entries(1))
        for hour, digest in enumerate(("aa", "bb", "aa", "aa"))
    )
    store.finish_run(ended.id, NIGHT)
    assert store.resume_run("aa" * 32) == new
    store.finish_run(new.id, NIGHT)
    assert store.resume_run("aa" * 32) == old
    assert store.resume_run("cc" * 32) is None


def test_a_run_that_is_not_there(store: Store) -> None:
    with pytest.raises(NoSuchRunError, match="holds no run yet: `tlsaudit scan` makes one"):
        store.run("latest")
    for hour in range(8):
        store.begin_run(start(hour * 24), [])
    with pytest.raises(NoSuchRunError, match=r"no run '2026-11-23': the near ones are 2026-11-23T06-30-00;"):
        store.run("2026-11-23")
    with pytest.raises(NoSuchRunError, match=r"the near ones are 2026-11-24T06-30-00"):
        store.run("2026-11-24T06:30:00")
    with pytest.raises(NoSuchRunError) as lost:
        store.run("x" * 5000)
    assert "the newest are 2026-11-28T06-30-00, 2026-11-27T06-30-00" in str(lost.value)
    assert len(str(lost.value)) < 300


def test_the_digest_of_an_input() -> None:
    def target(name: str, level: Level | None = None) -> Target:
        return Target(name, name, required=level)

    one, two = target("example.org"), target("example.net")
    known = input_digest([one, two], b"{}")
    assert known == input_digest(iter([one, two]), b"{}")
    others = [
        input_digest([two, one], b"{}"),
        input_digest([one], b"{}"),
        input_digest([one, target("example.net", Level.MUST)], b"{}"),
        input_digest([one, two], b'{"envelope":true}'),
    ]
    assert len({known, *others}) == 5

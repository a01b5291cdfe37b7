"""The targets of a run: each once, in order, with the strongest demand, and pending until they have a result."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.store import Store
from scanner.facts import Level, Target
from tests.stored_samples import entries, result, start, store_place


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(store_place(tmp_path), writing=True) as opened:
        yield opened


def kept(store: Store, given: list[Target]) -> list[Target]:
    run = store.begin_run(start(), given)
    assert (run.targets, run.duplicates) == (len({t.entry for t in given}), len(given) - run.targets)
    return [pending.target for pending in store.pending_targets(run.id)]


def test_every_form_comes_back_in_order(store: Store) -> None:
    given = [
        Target("[192.0.2.1]:2525", "192.0.2.1", True, 2525),
        Target("example.org", "example.org"),
        Target("example.org:587", "example.org", port=587, required=Level.MAY),
        Target("[IPv6:2001:db8::1]", "2001:db8::1", True, required=Level.MUST),
        Target("[mx.example.org]", "mx.example.org", True),
        Target("another.example", "another.example", required=Level.NONE),
    ]
    assert kept(store, given) == given


@pytest.mark.parametrize("distance", [1, 6000], ids=["near", "pages apart"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_repeated_entry_is_kept_once_with_its_strongest_demand(store: Store, distance: int, order: int) -> None:
    between = entries(distance)
    demands = [None, Level.MUST_NOPEERMATCH, Level.NONE][::order]
    same = [Target("[mx.example.org]", "mx.example.org", True, required=level) for level in demands]
    found = kept(store, [same[0], *between, same[1], *between, same[2]])
    assert found[0] == Target("[mx.example.org]", "mx.example.org", True, required=Level.MUST_NOPEERMATCH)
    assert found[1:] == between


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.sampled_from(Level)), max_size=30))
def test_demands_in_any_order(tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[int, Level | None]]) -> None:
    given = [Target(f"d{n}.example", f"d{n}.example", required=level) for n, level in lines]
    strongest: dict[str, int] = {}
    for target in given:
        rank = list(Level).index(target.required) if target.required else -1
        strongest[target.entry] = max(strongest.get(target.entry, -1), rank)
    with Store.open(store_place(tmp_path_factory.mktemp("store")), writing=True) as store:
        found = {t.entry: list(Level).index(t.required) if t.required else -1 for t in kept(store, given)}
    assert list(found.items()) == list(strongest.items())


def test_an_input_that_breaks_off_leaves_nothing(store: Store) -> None:
    def broken() -> Iterator[Target]:
        yield from entries(6000)
        raise OSError("the disk with the list is gone")

    with pytest.raises(OSError, match="the list is gone"):
        store.begin_run(start(), broken())
    assert store.runs() == ()
    assert kept(store, entries(2)) == entries(2)


def test_an_empty_input(store: Store) -> None:
    assert kept(store, []) == []


def test_pending_is_what_has_no_result(store: Store) -> None:
    run = store.begin_run(start(), entries(1200)).id
    store.save(run, [result(number) for number in range(1, 1201) if number % 3])
    assert [pending.seq for pending in store.pending_targets(run)] == [n for n in range(1, 1201) if n % 3 == 0]


def test_results_may_be_saved_while_the_pending_are_read(store: Store) -> None:
    run = store.begin_run(start(), entries(1200)).id
    numbers = []
    for pending in store.pending_targets(run):
        numbers.append(pending.seq)
        if pending.seq % 100 == 0:
            store.save(run, [result(number) for number in numbers[-100:]])
    assert numbers == list(range(1, 1201))
    assert list(store.pending_targets(run)) == []


def test_runs_do_not_see_each_others_targets(store: Store) -> None:
    first, second = store.begin_run(start(), entries(3)).id, store.begin_run(start(1), entries(2)).id
    store.save(first, [result(1)])
    assert [pending.seq for pending in store.pending_targets(first)] == [2, 3]
    assert [pending.seq for pending in store.pending_targets(second)] == [1, 2]

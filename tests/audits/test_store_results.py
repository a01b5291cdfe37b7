"""Results come back as they were saved, are stored once, and are saved whole or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from audits.store import DomainResult, Store, StoreError
from scanner.facts import EndpointFacts
from tests.stored_samples import (
    NIGHT,
    certificate,
    domain,
    endpoint,
    entries,
    result,
    seen,
    start,
    store_place,
    unreachable,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(store_place(tmp_path), writing=True) as opened:
        yield opened


def file_size(path: Path) -> int:
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))


def test_what_was_saved_comes_back(store: Store) -> None:
    run = store.begin_run(start(), entries(3)).id
    facts = [seen(1), unreachable(2), EndpointFacts(endpoint(300), NIGHT + timedelta(microseconds=1))]
    results = [DomainResult(1, domain(1, 1, 2, 300), "INCONCLUSIVE", b'{"why":"gr\xc3\xbcn"}'), result(3)]
    store.save(run, results, facts)
    assert list(store.domains(run)) == results
    assert store.domain(run, "d3.example") == result(3)
    assert store.domain(run, "d2.example") is None
    assert store.domain(run, "unknown.example") is None
    assert store.endpoints_of(run, results[0].facts.endpoints) == {one.endpoint: one for one in facts}
    assert store.endpoint(run, endpoint(1)) == seen(1)
    assert store.endpoint(run, endpoint(3)) is None
    assert store.endpoints_of(run, result(3).facts.endpoints) == {}
    assert {one.endpoint for one in store.endpoints(run)} == {one.endpoint for one in facts}


def test_iterators_go_over_many_pages_in_order(store: Store) -> None:
    run = store.begin_run(start(), entries(1100)).id
    store.save(run, [result(number) for number in range(1100, 0, -1)], [seen(number) for number in range(1, 1101)])
    assert [found.seq for found in store.domains(run)] == list(range(1, 1101))
    assert {found.endpoint: found for found in store.endpoints(run)} == {
        endpoint(number): seen(number) for number in range(1, 1101)
    }
    refs = [ref for number in range(1, 1101) for ref in domain(number).endpoints]
    assert len(store.endpoints_of(run, refs)) == 1100


def test_saving_again_changes_nothing_and_saving_anew_replaces(store: Store) -> None:
    run = store.begin_run(start(), entries(2)).id
    for _ in range(2):
        store.save(run, [result(1), result(1)], [seen(1), seen(1)])
        assert list(store.domains(run)) == [result(1)]
        assert list(store.endpoints(run)) == [seen(1)]
    later = msgspec.structs.replace(unreachable(1), seen_at=NIGHT + timedelta(hours=1))
    rejudged = msgspec.structs.replace(result(1), grade="MAY", judgement=b'{"grade":"MAY"}')
    store.save(run, [rejudged], [later])
    assert list(store.domains(run)) == [rejudged]
    assert list(store.endpoints(run)) == [later]


def test_a_batch_is_saved_whole_or_not_at_all(store: Store) -> None:
    run = store.begin_run(start(), entries(1)).id
    with pytest.raises(IntegrityError):
        store.save(run, [result(1), result(99)], [seen(1)])
    assert list(store.domains(run)) == []
    assert list(store.endpoints(run)) == []


def test_nothing_to_save(store: Store) -> None:
    run = store.begin_run(start(), entries(1)).id
    store.save(run)
    store.save(run, [], [EndpointFacts(endpoint(), NIGHT)])
    assert store.endpoint(run, endpoint()) == EndpointFacts(endpoint(), NIGHT)


def test_runs_do_not_see_each_others_results(store: Store) -> None:
    first, second = (store.begin_run(start(hour), entries(1)).id for hour in (0, 1))
    store.save(first, [result(1)], [seen(1)])
    assert store.endpoint(second, endpoint(1)) is None
    assert list(store.domains(second)) == []


def test_an_unchanged_server_costs_one_small_row_a_night(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    sizes = []
    for night in range(3):
        with Store.open(path, writing=True) as store:
            run = store.begin_run(start(24 * night), entries(500)).id
            at = NIGHT + timedelta(days=night)
            for first in range(1, 501, 100):
                numbers = range(first, first + 100)
                store.save(run, [result(n, seen_at=at) for n in numbers], [seen(n, at) for n in numbers])
            assert store.endpoint(run, endpoint(7)) == seen(7, at)
            assert store.domain(run, "d7.example") == result(7, seen_at=at)
        sizes.append(file_size(path))
    first_night, others = sizes[0], (sizes[2] - sizes[0]) / 2
    assert first_night / 500 < 6000
    assert others / 500 < 400


def test_a_certificate_that_many_share_is_stored_once(tmp_path: Path) -> None:
    large = certificate(1, size=60_000)
    path = tmp_path / "runs.db"
    with Store.open(path, writing=True) as store:
        run = store.begin_run(start(), entries(1)).id
        facts = [EndpointFacts(endpoint(number), NIGHT, (), (large, certificate(number))) for number in range(1, 100)]
        store.save(run, [], facts)
        store.save(run, [], facts)
        assert list(store.endpoints_of(run, domain(1, *range(1, 100)).endpoints).values()) == facts
    assert file_size(path) < 500_000


def test_what_a_later_version_reads_in_a_known_certificate_is_kept(store: Store) -> None:
    run = store.begin_run(start(), entries(1)).id
    full = certificate(1)
    poor = msgspec.structs.replace(full, extended_key_usage=(), key=None)
    store.save(run, [], [EndpointFacts(endpoint(1), NIGHT, (), (poor,))])
    better = EndpointFacts(endpoint(2), NIGHT, (), (full, certificate(2)))
    store.save(run, [], [better])
    assert store.endpoint(run, endpoint(2)) == better
    assert store.endpoint(run, endpoint(1)) == EndpointFacts(endpoint(1), NIGHT, (), (full,))


@pytest.mark.parametrize(
    "read",
    [
        lambda store, run: [*store.domains(run)],
        lambda store, run: store.domain(run, "d1.example"),
        lambda store, run: store.domains_of(run, ["d1.example"]),
        lambda store, run: [*store.judgements(run)],
        lambda store, run: [*store.pairs(run, run)],
        lambda store, run: [*store.endpoints(run)],
    ],
)
def test_results_that_lost_their_facts_are_told_and_not_passed_over(tmp_path, read):
    """As after a rescue of a damaged file: a run with fewer domains would look like a quiet night."""
    place = tmp_path / "rescued.db"
    with Store.open(place, writing=True) as store:
        run = store.begin_run(start(), entries(1)).id
        store.save(run, [result(1)], [seen(1)])
    with closing(sqlite3.connect(place)) as plain:
        plain.execute("DELETE FROM facts")
        plain.commit()
    with Store.open(place) as store, pytest.raises(StoreError, match="has lost its facts"):
        read(store, run)

"""Columns of a run, and judgements without facts: the same as the whole results say."""

import pytest

from audits.store import Store
from tests import stored_samples as samples
from tests.demo_history import demo_history


@pytest.fixture
def store(tmp_path):
    with Store.open(samples.store_place(tmp_path), writing=True) as opened:
        yield opened


def test_columns_and_judgements_are_those_of_the_results(store):
    count = 1203  # more than two pages
    run = store.begin_run(samples.start(), samples.entries(count))
    store.save(run.id, [samples.result(n) for n in range(1, count + 1)], [samples.seen(n) for n in range(1, 300)])
    whole = list(store.domains(run.id))
    assert store.grade_rows(run.id) == [(each.facts.target.entry, each.grade, None) for each in whole]
    assert list(store.judgements(run.id)) == [each.judgement for each in whole]
    assert b"2026-11-21T06:30" in next(store.judgements(run.id))


def test_domains_without_a_result_and_other_runs_are_left_out(store):
    first = store.begin_run(samples.start(), samples.entries(3))
    second = store.begin_run(samples.start(1), samples.entries(3))
    store.save(first.id, [samples.result(2)], [samples.seen(2)])
    store.save(second.id, [samples.result(1)], [samples.seen(1)])
    assert store.grade_rows(first.id) == [("d2.example", "MUST", None)]
    assert len(list(store.judgements(second.id))) == 1


def test_times_that_stood_in_the_facts_do_not_disturb(tmp_path_factory):
    with Store.open(demo_history(tmp_path_factory)) as store:
        for run in store.runs()[::6]:
            assert list(store.judgements(run.id)) == [each.judgement for each in store.domains(run.id)]

"""Windows over the runs of a store: only finished runs, and for each domain those that have it."""

import msgspec
import pytest

from audits.policy_table import history
from audits.policy_table.history import finished_runs, histories, sharing
from audits.store import Store, StoreError
from tests.audits.session_factory import GOOD

from .store_factory import write_runs


def windows(store, wanted=(), count=3):
    return {
        entry: [look.run for look in looks]
        for entry, looks in histories(store, finished_runs(store), list(wanted), count).items()
    }


@pytest.fixture
def store(tmp_path):
    """Four finished runs, of which the newest asked one domain only, and one that was never finished."""
    both = {"a.test": GOOD, "b.test": GOOD}
    path = write_runs(tmp_path / "runs.db", [both, both, both, {"a.test": GOOD}, both], finished=False)
    with Store.open(path) as opened:
        yield opened


def test_finished_runs_come_newest_first(store):
    names = [run.name for run in store.runs()]
    assert [run.name for run in finished_runs(store)] == names[3::-1]


def test_each_domain_has_a_window_of_its_own(store):
    names = [run.name for run in finished_runs(store)]
    assert windows(store) == {"a.test": names[:3], "b.test": names[1:4]}
    assert windows(store, count=1) == {"a.test": names[:1]}
    assert windows(store, count=9) == {"a.test": names, "b.test": names[1:]}


def test_wanted_domains_are_asked_for_one_by_one(store):
    names = [run.name for run in finished_runs(store)]
    assert windows(store, ["b.test"], 2) == {"b.test": names[1:3]}
    assert windows(store, ["b.test", "no.test"], 1) == {"b.test": names[1:2], "no.test": []}


def test_many_are_read_in_a_row(store, monkeypatch):
    one_by_one = windows(store)
    monkeypatch.setattr(history, "FEW", 0)
    assert windows(store) == one_by_one


def test_a_judgement_that_cannot_be_read_is_a_store_error(tmp_path):
    path = write_runs(tmp_path / "runs.db", [{"a.test": GOOD}])
    with Store.open(path, writing=True) as opened:
        (run,) = opened.runs()
        (result,) = opened.domains(run.id)
        opened.save(run.id, [msgspec.structs.replace(result, judgement=b'{"endpoints":{"a":1}}')])
        with pytest.raises(StoreError, match="holds a judgement that cannot be read"):
            windows(opened)


def test_other_domains_that_share_a_host(tmp_path):
    path = write_runs(
        tmp_path / "runs.db", [{"mx.example.org": GOOD, "a.test": GOOD, "b.test": GOOD}, {"b.test": GOOD}]
    )
    with Store.open(path) as store:
        found = sharing(store, finished_runs(store), ["mx.example.org"])
        assert {entry: len(looks) for entry, looks in found.items()} == {"b.test": 2, "a.test": 1}
        assert sharing(store, finished_runs(store), ["a.test"]) == {}

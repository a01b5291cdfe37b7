"""Short notes beside the runs."""

import pytest

from audits.store import Store
from tests.stored_samples import store_place


@pytest.fixture
def store(tmp_path):
    with Store.open(store_place(tmp_path), writing=True) as opened:
        yield opened


def test_of_each_key_the_latest_is_kept(store):
    assert store.remembered("told") is None
    store.remember("told", "one")
    store.remember("other", "x")
    store.remember("told", "two")
    assert (store.remembered("told"), store.remembered("other")) == ("two", "x")


def test_a_note_does_not_hide_the_version_of_the_store(store):
    store.remember("schema", "999")
    assert store.runs() == ()
    assert store.remembered("schema") == "999"


def test_notes_of_one_kind_are_found_together(store):
    for key in ("told a", "told b", "t_ld c", "other"):
        store.remember(key, key.upper())
    assert store.all_remembered("told ") == {"told a": "TOLD A", "told b": "TOLD B"}
    assert store.all_remembered("t_ld") == {"t_ld c": "T_LD C"}, "no pattern"

"""The demo history as frames: documented dtypes everywhere, and the events of the fortnight in them."""

import pytest

from audits.frames import FRAMES, all_frames, open_history
from audits.store import NoSuchRunError, Store, StoreError
from tests import stored_samples as samples
from tests.demo_history import demo_history
from tests.environments import ROOT


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    with open_history(demo_history(tmp_path_factory)) as opened:
        yield opened


def test_every_frame_has_the_documented_columns_and_dtypes(history):
    for name, frame in all_frames(history, "latest"):
        documented = {column.name: column.dtype for column in FRAMES[name].columns}
        assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == documented, name
        assert len(frame) > 0, name


def test_words_of_categories_are_the_documented_ones(history):
    for name, frame in all_frames(history, "latest"):
        for column in FRAMES[name].columns:
            if column.words:
                assert tuple(frame[column.name].cat.categories) == column.words, (name, column.name)


def test_runs_are_chosen_by_word_by_name_and_by_list(history):
    names = list(history.runs()["run"])
    assert len(names) == 14
    assert [run.name for run in history.chosen("latest")] == names[-1:]
    assert [run.name for run in history.chosen("all")] == names
    assert [run.name for run in history.chosen(names[3])] == [names[3]]
    assert [run.name for run in history.chosen(names[:2])] == names[:2]
    with pytest.raises(NoSuchRunError, match="tlsaudit runs"):
        history.grades("yesterday")


def test_grades_are_those_of_the_domains(history):
    grades, domains = history.grades("all"), history.domains("all")
    same = ["run", "domain", "grade", "required"]
    assert grades[same].equals(domains[same])
    assert grades["required"].notna().any()


def test_a_throttled_night_is_inconclusive_and_no_change(history):
    names = list(history.runs()["run"])
    throttled = history.domains(names[11])
    of_harbour = throttled[throttled["operator"] == "harbour.example"]
    assert set(of_harbour["grade"]) == {"INCONCLUSIVE"}
    assert "grade-down" not in set(history.changes(names[11])["kind"])
    after = history.changes(names[12])
    assert not set(after["domain"]) & set(of_harbour["domain"])


def test_changes_name_both_runs_and_the_first_run_has_none(history):
    names = list(history.runs()["run"])
    assert len(history.changes(names[0])) == 0
    broken = history.changes(names[7])
    assert set(broken["before_run"]) == {names[6]}
    assert (broken["kind"] == "dane-broken").sum() == 40


def test_unfinished_runs_are_shown_but_not_among_all(tmp_path):
    place = samples.store_place(tmp_path)
    with Store.open(place, writing=True) as store:
        store.begin_run(samples.start(), samples.entries(2))
    with open_history(place) as history:
        assert list(history.runs()["status"]) == ["unfinished"]
        assert len(history.grades("all")) == 0
        with pytest.raises(NoSuchRunError, match="no finished run"):
            history.grades()


def test_a_store_that_is_not_there_says_what_to_do(tmp_path):
    with pytest.raises(StoreError, match="tlsaudit scan"):
        open_history(tmp_path / "none.db")


def test_one_module_alone_imports_pandas():
    """import-linter walls the package; within it the rows stay plain Python, testable without pandas."""
    users = [f.name for f in (ROOT / "audits").rglob("*.py") if "\nimport pandas" in f.read_text()]
    assert users == ["table.py"]

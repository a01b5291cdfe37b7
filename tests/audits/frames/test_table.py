"""Rows become frames with the documented dtypes, whatever is in them."""

from datetime import UTC, datetime, timedelta

import pytest

from audits.frames import table as tables
from audits.frames.columns import DTYPES, FRAMES, Column, Frame, Kind
from audits.frames.table import joined, table, table_of_columns

NIGHT = datetime(2026, 11, 21, 6, 30, 0, 123456, tzinfo=UTC)
FRAME = Frame(
    "some",
    "A row.",
    (
        Column("run", Kind.RUN, "Run."),
        Column("text", Kind.TEXT, "Text."),
        Column("word", Kind.WORD, "Word.", ("low", "high")),
        Column("number", Kind.NUMBER, "Number."),
        Column("time", Kind.TIME, "Time."),
        Column("answer", Kind.YES_NO, "Answer."),
    ),
)
ROW = {"run": "b", "text": "x\x00\xe9<b>", "word": "high", "number": 3, "time": NIGHT, "answer": False}
EMPTY = {"run": "a", "text": "", "word": None, "number": None, "time": None, "answer": None}


def dtypes(frame):
    return [str(dtype) for dtype in frame.dtypes]


def test_values_and_empty_cells():
    frame = table(FRAME, [ROW, EMPTY], ["a", "b", "c"])
    assert dtypes(frame) == [DTYPES[column.kind] for column in FRAME.columns]
    assert frame.iloc[0].to_dict() == ROW
    assert frame.iloc[1].isna().to_list() == [False, True, True, True, True, True]
    assert list(frame["run"].cat.categories) == ["a", "b", "c"]
    assert frame["run"].min() == "a"
    assert list(frame["word"].cat.categories) == ["low", "high"]


def test_times_of_other_zones_become_utc():
    local = NIGHT.astimezone(tz=None) if NIGHT.astimezone(tz=None).utcoffset() else NIGHT
    frame = table(FRAME, [ROW | {"time": local}, ROW | {"time": datetime.max.replace(tzinfo=UTC)}], ["b"])
    assert frame["time"][0] == NIGHT
    assert frame["time"][1].year == 9999


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_without_rows_has_its_columns_and_dtypes(name):
    frame = table(FRAMES[name], [], ["a"])
    assert list(frame.columns) == [column.name for column in FRAMES[name].columns]
    assert dtypes(frame) == [column.dtype for column in FRAMES[name].columns]
    assert len(joined(FRAMES[name], [])) == 0


def test_parts_are_joined_in_order_and_keep_their_dtypes(monkeypatch):
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 3)
    rows = [ROW | {"number": n, "time": NIGHT + timedelta(n)} for n in range(8)]
    frame = table(FRAME, rows, ["a", "b"])
    assert list(frame["number"]) == list(range(8))
    assert list(frame.index) == list(range(8))
    assert dtypes(frame) == [DTYPES[column.kind] for column in FRAME.columns]


def test_an_unknown_word_is_our_bug_and_no_empty_cell():
    with pytest.raises(ValueError, match="column word does not know odd"):
        table(FRAME, [ROW | {"word": "odd"}], ["b"])


def test_whole_columns_give_the_same_frame():
    columns = {name: [ROW[name], EMPTY[name]] for name in ROW}
    assert table_of_columns(FRAME, columns, ["a", "b"]).equals(table(FRAME, [ROW, EMPTY], ["a", "b"]))

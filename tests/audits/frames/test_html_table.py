"""Tables for notebooks: a stranger's words are words, an empty cell is blank."""

from datetime import UTC, datetime

from audits.frames.columns import FRAMES, Column, Frame, Kind
from audits.frames.html_table import html_table
from audits.frames.table import table

FRAME = Frame(
    "some",
    "A row.",
    (
        Column("some_text", Kind.TEXT, "T."),
        Column("number", Kind.NUMBER, "N."),
        Column("time", Kind.TIME, "T."),
        Column("answer", Kind.YES_NO, "A."),
    ),
)
AT = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)


def page(*rows):
    names = [column.name for column in FRAME.columns]
    return html_table(table(FRAME, [dict(zip(names, row, strict=True)) for row in rows]))


def test_values_as_people_read_them():
    shown = page(("two\nlines", 3, AT, True), ("", None, None, False))
    assert "<th>some text</th>" in shown
    assert "<tr><td>two<br>lines</td><td>3</td><td>2026-11-21 06:30</td><td>yes</td></tr>" in shown
    assert "<tr><td></td><td></td><td></td><td>no</td></tr>" in shown


def test_hostile_words_are_words():
    hostile = "<script>alert(1)</script>\x1b[2J\u202e\"'&"
    shown = page((hostile, 1, None, None))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J\\u202e&quot;&#x27;&amp;" in shown
    assert "<script" not in shown
    column = html_table(table(FRAME, []).rename(columns={"some_text": "<b>"}))
    assert "<th>&lt;b&gt;</th>" in column


def test_long_words_are_cut_by_us_and_not_at_fifty():
    shown = page(("x" * 200, 1, None, None), ("y" * 1000, 1, None, None))
    assert "x" * 200 in shown
    assert "y" * 299 + "…" in shown


def test_a_frame_without_rows_shows_its_columns():
    assert html_table(table(FRAMES["grades"], [])).count("<th>") == 4


def test_a_row_turned_into_a_column_of_several_kinds():
    frame = table(FRAME, [{"some_text": "x", "number": 3, "time": AT, "answer": False}])
    turned = frame.iloc[0].rename("value").rename_axis("fact").reset_index()
    shown = html_table(turned)
    assert "<td>answer</td><td>no</td>" in shown
    assert "<td>time</td><td>2026-11-21 06:30</td>" in shown

"""A frame as an HTML table for notebooks: foreign text escaped, control characters shown, long cells cut."""

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scanner.domain_name import printable

if TYPE_CHECKING:
    from pandas import DataFrame

CELL = 300
"""Characters of a line in a cell; the frame itself has all. pandas' own tables cut at 50, and show control characters
as they are."""


def html_table(frame: "DataFrame", cell: int = CELL) -> str:
    """The table without its index; empty cells are blank, times are shown to the minute in UTC."""
    columns = [
        [_words(value, cell) for value in frame[name].astype(object).where(frame[name].notna(), None)]
        for name in frame.columns
    ]
    head = _row("th", (printable(str(name)).replace("_", " ") for name in frame.columns))
    body = "\n".join(_row("td", row) for row in zip(*columns, strict=True))
    return f"<table>\n<thead>\n{head}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_escaped(text)}</{tag}>" for text in cells) + "</tr>"


def _escaped(text: str) -> str:
    return "<br>".join(html.escape(line) for line in text.split("\n"))


def _words(value: Any, cell: int) -> str:
    if value is None:
        return ""
    if hasattr(value, "dtype"):
        value = value.item()  # numpy's own values, in a column of several kinds
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d %H:%M"))
    return "\n".join(printable(line, cell) for line in str(value).split("\n"))

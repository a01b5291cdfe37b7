"""The geometry of a report's pictures: numbers in, rectangles and labels out. The template draws them as SVG."""

from collections.abc import Mapping, Sequence

import msgspec

WIDTH = 560
ROW, BAR, LABEL = 26, 18, 190
"""Heights of a row and its bar, and the width left for the labels."""
_NUMBER = 76
"""Width left behind the bars for the numbers."""


class Part(msgspec.Struct, frozen=True):
    """One rectangle: its place, its colour class, and what it stands for (shown when pointed at)."""

    x: float
    width: float
    kind: str
    title: str


class Bar(msgspec.Struct, frozen=True):
    """One row of a picture."""

    y: int
    label: str
    parts: tuple[Part, ...]
    number: str
    number_x: float


OPEN = "f-open"


class Picture(msgspec.Struct, frozen=True):
    """A picture with its size; `title` says what is to be seen."""

    title: str
    height: int
    bars: tuple[Bar, ...]
    width: int = WIDTH


def bars(title: str, rows: Sequence[tuple[str, str, int]]) -> Picture:
    """Simple bars: (label, colour class, number), to the scale of the largest."""
    most = max((number for _, _, number in rows), default=0) or 1
    space = WIDTH - LABEL - _NUMBER
    drawn = []
    for place, (label, kind, number) in enumerate(rows):
        width = round(space * number / most, 1)
        part = Part(LABEL, width, kind, f"{label}: {number}")
        drawn.append(Bar(place * ROW, label, (part,), str(number), LABEL + width + 6))
    return Picture(title, len(rows) * ROW, tuple(drawn))


def stacked(title: str, rows: Mapping[str, Sequence[tuple[str, str, int]]]) -> Picture:
    """Rows of shares: label -> (name, colour class, number) in the order in which they are drawn.

    A share of the class `OPEN` is what is not known.
    """
    space = WIDTH - LABEL - _NUMBER
    drawn = []
    for place, (label, shares) in enumerate(rows.items()):
        total = sum(number for _, _, number in shares) or 1
        x: float = LABEL
        parts = []
        for name, kind, number in shares:
            width = space * number / total
            if number:
                parts.append(Part(round(x, 1), round(width, 1), kind, f"{label}, {name}: {number} of {total}"))
            x += width
        drawn.append(Bar(place * ROW, label, tuple(parts), _share_words(shares), LABEL + space + 6))
    return Picture(title, len(drawn) * ROW, tuple(drawn))


def _share_words(shares: Sequence[tuple[str, str, int]]) -> str:
    """The first share in per cent: from what is known, to what it could be with all that is not; "?" for nothing."""
    total = sum(number for _, _, number in shares)
    unknown = sum(number for _, kind, number in shares if kind == OPEN)
    if total == unknown:
        return "?"
    least, most = (f"{100 * number / total:.0f}" for number in (shares[0][2], shares[0][2] + unknown))
    return f"{least} %" if least == most else f"{least}–{most} %"


class Column(msgspec.Struct, frozen=True):
    """One column of a calendar."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
    tick: str = ""


class Columns(msgspec.Struct, frozen=True):
    """A picture of columns."""

    title: str
    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = 130
    floor: int = 100


def columns(title: str, cells: Sequence[tuple[str, str, str, int]]) -> Columns:
    """Columns: (tick below or "", title, colour class, number), to the scale of the largest."""
    most = max((number for *_, number in cells), default=0) or 1
    step = WIDTH / max(1, len(cells))
    drawn = []
    for place, (tick, words, kind, number) in enumerate(cells):
        height = round(84 * number / most, 1)
        shown = max(height, 2) if number else 0
        drawn.append(Column(round(place * step + 1, 1), 100 - shown, round(step - 2, 1), shown, kind, words, tick))
    return Columns(title, tuple(drawn))

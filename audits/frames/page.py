"""FRAMES.md: what every frame and column means, drawn from `columns` and never written by hand."""

from collections.abc import Iterator

from audits.frames.columns import FRAMES, Column, Frame

HEAD = """\
# Frames

Drawn by `python -m audits.frames.page > FRAMES.md`; a test compares them. Python reads a store as DataFrames, and
`tlsaudit export RUN --parquet DIR` writes the same as files, one for each frame (`pipx install 'tlsaudit[frames]'`).

    from audits import frames
    with frames.open_history("tlsaudit.db") as history:
        tonight = history.domains()                # the newest finished run
        grades = history.grades("all")             # every finished run
        one = history.changes("2026-11-14T02-30-00")

An empty cell says that there is no such thing. What was asked and not answered has a word of its own, "inconclusive" or
"unknown". Times are UTC. Categories know all their words; those that name a run are ordered by time. Text may be a
stranger's: DataFrames are shown escaped in notebooks, and whoever writes CSV for spreadsheets has to disarm formulas.
"""


def frames_markdown() -> str:
    """FRAMES.md."""
    return "\n".join([HEAD, *(line for frame in FRAMES.values() for line in _frame_lines(frame))])


def _frame_lines(frame: Frame) -> Iterator[str]:
    yield from (f"## {frame.name}", "", frame.row, "", "| column | dtype | meaning |", "| --- | --- | --- |")
    for column in frame.columns:
        yield f"| `{column.name}` | {column.dtype} | {_meaning(column)} |"
    yield ""


def _meaning(column: Column) -> str:
    words = f" One of: {', '.join(column.words)}." if column.words else ""
    return (column.meaning + words).replace("|", "\\|")


if __name__ == "__main__":
    print(frames_markdown(), end="")

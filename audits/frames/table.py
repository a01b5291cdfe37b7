"""Rows become a DataFrame with the documented dtypes. The one module that imports pandas."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pandas as pd

from audits.frames.columns import Column, Frame, Kind

ROWS_AT_ONCE = 20_000
"""Rows that wait as Python values; pandas keeps them in a tenth of the memory."""

Row = Mapping[str, Any]


def table(frame: Frame, rows: Iterable[Row], runs: Sequence[str] = ()) -> pd.DataFrame:
    """The frame of these rows; `runs` are the names of all runs of the store, oldest first."""
    parts = [_part(frame, _columns(frame, part), runs) for part in _in_parts(rows)]
    return pd.concat(parts, ignore_index=True) if parts else _part(frame, _columns(frame, []), runs)


def table_of_columns(frame: Frame, columns: Mapping[str, Sequence[Any]], runs: Sequence[str] = ()) -> pd.DataFrame:
    """The frame of whole columns, for what is read as columns."""
    return _part(frame, columns, runs)


def joined(frame: Frame, tables: Sequence[pd.DataFrame], runs: Sequence[str] = ()) -> pd.DataFrame:
    """Tables of the same frame below each other."""
    return pd.concat(tables, ignore_index=True) if tables else table(frame, (), runs)


def _in_parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while part := list(islice(waiting, ROWS_AT_ONCE)):
        yield part


def _columns(frame: Frame, rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {column.name: [row[column.name] for row in rows] for column in frame.columns}


def _part(frame: Frame, columns: Mapping[str, Sequence[Any]], runs: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({column.name: _series(column, columns[column.name], runs) for column in frame.columns})


def _series(column: Column, values: Sequence[Any], runs: Sequence[str]) -> pd.Series:
    """One column. Empty text is an empty cell, as there is no difference to whoever reads it."""
    match column.kind:
        case Kind.WORD:
            # pandas would make an unknown word an empty cell, and an empty cell means something else here.
            strange = {str(value) for value in set(values) if value} - set(column.words)
            if strange:
                raise ValueError(f"column {column.name} does not know {', '.join(sorted(strange))}")
            return pd.Series(pd.Categorical([value or None for value in values], list(column.words)))
        case Kind.RUN:
            return pd.Series(pd.Categorical([value or None for value in values], list(runs), ordered=True))
        case Kind.TEXT:
            return pd.Series([value or None for value in values], dtype=column.dtype)
        case _:
            return pd.Series(values, dtype=column.dtype)

"""The benchmark of the diff works: a small run of it tells what there is to tell."""

import msgspec

from audits.store import DomainResult
from tests.audits.diff.looks import certificate, look, one
from tests.bench.run_diff import COLUMNS, SHARES, rows

DOMAINS = 100


def shape() -> DomainResult:
    seen = look(0, one(leaf=certificate()))
    return DomainResult(1, seen.facts, seen.record.grade.value, msgspec.json.encode(seen.record))


def test_each_share_is_told(tmp_path):
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows(tmp_path / "x.db", shape(), DOMAINS)]
    assert [row[1] for row in cells] == list(SHARES)
    assert [int(row[COLUMNS.index("changes told")]) for row in cells] == [0, 3, 100]
    assert all(len(row) == len(COLUMNS) for row in cells)
    assert all(30 < int(row[COLUMNS.index("peak MB")]) < 300 for row in cells)

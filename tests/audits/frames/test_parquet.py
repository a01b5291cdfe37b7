"""Parquet: what is read back is what was written, and a folder is whole or not there."""

import resource

import pandas as pd
import pytest

from audits.frames.columns import FRAMES
from audits.frames.parquet import FILES, write_parquet
from audits.frames.table import table
from audits.output import OutputError, OutputLostError

ROWS = [
    {"run": "a", "domain": "x\x00\xe9\u202e.example", "grade": "MUST", "required": None},
    {"run": "b", "domain": "=1+1", "grade": "INCONCLUSIVE", "required": "MAY"},
]


def grades():
    return table(FRAMES["grades"], ROWS, ["a", "b"])


def test_every_value_and_dtype_comes_back(tmp_path):
    assert write_parquet(tmp_path / "out", [("grades", grades())]) == {"grades": 2}
    read = pd.read_parquet(tmp_path / "out" / "grades.parquet")
    assert read["domain"].to_list() == [row["domain"] for row in ROWS]
    assert read["grade"].astype(str).to_list() == ["MUST", "INCONCLUSIVE"]
    assert read["required"].isna().to_list() == [True, False]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", FRAMES)
def test_frames_without_rows_keep_their_schema(name, tmp_path):
    empty = table(FRAMES[name], [], ["a"])
    write_parquet(tmp_path / "out", [(name, empty)])
    read = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
    assert list(read.columns) == [column.name for column in FRAMES[name].columns]
    times = [column.name for column in FRAMES[name].columns if column.dtype.startswith("datetime")]
    assert all(str(read[name].dtype) == "datetime64[us, UTC]" for name in times)


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    write_parquet(tmp_path / "out", [("grades", grades())])
    before = (tmp_path / "out" / "grades.parquet").read_bytes()
    with pytest.raises(OutputError, match="--force"):
        write_parquet(tmp_path / "out", [("grades", grades()[:1])])
    assert (tmp_path / "out" / "grades.parquet").read_bytes() == before
    write_parquet(tmp_path / "out", [("grades", grades()[:1])], replace=True)
    assert len(pd.read_parquet(tmp_path / "out" / "grades.parquet")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_force_never_removes_what_is_no_export(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother.txt").write_text("dear")
    with pytest.raises(OutputError, match=r"to-mother.txt is none"):
        write_parquet(tmp_path / "letters", [("grades", grades())], replace=True)
    assert (tmp_path / "letters" / "to-mother.txt").read_text() == "dear"
    with pytest.raises(OutputError, match="this is a file"):
        write_parquet(tmp_path / "letters" / "to-mother.txt", [], replace=True)


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        write_parquet(tmp_path / "none" / "out", [("grades", grades())])


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    """A limit on the size of files stands for the disk; the kernel then answers EFBIG instead of ENOSPC."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OutputLostError, match="cannot be written"):
            write_parquet(tmp_path / "out", [("grades", grades())])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_files_are_named_after_frames():
    assert {f"{name}.parquet" for name in FRAMES} == FILES

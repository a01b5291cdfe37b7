"""The documentation of the frames: complete, unambiguous, and as wide as what is seen."""

import msgspec

from audits.diff import Change
from audits.findings import Finding
from audits.frames.columns import DTYPES, FRAMES, VERSION_COLUMNS, Kind
from audits.frames.history import FRAME_OF
from audits.records import VERSIONS


def test_every_column_says_what_it_means():
    for frame in FRAMES.values():
        names = [column.name for column in frame.columns]
        assert len(names) == len(set(names))
        assert all(column.meaning.endswith(".") and column.meaning[0].isupper() for column in frame.columns)
        assert all(name.isidentifier() and name == name.lower() for name in names)
        assert frame.row.endswith(".")


def test_every_frame_can_be_read_and_begins_with_its_run():
    assert list(FRAMES) == list(FRAME_OF)
    assert all(frame.columns[0].name == "run" for frame in FRAMES.values())


def test_words_belong_to_word_columns_alone():
    for frame in FRAMES.values():
        assert all(bool(column.words) == (column.kind is Kind.WORD) for column in frame.columns)
    assert set(DTYPES) == set(Kind)


def test_versions_are_those_of_the_records():
    assert {version for version in VERSIONS if version != "SSLv2"} == set(VERSION_COLUMNS)
    columns = {column.name for column in FRAMES["endpoints"].columns}
    assert set(VERSION_COLUMNS.values()) <= columns


def test_no_field_of_a_finding_or_change_is_lost():
    findings = {column.name for column in FRAMES["findings"].columns}
    changes = {column.name for column in FRAMES["changes"].columns}
    assert set(Finding.__struct_fields__) - findings == {"confidence", "result_type"}
    assert set(msgspec.structs.asdict(Change(domain="a", kind="grade-up", severity="notice"))) <= changes  # type: ignore[arg-type]

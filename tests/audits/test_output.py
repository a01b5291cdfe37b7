"""Where records go: streams that harm neither terminal nor spreadsheet, files that are whole or absent."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.output import COLUMNS, OutputError, OutputLostError, Tally, csv_writer, jsonl_writer, opened_output
from audits.records import DomainRecord
from scanner.facts import Level
from tests.audits.sample_records import (
    EXPIRED,
    HOSTILE,
    OBEYED,
    PLAIN,
    UNREACHABLE,
    hostile_record,
    named,
    record,
)

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def written(writer, *records: DomainRecord) -> str:
    stream = io.StringIO(newline="")
    writer(stream)(records)
    return stream.getvalue()


def rows(*records: DomainRecord) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(csv_writer, *records), newline="")))


# --- CSV -----------------------------------------------------------------------------------------------------------


def test_csv_has_a_row_for_each_record():
    must, plain = rows(record(required=Level.MUST), PLAIN)
    assert tuple(must) == COLUMNS
    assert (must["grade"], must["sustained"]) == ("MUST", "NONE MAY MUST_NOPEERMATCH MUST")
    assert (must["required"], must["compliant"], must["reason"]) == ("MUST", "true", "")
    assert (must["asked"], must["answered"], must["expires"]) == ("1", "1", "2026-11-21")
    assert (plain["grade"], plain["reason"]) == ("MAY", "starttls-not-supported")
    assert (plain["mx_host"], plain["address"], plain["port"]) == ("mx.example.org", "192.0.2.1", "25")
    assert (plain["compliant"], plain["expires"]) == ("", "")


def test_hostile_words_are_neither_formula_nor_command():
    text = written(csv_writer, hostile_record())
    assert not set(text) - {"\r"} & set(OBEYED)
    assert text.count("\n") == 2, "a header and one row; no line end comes from a server"
    (row,) = rows(hostile_record())
    assert not [cell for cell in row.values() if cell.startswith(FORMULAS)]
    assert row["mx_host"].startswith("'=cmd|")
    assert "calc" in row["detail"], "what was said can still be read"


@given(st.text(st.sampled_from("=+-@＝＋－＠\t\r\n '\"\x00\x1b\x9b;,|a"), max_size=12))
def test_no_text_begins_a_formula(text):
    (row,) = rows(msgspec.structs.replace(record(), domain=text, domain_unicode=text))
    for cell in (row["domain"], row["domain_unicode"]):
        assert not cell.lstrip(" ").startswith(FORMULAS)
        assert cell.isprintable()


def test_ordinary_names_stay_as_they_are():
    (row,) = rows(msgspec.structs.replace(record(), domain="xn--bcher-kva.example", domain_unicode="bücher.example"))
    assert (row["domain"], row["domain_unicode"]) == ("xn--bcher-kva.example", "bücher.example")


def test_a_reply_of_any_length_fits_a_cell():
    binding = msgspec.structs.replace(PLAIN.binding, detail="x" * 100_000)
    (row,) = rows(msgspec.structs.replace(PLAIN, binding=binding))
    assert 1000 < len(row["detail"]) < 32_767, "a spreadsheet takes no longer cell"


# --- JSON lines ----------------------------------------------------------------------------------------------------


def test_json_lines_are_the_records():
    given = [record(), PLAIN, EXPIRED]
    lines = written(jsonl_writer, *given).splitlines()
    assert [msgspec.json.decode(line, type=DomainRecord) for line in lines] == given


def test_hostile_words_stay_in_their_line_and_do_nothing():
    text = written(jsonl_writer, hostile_record())
    assert text.count("\n") == 1
    assert not set(text) & set(OBEYED)
    assert json.loads(text)["domain"] == HOSTILE


# --- losses --------------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_is_told_in_a_sentence():
    """In a process of its own, because the end of Python must stay silent too."""
    script = (
        "import sys, signal; from audits.output import *; from tests.audits.sample_records import record\n"
        "write = jsonl_writer(sys.stdout)\n"
        "try:\n"
        "    while True: write([record()])\n"
        "except OutputLostError as error: print(error, file=sys.stderr)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as process:
        assert process.stdout.readline().startswith("{")
        process.stdout.close()
        assert process.stderr.read() == "the reader of the results has gone; what is done is stored\n"
        assert process.wait(20) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full (Linux)")
@pytest.mark.parametrize("writer", [jsonl_writer, csv_writer])
def test_a_full_disk_is_told_in_a_sentence(writer):
    refused = pytest.raises(OutputLostError, match="No space left on device")
    with Path("/dev/full").open("w", newline="") as stream, refused:
        writer(stream)([record()])


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with opened_output(path) as stream:
        stream.write("new")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_a_file_that_is_not_whole_leaves_the_old_one(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def interrupted() -> None:
        with opened_output(path) as stream:
            stream.write("new")
            raise SystemExit(130)

    with pytest.raises(SystemExit):
        interrupted()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        with opened_output(tmp_path / "out.csv"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real" / "out.csv")
    with opened_output(tmp_path / "link.csv") as stream:
        stream.write("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real" / "out.csv").read_text() == "new"


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    """As root, a device that were replaced by a file would be lost to the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with opened_output(pipe) as stream:
        stream.write("new")
    assert os.read(reader, 100) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_no_folder_is_told_in_a_sentence(tmp_path):
    with pytest.raises(OutputError, match=r"none/out.csv: No such file"), opened_output(tmp_path / "none" / "out.csv"):
        pass


def test_without_a_path_it_is_standard_output(capsys):
    with opened_output(None) as stream:
        stream.write("here")
    assert capsys.readouterr().out == "here"


# --- what the exit code rests on -----------------------------------------------------------------------------------


def test_the_tally_counts_what_is_open_and_missed():
    tally = Tally()
    assert tally.open_share == 0
    tally.take(
        [record(required=Level.MUST), UNREACHABLE, named("a.example"), record(trusted=False, required=Level.MUST)]
    )
    assert (tally.missed, tally.open, tally.open_share) == (1, 1, 0.25)
    left_alone = msgspec.structs.replace(UNREACHABLE.binding, reason="not-asked")
    tally.take([msgspec.structs.replace(UNREACHABLE, binding=left_alone)])
    assert tally.open == 1, "what we chose not to ask is not unanswered"
    assert tally.grades.total() == 5

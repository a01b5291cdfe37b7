"""Writing an evidence pack: whole or not at all, and sha256sum accepts it."""

import subprocess

import msgspec
import pytest

from audits.evidence.write import write_pack
from audits.json_text import json_text
from audits.output import OutputError
from tests.audits.evidence.pack_factory import NOW, filled_store, pack
from tests.audits.reports.report_factory import world
from tests.real_programs import program


def test_sha256sum_accepts_it_and_it_names_its_origin(tmp_path):
    folder = pack(tmp_path)
    done = subprocess.run([program("sha256sum", "coreutils"), "-c", "SHA256SUMS"], cwd=folder, check=False)
    assert done.returncode == 0
    run = msgspec.json.decode((folder / "run.json").read_bytes())
    assert (run["options"], run["domains"], run["trust_digest"]) == ({"depth": "full"}, 3, world()[0].digest)
    assert "judge --evidence" in (folder / "README.txt").read_text()
    assert b"BEGIN CERTIFICATE" in (folder / "trust.pem").read_bytes()
    assert len((folder / "facts/endpoints.jsonl").read_text().splitlines()) == 2


def test_the_same_run_gives_the_same_bytes(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first, second = pack(tmp_path / "one"), pack(tmp_path / "two")
    assert (first / "SHA256SUMS").read_text() == (second / "SHA256SUMS").read_text()


def test_records_stand_there_as_judge_writes_them(tmp_path):
    store, run = filled_store(tmp_path / "s.db")
    hidden = '{"grade":"MUST","why":"\u202e\u009b"}'.encode()
    with store:
        result = msgspec.structs.replace(next(iter(store.domains(run.id))), judgement=hidden)
        store.save(run.id, [result])
        write_pack(store, run, world()[0], tmp_path / "pack", NOW)
    first = (tmp_path / "pack/records.jsonl").read_text().splitlines()[0]
    assert first == json_text(hidden)
    assert first.isprintable()


def test_nothing_is_overwritten(tmp_path):
    store, run = filled_store(tmp_path / "s.db")
    (tmp_path / "pack").mkdir()
    with store, pytest.raises(OutputError, match="exists already"):
        write_pack(store, run, world()[0], tmp_path / "pack", NOW)


def test_a_pack_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch):
    store, run = filled_store(tmp_path / "s.db")
    (tmp_path / "out").mkdir()

    def lost(_run):
        raise OSError("the disk has gone")

    monkeypatch.setattr(store, "endpoints", lost)
    with store, pytest.raises(OSError, match="disk"):
        write_pack(store, run, world()[0], tmp_path / "out" / "pack", NOW)
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_that_is_not_there_is_told(tmp_path):
    store, run = filled_store(tmp_path / "s.db")
    with store, pytest.raises(OutputError, match="No such file"):
        write_pack(store, run, world()[0], tmp_path / "none" / "pack", NOW)

"""`tlsaudit export` as people run it."""

import pytest
from click.testing import CliRunner

from audits.baseline import shipped
from audits.cli import cli
from audits.export_command import OTHER_ANCHORS
from audits.trust import TrustStore
from tests.audits.evidence.pack_factory import filled_store
from tests.audits.reports.report_factory import world
from tests.certificate_factory import root


def run(*words):
    return CliRunner().invoke(cli, [*words])


@pytest.fixture
def store(tmp_path):
    opened, _ = filled_store(tmp_path / "s.db")
    opened.close()
    return str(tmp_path / "s.db")


def test_a_pack_is_judged_as_its_store_is(store, tmp_path):
    folder = tmp_path / "pack"
    result = run("export", "latest", "--store", store, "--evidence", str(folder))
    assert result.exit_code == 0, result.output
    assert "3 domains" in result.output
    assert OTHER_ANCHORS in result.output
    words = ("judge", "latest", "--baseline", "mozilla-intermediate", "--format", "findings")
    packed, stored = run(*words, "--evidence", str(folder)), run(*words, "--store", store)
    assert packed.exit_code == 0
    assert packed.stdout == stored.stdout
    assert "MOZ-INTER" in packed.stdout


def test_the_run_s_own_anchors_give_the_same_bytes_and_others_promise_none(store, tmp_path):
    own = tmp_path / "own.pem"
    own.write_bytes(world()[0].pem())
    other = tmp_path / "other.pem"
    other.write_bytes(TrustStore([root("Another CA").der]).pem())
    for cafile, same in ((own, True), (other, False)):
        folder = tmp_path / cafile.stem
        given = ("--no-system-trust", "--cafile", str(cafile))
        packed = run("export", "--store", store, "--evidence", str(folder), *given)
        assert packed.exit_code == 0, packed.output
        assert (OTHER_ANCHORS in packed.stderr) is not same
        assert ("trust.pem does not hold the trust anchors of the run" in (folder / "README.txt").read_text()) != same
        assert ("the bytes of records.jsonl" in (folder / "README.txt").read_text()) is same
        packs = ("--no-system-trust", "--cafile", str(folder / "trust.pem"))
        asked = [word for id in shipped() for word in ("--baseline", id)]
        judged = run("judge", "--evidence", str(folder), *packs, *asked, "--format", "jsonl")
        assert (judged.stdout == (folder / "records.jsonl").read_text()) is same


def test_wrong_use_is_told(store, tmp_path):
    assert "say what to write" in run("export", "--store", store).output
    again = run("export", "--store", store, "--evidence", str(tmp_path))
    assert (again.exit_code, "exists already" in again.output) == (2, True)
    none = run("export", "norun", "--store", store, "--evidence", str(tmp_path / "p"))
    assert none.exit_code == 2
    (tmp_path / "empty").mkdir()
    empty = run("judge", "--evidence", str(tmp_path / "empty"))
    assert (empty.exit_code, "no evidence pack" in empty.output) == (2, True)

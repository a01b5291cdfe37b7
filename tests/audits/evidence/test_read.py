"""Reading an evidence pack: it comes back as the run it was, and is judged to the same bytes."""

import re

import msgspec
import pytest

from audits.baseline import shipped, shipped_baseline
from audits.evaluate import Evaluator
from audits.evidence.manifest import MANIFEST, EvidenceError, sign
from audits.evidence.read import check_pack, load_pack
from audits.judge import Judge
from audits.reports.judged import judged_domains
from audits.store import Store
from tests.audits.evidence.pack_factory import filled_store, pack
from tests.audits.reports.report_factory import world


def findings(store, run) -> bytes:
    judge = Judge(world()[0], 9, None, Evaluator([shipped_baseline(id) for id in shipped()]))
    return msgspec.json.encode([domain.record for domain in judged_domains(store, run, judge)])


def test_it_is_judged_to_the_same_bytes(tmp_path):
    store, run = filled_store(tmp_path / "other.db")
    with store:
        wanted, stored = findings(store, run.id), [*judged_domains(store, run.id)]
    with Store.open(tmp_path / "new.db", writing=True) as new:
        info = load_pack(pack(tmp_path), new)
        assert findings(new, info.id) == wanted
        assert [*judged_domains(new, info.id)] == stored
        assert (info.started, info.options, info.done) == (run.started, run.options, run.done)


@pytest.mark.parametrize("name", ["run.json", "facts/domains.jsonl", "records.jsonl", "trust.pem", "README.txt"])
def test_a_changed_file_is_named(tmp_path, name):
    folder = pack(tmp_path)
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(EvidenceError, match=name + " is not what it was"):
        check_pack(folder)


def test_missing_and_foreign_files_are_named(tmp_path):
    folder = pack(tmp_path)
    (folder / "extra").write_text("x")
    with pytest.raises(EvidenceError, match="extra is not in the manifest"):
        check_pack(folder)
    (folder / "extra").unlink()
    (folder / "trust.pem").unlink()
    with pytest.raises(EvidenceError, match=r"trust\.pem is missing"):
        check_pack(folder)


def test_a_newly_signed_pack_with_a_wrong_certificate_is_refused(tmp_path):
    folder = pack(tmp_path)
    der = next((folder / "certificates").iterdir())
    der.write_bytes(b"other")
    sign(folder)
    with Store.open(tmp_path / "new.db", writing=True) as new, pytest.raises(EvidenceError, match="is not its name"):
        load_pack(folder, new)


@pytest.mark.parametrize("content", ["", "nonsense\n"])
def test_lines_that_are_no_facts_are_told_with_their_number(tmp_path, content):
    folder = pack(tmp_path)
    (folder / "facts/domains.jsonl").write_text(content or "{}\n")
    sign(folder)
    with Store.open(tmp_path / "new.db", writing=True) as new, pytest.raises(EvidenceError, match=r"domains\.jsonl:1"):
        load_pack(folder, new)


def first_line_again(folder):
    for name in ("facts/domains.jsonl", "records.jsonl"):
        with (folder / name).open("r+") as file:
            line = file.readline()
            file.seek(0, 2)
            file.write(line)


@pytest.mark.parametrize("name", ["run.json", "facts/domains.jsonl", "facts/certificates.jsonl", "records.jsonl"])
def test_json_without_end_and_hostile_words_are_told_in_one_line(tmp_path, name):
    folder = pack(tmp_path)
    for text in (
        '{"target":' * 100_000,
        '{"format":1,"grade":"x","status":"\\u001b[31m","route":{"status":"\\u001b[31m"}}\n',
    ):
        (folder / name).write_text(text)
        sign(folder)
        with Store.open(tmp_path / "new.db", writing=True) as new, pytest.raises(EvidenceError) as told:
            load_pack(folder, new)
        assert str(told.value).isprintable()


@pytest.mark.parametrize(
    ("name", "field"), [("facts/endpoints.jsonl", '"seen_at"'), ("facts/certificates.jsonl", '"not_after"')]
)
def test_a_fact_with_a_time_without_its_zone_is_refused(tmp_path, name, field):
    folder = pack(tmp_path)
    facts = (folder / name).read_text()
    (folder / name).write_text(re.sub(field + r':"([^"Z]*)Z"', field + r':"\1"', facts))
    sign(folder)
    with Store.open(tmp_path / "new.db", writing=True) as new, pytest.raises(EvidenceError, match="without its zone"):
        load_pack(folder, new)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "records.jsonl").unlink(), r"records\.jsonl: No such file"),
        (lambda folder: (folder / "records.jsonl").write_text("{}\n"), r"records\.jsonl:1: .*`grade`"),
        (lambda folder: (folder / "records.jsonl").write_text(""), "not one line each"),
        (first_line_again, "not one line each"),
    ],
)
def test_files_that_do_not_belong_together_are_told(tmp_path, change, words):
    folder = pack(tmp_path)
    change(folder)
    sign(folder)
    with Store.open(tmp_path / "new.db", writing=True) as new, pytest.raises(EvidenceError, match=words):
        load_pack(folder, new)


def test_a_time_without_its_zone_is_refused(tmp_path):
    folder = pack(tmp_path)
    run = (folder / "run.json").read_text()
    (folder / "run.json").write_text(run.replace('"2026-11-21T00:00:00Z"', '"2026-11-21T00:00:00"'))
    sign(folder)
    with pytest.raises(EvidenceError, match="timezone"):
        check_pack(folder)


def test_a_run_that_did_not_come_to_its_end_stays_one(tmp_path):
    folder = pack(tmp_path)
    run = (folder / "run.json").read_text()
    (folder / "run.json").write_text(run.replace('"finished": "2026-11-22T00:00:00Z"', '"finished": null'))
    sign(folder)
    with Store.open(tmp_path / "new.db", writing=True) as new:
        assert load_pack(folder, new).finished is None
        assert new.run("latest").done == 3


def test_another_format_is_refused(tmp_path):
    folder = pack(tmp_path)
    run = (folder / "run.json").read_text().replace('"format": 1', '"format": 2')
    (folder / "run.json").write_text(run)
    sign(folder)
    with pytest.raises(EvidenceError, match="format 2"):
        check_pack(folder)


def test_what_is_no_pack_is_told(tmp_path):
    with pytest.raises(EvidenceError, match=MANIFEST):
        check_pack(tmp_path)

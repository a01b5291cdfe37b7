"""Changes as people and programs read them."""

import csv
import io
import json

import msgspec

from audits.diff import Change, Kind, Severity
from audits.diff_output import COLUMNS, TITLES, Tally, json_lines, line, remarks, summary, text_lines, write_csv
from audits.run_changes import RunView
from audits.store import RunInfo, RunStatus
from tests.audits.sample_records import HOSTILE, OBEYED
from tests.stored_samples import NIGHT

INFO = RunInfo(
    id=1,
    name="A",
    status=RunStatus.FINISHED,
    started=NIGHT,
    finished=NIGHT,
    input_digest="",
    options=b"{}",
    tool_version="",
    trust_digest="",
    targets=2,
    duplicates=0,
    done=2,
)
OLD, NEW = RunView(INFO), RunView(msgspec.structs.replace(INFO, name="B"))
DOWN = Change(
    domain="d.example",
    kind=Kind.GRADE_DOWN,
    severity=Severity.ALARM,
    where="mx.d.example",
    before="MUST",
    after="MAY",
    detail="starttls-not-supported",
    evidence="EHLO shows no STARTTLS",
    since="A",
)
RENEWED = Change(
    domain="d.example",
    kind=Kind.CERTIFICATE_RENEWED,
    severity=Severity.INFORMATION,
    where="mx.p.example",
    before="until 2026-12-01",
    after="until 2027-03-01",
    evidence="sha256 aa -> bb",
    since="A",
)


def test_every_kind_has_a_title():
    assert set(TITLES) == set(Kind)


def test_a_line_tells_what_where_and_why():
    said = line(DOWN, "d.example", 1, "A")
    assert said == (
        "alarm       d.example: grade MUST -> MAY at mx.d.example: starttls-not-supported; EHLO shows no STARTTLS"
    )
    lost = Change(domain="d", kind=Kind.STARTTLS_LOST, severity=Severity.ALARM, where="mx", before="yes", after="no")
    assert line(lost, "d", 1, "A") == "alarm       d: STARTTLS lost at mx"
    new = Change(domain="d", kind=Kind.MX_NEW, severity=Severity.NOTICE, where="mx2", after="mx2", since="Z")
    assert line(new, "d", 1, "A") == "notice      d: new MX host mx2 (last known in Z)"


def test_the_worst_comes_first_and_what_a_provider_does_is_one_line():
    many = [msgspec.structs.replace(RENEWED, domain=f"d{number}.example") for number in range(1000)]
    first, second = text_lines([*many, DOWN], OLD)
    assert first.startswith("alarm       d.example: grade")
    assert second.startswith("information d0.example and 999 more: certificate renewed until 2026-12-01 -> until 2027")


def test_hostile_words_do_nothing():
    fields = ("domain", "where", "before", "after", "detail", "evidence")
    hostile = msgspec.structs.replace(DOWN, **dict.fromkeys(fields, HOSTILE))
    (said,) = text_lines([hostile], OLD)
    assert not any(character in said for character in OBEYED)
    written = io.StringIO(newline="")
    write_csv([hostile], written)
    cells = list(csv.reader(io.StringIO(written.getvalue(), newline="")))[1]
    assert cells[0].startswith("'=")
    assert not any(character in "".join(cells) for character in OBEYED)
    text = "\n".join(json_lines([hostile], OLD, NEW, Tally()))
    assert not any(character in text for character in OBEYED)
    assert json.loads(text)["changes"][0]["evidence"] == HOSTILE


def test_json_is_one_object_also_of_nothing():
    tally = Tally()
    for changes in [], [DOWN], [DOWN, RENEWED]:
        tally = Tally()
        text = "\n".join(json_lines(tally.counted(changes, Severity.INFORMATION), OLD, NEW, tally))
        read = json.loads(text)
        assert (read["old"]["name"], read["new"]["name"]) == ("A", "B")
        assert msgspec.convert(read["changes"], list[Change]) == changes
        assert sum(read["counts"].values()) == len(changes)


def test_csv_has_a_column_for_each_field():
    written = io.StringIO(newline="")
    write_csv([DOWN], written)
    header, row = csv.reader(io.StringIO(written.getvalue(), newline=""))
    assert tuple(header) == COLUMNS
    assert dict(zip(header, row, strict=True))["after"] == "MAY"


def test_information_does_not_matter():
    tally = Tally()
    assert list(tally.counted([RENEWED, DOWN], Severity.WARNING)) == [DOWN]
    assert tally.matters
    assert summary(tally, OLD, NEW) == "A -> B: 1 alarm"
    quiet = Tally()
    assert list(quiet.counted([RENEWED], Severity.INFORMATION)) == [RENEWED]
    assert not quiet.matters
    assert summary(Tally(), OLD, NEW) == "A -> B: nothing changed"


def test_what_differs_on_our_side_is_told():
    assert list(remarks(OLD, NEW)) == []
    changed = {"options": b'{"depth":"full"}', "trust_digest": "x", "tool_version": "2", "status": RunStatus.UNFINISHED}
    said = list(remarks(OLD, RunView(msgspec.structs.replace(NEW.run, **changed))))
    assert said == [
        "the runs differ on our side, which may explain changes: option depth: None -> full; other trusted CAs;"
        " tlsaudit  -> 2",
        "run B is unfinished: 2 of 2 domains are done",
    ]
    text = "\n".join(json_lines([], OLD, RunView(msgspec.structs.replace(NEW.run, **changed)), Tally()))
    assert json.loads(text)["circumstances"][1] == "other trusted CAs"

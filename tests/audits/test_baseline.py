"""Baselines as files: read whole or refused with the place; extended, narrowed, and honest about their clauses."""

from pathlib import Path

import pytest

from audits.baseline import (
    MAX_BYTES,
    BaselineError,
    Confidence,
    Obligation,
    Scale,
    baseline_from_file,
    shipped,
    shipped_baseline,
)
from audits.rules.certificate_dates import Validity

HEAD = '[baseline]\nid = "house"\ntitle = "House"\nports = { 25 = "strict" }\n'
FIRST = """
[[requirement]]
id = "H-1"
rule = "TLS-001"
level = "must"
clause = "1"
text = "no old versions"
confidence = "confirmed"
expects = { forbidden = ["TLSv1.0"] }
"""
SECOND = FIRST.replace("H-1", "H-2")
MOZILLA = '[baseline]\nid = "house"\ntitle = "House"\nextends = "mozilla-intermediate"\n'


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "house.toml").write_text(text)
        return tmp_path / "house.toml"

    return write


def test_a_file_is_read(written):
    read = baseline_from_file(written(HEAD + FIRST))
    assert (read.head.id, read.scale(25), read.scale(465)) == ("house", Scale.STRICT, None)
    assert [q.requirement.id for q in read.questions] == ["H-1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + FIRST.replace("TLS-001", "TLS-999"), "house.toml:7: there is no rule TLS-999"),
        (HEAD + FIRST + 'colour = "red"\n', "house.toml:7: Object contains unknown field `colour`"),
        (HEAD + FIRST.replace('"must"', '"ought"'), "house.toml:7: Invalid enum value 'ought'"),
        (HEAD + FIRST.replace('level = "must"', "level = 3"), "house.toml:7: Expected `str`, got `int`"),
        (HEAD + FIRST.replace("forbidden", "forbiden"), "house.toml:7: H-1: expects: Object"),
        (HEAD + FIRST.replace('["TLSv1.0"]', '"TLSv1.0"'), "house.toml:7: H-1: expects: Expected `array`"),
        (HEAD + FIRST + FIRST, "house.toml:7: two requirements have the id H-1"),
        (HEAD + FIRST + "[", "house.toml: no TOML"),
        (HEAD.replace("strict", "stern") + FIRST, "house.toml: Invalid enum value 'stern'"),
        (FIRST, "house.toml: Object missing required field `baseline`"),
        (MOZILLA.replace("mozilla-i", "mozila-i"), "house.toml:4: extends 'mozila-intermediate', which does not exist"),
        (MOZILLA + 'drop = ["NOPE"]\n', "house.toml:5: drop: mozilla-intermediate has no requirement NOPE"),
        (HEAD + 'drop = ["H-1"]\n' + FIRST, "house.toml:5: drop: there is no extends"),
        (HEAD.replace("25", "smtp") + FIRST, "house.toml: ports: 'smtp' is no port"),
        (HEAD.replace("25", '"025"') + FIRST, "house.toml:4: ports: '025' is no port"),
        (HEAD.replace("25", "65536") + FIRST, "house.toml: ports: '65536' is no port"),
        (HEAD.replace("ports", "#") + FIRST, "house.toml:7: H-1 is asked on no port"),
        (HEAD + FIRST + "ports = [465]\n", "house.toml:7: H-1 is asked on no port"),
    ],
)
def test_a_mistake_is_told_with_its_place(written, text, words):
    with pytest.raises(BaselineError) as refused:
        baseline_from_file(written(text))
    assert words in str(refused.value)


def test_what_is_no_text_is_refused(tmp_path):
    for content, words in ((b"\xff", "byte 0 is not UTF-8"), (b" " * (MAX_BYTES + 1), "larger than")):
        (tmp_path / "b.toml").write_bytes(content)
        with pytest.raises(BaselineError, match=words):
            baseline_from_file(tmp_path / "b.toml")
    with pytest.raises(BaselineError, match="cannot be read"):
        baseline_from_file(tmp_path)


def test_an_extension_adds_replaces_and_drops(written):
    base = shipped_baseline("mozilla-intermediate")
    ids = [q.requirement.id for q in base.questions]
    mine = SECOND.replace("H-2", ids[0])
    read = baseline_from_file(written(MOZILLA + f'drop = ["{ids[-1]}"]\n' + FIRST + mine))
    kept = [one for one in ids if one != ids[-1] or one == ids[0]]
    assert [q.requirement.id for q in read.questions] == [*kept, "H-1"]
    replaced = next(q for q in read.questions if q.requirement.id == ids[0])
    assert replaced.requirement.expects == {"forbidden": ["TLSv1.0"]}
    assert read.head.ports == base.head.ports
    assert read.organisational == base.organisational


def test_an_extension_may_judge_ports_by_another_scale(written):
    read = baseline_from_file(written(MOZILLA + 'ports = { 25 = "strict" }\n'))
    assert (read.scale(25), read.scale(465)) == (Scale.STRICT, Scale.STRICT)


def test_what_is_included_keeps_its_ports_and_comes_once(written):
    read = baseline_from_file(written(HEAD + 'includes = ["rfc8314-submission", "rfc", "rfc7672-dane"]\n' + FIRST))
    ids = [q.requirement.id for q in read.questions]
    assert ids[0] == "H-1"
    assert len(ids) == len(set(ids))
    assert set(ids[1:]) == {q.requirement.id for q in shipped_baseline("rfc").questions}
    submission = next(q for q in read.questions if q.requirement.id == "RFC8314-4-12")
    assert (read.scale(25, submission), read.scale(587, submission)) == (None, Scale.STRICT)
    assert (read.scale(25, read.questions[0]), read.scale(587, read.questions[0])) == (Scale.STRICT, None)
    assert read.sources.keys() >= {"8314", "7672"}
    assert len(read.organisational) == len(set(read.organisational))


@pytest.mark.parametrize(
    ("ports", "asked_on"), [("", {"25": "advisory", "465": "strict", "587": "strict"}), ("ports = [25]", None)]
)
def test_what_replaces_an_included_requirement_is_asked_where_that_was(written, ports, asked_on):
    mine = FIRST.replace("H-1", "BCP195-3.1.1-SSL") + ports
    read = baseline_from_file(written(MOZILLA.replace("mozilla-intermediate", "rfc") + mine))
    (question,) = (q for q in read.questions if q.requirement.id == "BCP195-3.1.1-SSL")
    assert question.requirement.text == "no old versions"
    assert question.ports == asked_on


def test_who_extends_may_judge_what_is_included_by_another_scale(written):
    house = '[baseline]\nid = "house"\ntitle = "House"\nextends = "rfc"\nports = { 587 = "advisory" }\n'
    read = baseline_from_file(written(house))
    submission = next(q for q in read.questions if q.requirement.id == "RFC8314-4-12")
    scales = [read.scale(port, submission) for port in (25, 465, 587)]
    assert scales == [None, Scale.STRICT, Scale.ADVISORY]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('includes = ["nist"]\n', "house.toml:5: includes 'nist', which does not exist"),
        ('includes = ["rfc"]\n' + FIRST.replace("H-1", "RFC3207-4-220"), "rfc has another requirement RFC3207-4-220"),
    ],
)
def test_what_cannot_be_included_is_told(written, more, words):
    with pytest.raises(BaselineError) as refused:
        baseline_from_file(written(HEAD + more))
    assert words in str(refused.value)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BaselineError, match="mozilla-intermediate"):
        shipped_baseline("nist")


@pytest.mark.parametrize("id", shipped())
def test_shipped_baselines_are_whole(id):
    read = shipped_baseline(id)
    assert read.head.id == id
    assert read.head.title
    assert read.head.url
    assert read.head.ports
    assert read.questions
    assert read.sources, "the addresses of what was read"
    for question in read.questions:
        asked = question.requirement
        assert asked.clause
        assert asked.text
        if asked.confidence is not Confidence.CONFIRMED:
            assert asked.note, f"{asked.id}: a clause that is not confirmed says what is not"


def test_every_limit_on_the_days_of_a_certificate_has_its_spare_day_that_is_advised():
    steps: dict[Obligation, set[tuple[object, ...]]] = {Obligation.MUST: set(), Obligation.SHOULD: set()}
    for question in shipped_baseline("cabf-tls-br").questions:
        if isinstance(question.expects, Validity):
            days = question.expects.days_at_most + (question.requirement.level is Obligation.SHOULD)
            steps[question.requirement.level].add((question.expects.issued_from, question.expects.issued_before, days))
    assert steps[Obligation.MUST] == steps[Obligation.SHOULD]
    assert len(steps[Obligation.MUST]) == 4

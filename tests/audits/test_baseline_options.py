"""What --baseline, --baseline-file, --waivers and --fail-on choose; what cannot be meant is wrong use."""

from pathlib import Path

import click
import pytest

from audits.baseline_options import SHOWN, chosen, evaluator_of, gate_lines
from audits.findings import Verdict
from tests.audits.test_waivers import GOOD, waiver

ID = "mozilla-intermediate"
HOUSE = f'[baseline]\nid = "house"\ntitle = "House"\nextends = "{ID}"\n'


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "house.toml").write_text(HOUSE)
    return tmp_path / "house.toml"


@pytest.fixture
def waivers(tmp_path: Path) -> Path:
    (tmp_path / "waivers.toml").write_text(GOOD)
    return tmp_path / "waivers.toml"


def test_nothing_chosen_judges_nothing():
    assert evaluator_of(chosen({})) is None
    assert chosen({}).digest == ""


def test_everything_chosen(house, waivers):
    made = chosen(
        {"baseline_ids": (ID,), "baseline_files": (house,), "waivers": waivers, "fail_on": ("fail", "MOZ-INTER")}
    )
    assert [baseline.head.id for baseline in made.baselines] == [ID, "house"]
    assert (made.gate.verdicts, made.gate.rules) == ({Verdict.FAIL}, ("MOZ-INTER",))
    assert made.waivers.all == (waiver(),)
    assert evaluator_of(made) is not None


def test_a_grade_needs_no_baseline():
    assert chosen({"fail_on": ("MAY",)}).gate.grades


def test_the_digest_follows_all_that_the_judgement_depends_on(house, waivers):
    digests = {chosen({"baseline_ids": (ID,)}).digest, chosen({"baseline_files": (house,)}).digest}
    digests.add(chosen({"baseline_ids": (ID,), "waivers": waivers}).digest)
    house.write_text(HOUSE.replace("extends", 'ports = { 25 = "strict" }\nextends'))
    digests.add(chosen({"baseline_files": (house,)}).digest)
    assert len(digests) == 4
    assert chosen({"baseline_ids": (ID,)}).digest in digests


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"baseline_ids": ("nope",)}, "there is no baseline 'nope'"),
        ({"baseline_ids": (ID, ID)}, "two baselines have the same id"),
        ({"fail_on": ("fail",)}, "need a --baseline"),
        ({"fail_on": ("fial",), "baseline_ids": (ID,)}, "'fial' is no verdict"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(options, words):
    with pytest.raises(click.UsageError, match=words):
        chosen(options)


def test_waivers_without_a_baseline_are_wrong_use(waivers):
    with pytest.raises(click.UsageError, match="need a --baseline"):
        chosen({"waivers": waivers})


def test_wrong_files_say_where(house, waivers):
    house.write_text(HOUSE + 'drop = ["X"]\n')
    waivers.write_text("[[waiver]]\n")
    for options in ({"baseline_files": (house,)}, {"baseline_ids": (ID,), "waivers": waivers}):
        with pytest.raises(click.UsageError, match=r"(house.toml:5|waivers.toml)"):
            chosen(options)


def test_lines_of_a_missed_gate_are_bounded_and_escaped():
    missed = {f"d{number}.example": ("fail A", "fail B") for number in range(SHOWN + 2)}
    lines = [*gate_lines({"\x1b[2J": ("grade \x1b MAY",), **missed}, [waiver()])]
    assert lines[0].startswith("waiver expired on 2026-11-21: TLS-001 for example.org (mail team)")
    assert not any("\x1b" in line for line in lines)
    assert lines[2] == "gate: d0.example: fail A (and 1 more)"
    assert lines[-1] == "gate: and 3 more domains"
    assert len(lines) == 1 + SHOWN + 1

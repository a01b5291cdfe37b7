"""What a night has to tell, to people and to programs."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from audits.diff import Severity
from audits.nightly.config import When
from audits.nightly.news import CHANGES, LINES, as_json, lines, subject, text, worst
from tests.audits.nightly.news_factory import change, loud, quiet


def test_a_quiet_night_is_a_reason_only_for_those_who_always_want_to_hear():
    assert not quiet().reasons((When.CHANGE, When.GATE))
    assert quiet().reasons((When.ALWAYS,))
    assert subject(quiet()) == "tlsaudit 2026-11-21: nothing changed"


def test_each_reason_counts_by_itself():
    only_changes = loud().__class__(run="r", started=loud().started, finished=None, counts={"notice": 1})
    assert only_changes.reasons((When.CHANGE,))
    assert not only_changes.reasons((When.GATE,))
    assert loud().reasons((When.GATE,))


def test_people_read_the_worst_first_and_nothing_that_a_terminal_obeys():
    said = text(loud())
    assert said.splitlines()[0] == "tlsaudit 2026-11-21: 1 alarm, 1 notice, 1 miss the gate, 1 waivers expired"
    order = [word for line in lines(loud()) for word in re.findall(r"^(waiver|gate|alarm|notice)", line)]
    assert order == ["waiver", "alarm", "notice", "gate"]
    assert all(line.isprintable() for line in said.splitlines())
    assert "1 MUST, 1 MAY; compared with 2026-11-20" in said


def test_programs_get_all_of_it():
    said = json.loads(as_json(loud()))
    assert (said["schema"], said["run"], said["since"]) == (1, "2026-11-21", "2026-11-20")
    assert said["counts"] == {"alarm": 1, "notice": 1}
    assert said["changes"][0]["kind"] == "grade-down"
    assert [*said["gate"].values()] == [["fail R (TLS-001) mx"]]


@given(st.lists(st.sampled_from(list(Severity)), max_size=60))
def test_the_worst_come_first_and_all_are_counted(severities):
    kept, counts = worst(change(f"d{n}.example", s) for n, s in enumerate(severities))
    assert [c.severity.rank for c in kept] == sorted((s.rank for s in severities), reverse=True)
    assert sum(counts.values()) == len(severities)


def test_a_thousand_changes_are_kept_and_two_hundred_told():
    kept, counts = worst(change(f"d{n}.example", Severity.NOTICE) for n in range(CHANGES + 5))
    assert (len(kept), counts) == (CHANGES, {"notice": CHANGES + 5})
    told = lines(loud().__class__(run="r", started=loud().started, finished=None, changes=kept, counts=counts))
    assert len(told) == LINES + 1
    assert told[-1] == f"and {CHANGES + 5 - LINES} more: tlsaudit diff, tlsaudit judge"


def test_those_who_miss_the_gate_every_night_do_not_hide_what_changed():
    gate = {f"g{number}.example": ("grade MAY",) for number in range(LINES)}
    kept, counts = worst(change(f"d{number}.example", Severity.ALARM) for number in range(3))
    night = {"run": "r", "started": loud().started, "finished": None, "gate": gate, "gate_missed": 900}
    told = lines(loud().__class__(**night, changes=kept, counts=counts))
    assert [line.split()[0] for line in told] == ["alarm"] * 3 + ["gate"] * (LINES - 3) + ["and"]
    assert told[-1].startswith("and 703 more")
    many, counts = worst(change(f"d{number}.example", Severity.ALARM) for number in range(CHANGES))
    told = lines(loud().__class__(**night, changes=many, counts=counts))
    assert [line.split()[0] for line in told[:-1]] == ["alarm"] * (LINES // 2) + ["gate"] * (LINES // 2)

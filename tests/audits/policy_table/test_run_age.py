"""A run that is old, or not whole, is told."""

from datetime import UTC, datetime, timedelta

import msgspec

from audits.policy_table.run_age import OLD, run_notes, trust_notes
from audits.store_runs import RunInfo, RunStatus

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WHOLE = RunInfo(
    id=1,
    name="night",
    status=RunStatus.FINISHED,
    started=NOW - timedelta(hours=3),
    finished=NOW,
    input_digest="",
    options=b"{}",
    tool_version="",
    trust_digest="",
    targets=9,
    duplicates=0,
    done=9,
)


def test_a_whole_run_of_these_days_needs_no_words():
    assert list(run_notes(WHOLE, NOW)) == []
    assert list(run_notes(msgspec.structs.replace(WHOLE, started=NOW - OLD), NOW)) == []


def test_an_old_run_is_told():
    (words,) = run_notes(msgspec.structs.replace(WHOLE, started=NOW - timedelta(days=80)), NOW)
    assert words.startswith("run night is 80 days old: ")


def test_a_run_that_goes_on_is_told():
    half = msgspec.structs.replace(WHOLE, status=RunStatus.UNFINISHED, finished=None, done=4)
    assert list(run_notes(half, NOW)) == ["run night is not finished: 4 of 9 domains are in it"]


def test_other_trust_anchors_are_told():
    mine, other = (msgspec.structs.replace(WHOLE, name=name, trust_digest=name) for name in ("mine", "other"))
    assert list(trust_notes([mine, WHOLE], "mine")) == []
    assert list(trust_notes([mine, other], "")) == []
    (words,) = trust_notes([mine, other], "mine")
    assert words.startswith("run other trusted other CAs")
    (words,) = trust_notes([other] * 6, "mine")
    assert "other and others trusted" in words

"""The verdict of a baseline over its findings: one fail decides, what is open stays open, nothing is merged."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audits.findings import SEVERITY, Finding, Verdict, overall
from tests.audits.baseline_factory import finding

STAKES = st.sampled_from(SEVERITY[1:])


@st.composite
def any_finding(draw) -> Finding:
    at_stake = draw(STAKES)
    verdict = draw(st.sampled_from([Verdict.PASS, at_stake, *[v for v in Verdict if v not in SEVERITY]]))
    return finding(verdict, at_stake)


FINDINGS = st.lists(any_finding(), max_size=6).map(tuple)


@given(FINDINGS)
def test_one_fail_decides(findings):
    assert overall("house", (*findings, finding(Verdict.FAIL))).verdict is Verdict.FAIL


@given(FINDINGS)
def test_what_could_still_fail_leaves_it_open_and_never_passes(findings):
    without_fail = tuple(f for f in findings if f.verdict is not Verdict.FAIL)
    assert overall("house", (*without_fail, finding(Verdict.UNKNOWN))).verdict is Verdict.UNKNOWN


@given(FINDINGS)
def test_a_pass_needs_an_answer_and_no_open_stake(findings):
    said = overall("house", findings)
    if said.verdict is Verdict.PASS:
        answered = {Verdict.PASS, Verdict.ADVICE, Verdict.WAIVED}
        assert any(f.verdict in answered for f in findings)
        assert not any(f.verdict is Verdict.UNKNOWN and f.at_stake is not Verdict.ADVICE for f in findings)
        assert not any(f.verdict in (Verdict.WARN, Verdict.FAIL) for f in findings)
    assert sum(said.counts.values()) == len(findings)


@given(FINDINGS)
def test_other_baselines_change_nothing(findings):
    others = tuple(finding(baseline="other") for _ in range(3))
    assert overall("house", (*findings, *others)) == overall("house", findings)


def test_a_warning_that_is_known_outweighs_one_that_is_open():
    open_ = finding(Verdict.UNKNOWN, Verdict.WARN)
    assert overall("house", (finding(Verdict.PASS), open_)).verdict is Verdict.UNKNOWN
    assert overall("house", (finding(Verdict.WARN, Verdict.WARN), open_)).verdict is Verdict.WARN


def test_unconfirmed_clauses_alone_fail_nobody_and_pass_nobody():
    doubted = finding(Verdict.ADVICE, Verdict.ADVICE, confidence="secondary")
    assert overall("house", (finding(Verdict.PASS, Verdict.ADVICE), doubted)).verdict is Verdict.UNKNOWN
    assert overall("house", (finding(Verdict.PASS, Verdict.FAIL), doubted)).verdict is Verdict.PASS
    recommended = finding(Verdict.ADVICE, Verdict.ADVICE, level="may")
    assert overall("house", (finding(Verdict.PASS, Verdict.ADVICE), recommended)).verdict is Verdict.PASS


def test_silence_alone_is_unknown_and_nothing_asked_is_not_applicable():
    advice = finding(Verdict.UNKNOWN, Verdict.ADVICE)
    assert overall("house", (advice,)).verdict is Verdict.UNKNOWN
    assert overall("house", (finding(Verdict.NOT_APPLICABLE),)).verdict is Verdict.NOT_APPLICABLE
    assert overall("house", ()).verdict is Verdict.NOT_APPLICABLE


@given(any_finding())
def test_findings_survive_json(one):
    assert msgspec.json.decode(msgspec.json.encode(one), type=Finding) == one

"""Questions put to a domain: the fold of what a rule saw, ports and scales, waivers, and silence."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.baseline import Confidence, Obligation, Scale
from audits.evaluate import Evaluator, folded
from audits.findings import EVIDENCE_CHARS, SEVERITY, Verdict
from audits.rules.question import Item
from audits.waivers import Waiver, Waivers
from scanner.answers import Fact
from scanner.wire_facts import TlsFacts, VersionFacts
from tests.audits.baseline_factory import baseline, question
from tests.audits.session_factory import GOOD, NO_TLS, SEEN, SILENT, asked
from tests.audits.views_factory import domain_view, silent_view, with_tls

ITEMS = st.lists(st.builds(Item, st.sampled_from(Fact), st.text(min_size=1, max_size=5)), max_size=6).map(tuple)
STAKES = st.sampled_from(SEVERITY[1:])


def speaking(**offered: Fact) -> TlsFacts:
    return TlsFacts(versions=tuple(VersionFacts(version=f"TLSv1.{k[-1]}", offered=f) for k, f in offered.items()))


OLD_TOO = with_tls(asked(GOOD), speaking(v0=Fact.YES, v1=Fact.NO))
OPEN = with_tls(asked(GOOD), speaking(v0=Fact.NO, v1=Fact.INCONCLUSIVE))
CURRENT = with_tls(asked(GOOD), speaking(v0=Fact.NO, v1=Fact.NO))


# --- the fold --------------------------------------------------------------------------------------------------------


@given(ITEMS, STAKES)
def test_one_no_decides_and_only_a_no_does(items, at_stake):
    verdict, _ = folded(items, at_stake)
    assert (verdict is at_stake) == any(item.met is Fact.NO for item in items)


@given(ITEMS, STAKES)
def test_what_is_open_is_never_a_pass(items, at_stake):
    verdict, evidence = folded(items, at_stake)
    if verdict is Verdict.PASS:
        assert items
        assert {item.met for item in items} == {Fact.YES}
    if items:
        assert evidence


@given(ITEMS, STAKES)
def test_the_order_of_items_does_not_matter(items, at_stake):
    assert folded(items, at_stake)[0] is folded(items[::-1], at_stake)[0]


def test_nothing_to_ask_about_is_not_applicable():
    assert folded((), Verdict.FAIL)[0] is Verdict.NOT_APPLICABLE


# --- a domain --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "verdict"), [(OLD_TOO, Verdict.FAIL), (OPEN, Verdict.UNKNOWN), (CURRENT, Verdict.PASS)]
)
def test_facts_decide(seen, verdict):
    (found,) = Evaluator([baseline(question())]).judge(domain_view(seen)).findings
    assert (found.verdict, found.at_stake, found.subject) == (verdict, Verdict.FAIL, "mx.example.org [192.0.2.1]:25")
    assert (found.clause, found.level, found.confidence) == ("1.2", "must", "confirmed")
    assert "TLSv1" in found.evidence


@pytest.mark.parametrize("rule", ["TLS-001", "TLS-002", "CIPHER-001"])
def test_a_missing_fact_neither_passes_nor_fails(rule):
    expects = {"TLS-001": {"forbidden": ["TLSv1.0"]}, "TLS-002": {"any_of": ["TLSv1.2"]}}
    asked_of = question(rule=rule, expects=expects.get(rule, {"patterns": ["*"]}))
    judged = Evaluator([baseline(asked_of)]).judge(silent_view())
    assert [f.verdict for f in judged.findings] == [Verdict.UNKNOWN]
    assert "timeout" in judged.findings[0].evidence
    assert judged.baselines[0].verdict is Verdict.UNKNOWN


def test_no_tls_is_not_applicable():
    judged = Evaluator([baseline(question())]).judge(domain_view(asked(NO_TLS)))
    assert [f.verdict for f in judged.findings] == [Verdict.NOT_APPLICABLE]


@pytest.mark.parametrize(
    ("more", "at_stake"),
    [
        ({}, Verdict.FAIL),
        ({"level": Obligation.SHOULD}, Verdict.WARN),
        ({"level": Obligation.MAY}, Verdict.ADVICE),
        *[({"confidence": doubt}, Verdict.ADVICE) for doubt in Confidence if doubt is not Confidence.CONFIRMED],
        ({"since": date(2027, 1, 1)}, Verdict.ADVICE),
        ({"since": date(2026, 1, 1)}, Verdict.FAIL),
    ],
)
def test_what_is_at_stake(more, at_stake):
    (found,) = Evaluator([baseline(question(**more))]).judge(domain_view(OLD_TOO)).findings
    assert (found.verdict, found.at_stake) == (at_stake, at_stake)


@pytest.mark.parametrize(
    ("level", "verdict"),
    [(Obligation.MUST, Verdict.WARN), (Obligation.SHOULD, Verdict.ADVICE), (Obligation.MAY, Verdict.ADVICE)],
)
def test_the_advisory_scale_is_one_step_milder(level, verdict):
    one = baseline(question(level=level), ports={"25": Scale.ADVISORY})
    assert Evaluator([one]).judge(domain_view(OLD_TOO)).findings[0].verdict is verdict


def test_ports_that_nobody_speaks_of_are_not_judged():
    assert not Evaluator([baseline(question(), ports={"465": Scale.STRICT})]).judge(domain_view(OLD_TOO)).findings
    assert not Evaluator([baseline(question(ports=(587,)))]).judge(domain_view(OLD_TOO)).findings


def test_baselines_stand_side_by_side():
    strict, mild = baseline(question()), baseline(question(level=Obligation.SHOULD), id="mild")
    judged = Evaluator([strict, mild]).judge(domain_view(OLD_TOO))
    assert [(b.baseline, b.verdict) for b in judged.baselines] == [("house", Verdict.FAIL), ("mild", Verdict.WARN)]


def test_evidence_is_bounded():
    many = tuple(f"TLSv1.{number}" for number in range(10, 2000))
    asked_of = question(expects={"forbidden": list(many)})
    (found,) = Evaluator([baseline(asked_of)]).judge(domain_view(OPEN)).findings
    assert len(found.evidence) == EVIDENCE_CHARS


# --- waivers ---------------------------------------------------------------------------------------------------------


def waiver(**more) -> Waiver:
    said = {"rule": "TLS-*", "subject": "*", "owner": "mail team", "reason": "being mended"}
    return Waiver(**({**said, "expires": SEEN.date()} | more))


def test_a_waiver_covers_what_is_not_met_and_names_its_owner():
    evaluator = Evaluator([baseline(question())], Waivers((waiver(),)))
    judged = evaluator.judge(domain_view(OLD_TOO))
    assert judged.findings[0].verdict is Verdict.WAIVED
    assert judged.findings[0].waiver == "mail team, until 2026-11-21: being mended"
    assert judged.baselines[0].verdict is Verdict.PASS


@pytest.mark.parametrize(
    "other", [waiver(expires=date(2026, 11, 20)), waiver(rule="CIPHER-*"), waiver(subject="mx.example.net")]
)
def test_a_waiver_that_does_not_cover_changes_nothing(other):
    with_it = Evaluator([baseline(question())], Waivers((other,))).judge(domain_view(OLD_TOO))
    assert with_it == Evaluator([baseline(question())]).judge(domain_view(OLD_TOO))


@pytest.mark.parametrize("seen", [OPEN, CURRENT, asked(SILENT), asked(NO_TLS)])
def test_a_waiver_never_touches_what_is_open_or_met(seen):
    with_it = Evaluator([baseline(question())], Waivers((waiver(),))).judge(domain_view(seen))
    assert with_it == Evaluator([baseline(question())]).judge(domain_view(seen))

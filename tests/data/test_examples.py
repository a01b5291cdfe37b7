"""The examples that a user copies: they are read as they stand."""

from audits.baseline import baseline_from_file, shipped_baseline
from audits.waivers import waivers_from_file
from tests.environments import ROOT

EXAMPLES = ROOT / "data" / "examples"


def test_the_standard_of_ones_own_is_mozilla_with_one_requirement_less_and_one_sharper():
    own = {q.requirement.id: q.requirement for q in baseline_from_file(EXAMPLES / "house.toml").questions}
    base = {q.requirement.id: q.requirement for q in shipped_baseline("mozilla-intermediate").questions}
    assert base.keys() - own.keys() == {"MOZ-INTER-STAPLE"}
    assert own.keys() <= base.keys()
    assert {id for id in own if own[id] != base[id]} == {"MOZ-INTER-PQ"}
    assert (base["MOZ-INTER-PQ"].level, own["MOZ-INTER-PQ"].level) == ("should", "must")


def test_the_waivers_are_read():
    (waiver,) = waivers_from_file(EXAMPLES / "waivers.toml").all
    assert (waiver.rule, waiver.subject) == ("CERT-*", "mx1.partner.example")

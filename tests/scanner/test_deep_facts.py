"""The facts beyond hellos survive JSON, and are not tested unless they were."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from scanner.answers import Fact
from scanner.deep_facts import DeepFacts, Way


@given(st.from_type(DeepFacts))
def test_deep_facts_come_back_as_they_were(facts):
    assert msgspec.json.decode(msgspec.json.encode(facts), type=DeepFacts) == facts


def test_nothing_is_claimed_without_a_test():
    assert DeepFacts().command_injection is Fact.NOT_TESTED
    assert DeepFacts().vulnerabilities == ()


def test_each_way_names_its_version_first():
    assert {way.value.split()[0] for way in Way} == {"TLSv1.3", "TLSv1.2"}

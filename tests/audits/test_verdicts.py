"""Verdicts as values: what they tell of themselves, and that they survive being stored."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.grade import domain_verdict, endpoint_verdict
from audits.sessions import Starttls
from audits.verdicts import DomainVerdict, EndpointVerdict, Grade, State
from scanner.facts import Endpoint, EndpointRef, Fact, Level
from tests.audits.session_factory import (
    GOOD,
    NO_TLS,
    SILENT,
    Server,
    any_server,
    asked,
    domain_facts,
    reference,
    reply,
    trusting,
)


def verdict_on(server: Server, port: int = 25) -> EndpointVerdict:
    facts = asked(server, port=port, envelope=False)
    return endpoint_verdict(reference(facts), facts, trusting)


def test_a_grade_is_a_level_or_one_of_two_other_words():
    assert [grade.value for grade in Grade] == [*(level.value for level in Level), "INCONCLUSIVE", "NO_MAIL"]


def test_sustained_unknown_and_neither():
    verdict = verdict_on(Server(starttls=reply(454)))
    assert verdict.sustained == (Level.NONE, Level.MAY)
    assert verdict.unknown == (Level.MUST_NOPEERMATCH, Level.MUST)
    refused = verdict_on(NO_TLS)
    assert (refused.sustained, refused.unknown) == ((Level.NONE, Level.MAY), ())
    answer = refused.answer(Level.MUST)
    assert answer is not None
    assert answer.sustained is Fact.NO


def test_without_answers_there_is_no_level():
    verdict = verdict_on(SILENT)
    assert (verdict.sustained, verdict.unknown, verdict.state) == ((), (), State.UNREACHABLE)
    assert all(verdict.answer(level) is None for level in Level)


@pytest.mark.parametrize(
    ("server", "starttls", "fact"),
    [
        (GOOD, Starttls.ACCEPTED, Fact.YES),
        (NO_TLS, Starttls.NOT_OFFERED, Fact.NO),
        (Server(starttls=reply(502)), Starttls.REFUSED, Fact.NO),
        (Server(starttls=reply(454)), Starttls.DEFERRED, Fact.INCONCLUSIVE),
        (SILENT, Starttls.UNSETTLED, Fact.INCONCLUSIVE),
    ],
)
def test_starttls_as_a_fact(server, starttls, fact):
    verdict = verdict_on(server)
    assert verdict.seen is not None
    assert (verdict.seen.starttls, verdict.starttls) == (starttls, fact)


def test_starttls_is_not_tested_where_nobody_asks_for_it():
    assert verdict_on(GOOD, port=465).starttls is Fact.NOT_TESTED
    assert EndpointVerdict(EndpointRef("mx", 0, Endpoint("192.0.2.1", 25)), State.NOT_ASKED).starttls is Fact.NOT_TESTED


@settings(deadline=None)
@given(st.lists(any_server(), min_size=1, max_size=3))
def test_a_verdict_survives_json(servers):
    seen = [asked(server, address=f"192.0.2.{number}") for number, server in enumerate(servers)]
    verdict = domain_verdict(domain_facts(*map(reference, seen)), {each.endpoint: each for each in seen}, trusting)
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=DomainVerdict) == verdict
    hash(verdict)

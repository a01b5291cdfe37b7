"""The levels of a record: `dane` and `dane-only` join the four where they are known, and stay open where not."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.dane import DaneVerdict, dane_verdict
from audits.grade import domain_verdict
from audits.judge import Judge
from audits.sender_levels import SenderLevel, sender_levels
from audits.trust import TrustStore
from audits.verdicts import DomainVerdict, Grade
from scanner.facts import Dnssec, EndpointUse, Fact, Level, RouteStatus
from scanner.failures import Kind, ProbeFailure, Stage
from tests.audits.policy_factory import MATCH, MISMATCH, host_tlsa, seen_of, tlsa_answer
from tests.audits.session_factory import (
    DEMANDS_TLS,
    GOOD,
    NO_TLS,
    SILENT,
    any_server,
    asked,
    domain_facts,
    reference,
    trusting,
)
from tests.certificate_factory import root

FOUR = ["NONE", "MAY", "MUST_NOPEERMATCH", "MUST"]


def verdict_of(*seen, use: EndpointUse = EndpointUse.MAIL) -> DomainVerdict:
    facts = domain_facts(*(reference(each, use=use) for each in seen))
    return domain_verdict(facts, {each.endpoint: each for each in seen}, trusting)


def levels_of(server, answer, **more):
    seen = seen_of(server, host_tlsa(answer), **more)
    verdict = domain_verdict(seen.facts, seen.endpoints, trusting)
    levels = sender_levels(verdict, dane_verdict(seen))
    return list(levels.sustained), list(levels.unknown)


def test_the_words_of_the_grade_are_levels():
    assert [level.value for level in Level] == FOUR == [level.value for level in SenderLevel][:4]


FAILED = ProbeFailure(Stage.DNS, Kind.TIMEOUT, "TLSA")
BOGUS = ProbeFailure(Stage.DNS, Kind.BOGUS, "TLSA")


@pytest.mark.parametrize(
    ("server", "answer", "sustained", "unknown"),
    [
        (GOOD, tlsa_answer(MATCH), [*FOUR, "dane", "dane-only"], []),
        (GOOD, tlsa_answer(MISMATCH), FOUR, []),
        (GOOD, tlsa_answer(), [*FOUR, "dane"], []),
        (NO_TLS, tlsa_answer(), ["NONE", "MAY", "dane"], []),
        (NO_TLS, tlsa_answer(MATCH), ["NONE", "MAY"], []),
        (DEMANDS_TLS, tlsa_answer(MATCH), [*FOUR[1:], "dane", "dane-only"], []),
        (GOOD, tlsa_answer(msgspec.structs.replace(MATCH, usage=1)), [*FOUR, "dane"], []),
        (NO_TLS, tlsa_answer(msgspec.structs.replace(MATCH, usage=1)), ["NONE", "MAY"], []),
        (GOOD, tlsa_answer(MATCH, dnssec=Dnssec.INSECURE), [*FOUR, "dane"], []),
        (GOOD, tlsa_answer(MATCH, dnssec=Dnssec.INDETERMINATE), FOUR, ["dane", "dane-only"]),
        (GOOD, FAILED, FOUR, ["dane", "dane-only"]),
        (GOOD, BOGUS, FOUR, []),
    ],
)
def test_what_a_sender_with_dane_loses(server, answer, sustained, unknown):
    assert levels_of(server, answer) == (sustained, unknown)


def test_an_unsigned_mx_record_takes_dane_only_alone():
    assert levels_of(GOOD, tlsa_answer(MATCH), mx_dnssec=Dnssec.INSECURE) == ([*FOUR, "dane"], [])
    assert levels_of(GOOD, tlsa_answer(MATCH), mx_dnssec=Dnssec.INDETERMINATE) == ([*FOUR, "dane"], ["dane-only"])


def test_where_nobody_looked_both_are_unknown_and_never_a_no():
    levels = sender_levels(verdict_of(asked(GOOD)), None)
    assert (list(levels.sustained), list(levels.unknown)) == (FOUR, ["dane", "dane-only"])


@pytest.mark.parametrize("dane", [None, DaneVerdict()])
def test_where_no_mail_host_answered_there_are_no_levels(dane):
    for verdict in (verdict_of(asked(SILENT)), verdict_of(), verdict_of(asked(GOOD), use=EndpointUse.SUBMISSION)):
        levels = sender_levels(verdict, dane)
        assert (levels.sustained, levels.unknown) == ((), ())


@settings(deadline=None)
@given(any_server(), st.sampled_from(Fact), st.sampled_from(Fact))
def test_the_four_are_those_of_the_verdict(server, dane, dane_only):
    """In their order, first; a level stands in one list at most; the grade is never one of the two."""
    verdict = verdict_of(asked(server))
    levels = sender_levels(verdict, DaneVerdict(dane=dane, dane_only=dane_only))
    assert levels.sustained[: len(verdict.sustained)] == verdict.sustained
    assert levels.unknown[: len(verdict.unknown)] == verdict.unknown
    assert not set(levels.sustained) & set(levels.unknown)
    assert not {"dane", "dane-only"} & {grade.value for grade in Grade}


def test_domains_that_share_their_hosts_differ_in_their_records():
    """The judge keeps what it said of a set of hosts; what a domain publishes is judged anew."""
    judge, signed = Judge(TrustStore([root().der]), 9, None), seen_of(GOOD, host_tlsa(tlsa_answer(MATCH)))
    plain = seen_of(GOOD, host_tlsa(tlsa_answer()))
    endpoints = tuple(signed.endpoints.values())
    said = [judge.record(each.facts, endpoints) for each in (signed, plain, signed)]
    assert ["dane-only" in record.sustained for record in said] == [True, False, True]
    assert {record.grade for record in said} == {"MUST_NOPEERMATCH"}


def test_null_mx_has_no_levels():
    facts = domain_facts(status=RouteStatus.NULL_MX)
    record = Judge(TrustStore([root().der]), 9, None).record(facts, ())
    assert (record.grade, record.sustained, record.unknown) == ("NO_MAIL", (), ())

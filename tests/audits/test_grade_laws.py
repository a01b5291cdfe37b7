"""Laws of the grade: what holds for domains with any hosts (see test_grade for the rows of single states)."""

from collections.abc import Sequence

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from audits.grade import VerifyChain, domain_verdict
from audits.verdicts import DomainVerdict, Grade
from scanner.facts import EndpointFacts, EndpointRef, Level, SessionFacts
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.tls_facts import HelloStyle
from tests.audits.session_factory import (
    GOOD,
    SILENT,
    Server,
    any_server,
    asked,
    distrusting,
    domain_facts,
    reference,
    reply,
    trusting,
)

REFUSED = Server(connect=Kind.REFUSED)
GREETING_421 = Server(greeting=reply(421, "4.7.0 Too many connections"))
ORDER = [level.value for level in Level]

DOMAINS = st.lists(st.lists(any_server(), min_size=1, max_size=3), min_size=1, max_size=7)
UNREACHABLE = st.sampled_from([REFUSED, SILENT, GREETING_421, Server(greeting=reply(554)), Server(greeting=Kind.RESET)])
VERIFIERS = st.sampled_from([trusting, distrusting])


def hosts_of(domain: list[list[Server]]) -> list[tuple[EndpointRef, EndpointFacts]]:
    """Hosts with addresses of their own, and preferences of which some are equal."""
    seen = [asked(*servers, address=f"192.0.2.{number}") for number, servers in enumerate(domain, 1)]
    return [(reference(facts, number // 2), facts) for number, facts in enumerate(seen)]


def judged(hosts: Sequence[tuple[EndpointRef, EndpointFacts]], verify: VerifyChain) -> DomainVerdict:
    refs = [ref for ref, _ in hosts]
    return domain_verdict(domain_facts(*refs), {facts.endpoint: facts for _, facts in hosts}, verify)


@settings(deadline=None)
@given(DOMAINS, VERIFIERS)
def test_the_grade_is_the_strongest_sustained_level_or_no_level(domain, verify):
    verdict = judged(hosts_of(domain), verify)
    if verdict.grade in (Grade.INCONCLUSIVE, Grade.NO_MAIL):
        assert (verdict.grade is Grade.NO_MAIL) == (
            not verdict.sustained and not verdict.unknown and any(v.answers for v in verdict.endpoints)
        )
    else:
        assert verdict.grade.value == verdict.sustained[-1].value
        assert all(ORDER.index(level) < ORDER.index(verdict.grade.value) for level in verdict.unknown)
    assert not set(verdict.sustained) & set(verdict.unknown)


@settings(deadline=None)
@given(DOMAINS, VERIFIERS)
def test_what_is_less_than_must_has_a_binding_and_must_has_none(domain, verify):
    verdict = judged(hosts_of(domain), verify)
    assert (verdict.binding is None) is (verdict.grade is Grade.MUST)
    if verdict.binding is not None:
        assert verdict.binding.reason.cause
        assert verdict.binding.reason.remedy
        assert verdict.binding.address


@settings(deadline=None)
@given(DOMAINS, VERIFIERS)
def test_the_grade_is_never_stronger_than_the_some_mx_grade(domain, verify):
    """Where both are levels. The walk limits cannot break this: an address limit that hides a host leaves it open."""
    verdict = judged(hosts_of(domain), verify)
    if verdict.grade.value in ORDER:
        assert verdict.some_mx_grade is not Grade.NO_MAIL
        if verdict.some_mx_grade is Grade.INCONCLUSIVE:
            event("the walk is open")
        else:
            assert ORDER.index(verdict.grade.value) <= ORDER.index(verdict.some_mx_grade.value)


def test_five_addresses_without_an_answer_hide_the_host_that_sustains():
    verdict = judged(hosts_of([[REFUSED], [REFUSED], [SILENT], [GREETING_421], [REFUSED], [GOOD]]), trusting)
    assert (verdict.grade, verdict.some_mx_grade) == (Grade.MUST, Grade.INCONCLUSIVE)


@settings(deadline=None)
@given(DOMAINS, UNREACHABLE, st.integers(-1, 5), VERIFIERS)
def test_an_unreachable_host_never_changes_the_grade(domain, server, preference, verify):
    hosts = hosts_of(domain)
    extra = asked(server, address="192.0.2.99")
    before, after = judged(hosts, verify), judged([(reference(extra, preference), extra), *hosts], verify)
    assert (after.grade, after.sustained, after.unknown) == (before.grade, before.sustained, before.unknown)
    assert after.coverage.asked == before.coverage.asked + 1
    assert after.coverage.answered == before.coverage.answered


@settings(deadline=None)
@given(DOMAINS, VERIFIERS, st.randoms(use_true_random=False))
def test_the_order_of_endpoints_never_matters_for_the_grades(domain, verify, random):
    hosts = hosts_of(domain)
    before = judged(hosts, verify)
    random.shuffle(hosts)
    after = judged(hosts, verify)
    for field in ("grade", "some_mx_grade", "sustained", "unknown", "today", "coverage"):
        assert getattr(after, field) == getattr(before, field)
    assert set(after.remarks) == set(before.remarks)


@settings(deadline=None)
@given(DOMAINS, st.data())
def test_a_host_that_falls_silent_halfway_never_lowers_the_grade_by_its_silence(domain, data):
    """All sessions of one host time out before EHLO is answered, yet a byte was read: the grade opens, never sinks."""
    hosts = hosts_of(domain)
    place = data.draw(st.integers(0, len(hosts) - 1))
    ref, facts = hosts[place]
    mute = SessionFacts(HelloStyle.POSTFIX_MUST, reply(220), failure=ProbeFailure(Stage.EHLO, Kind.TIMEOUT))
    less = [*hosts[:place], (ref, msgspec.structs.replace(facts, sessions=(mute,))), *hosts[place + 1 :]]
    before, after = judged(hosts, trusting), judged(less, trusting)
    if before.endpoints[place].answers:
        assert not set(after.sustained) - set(before.sustained)
    for level in Level:
        if level in (*before.sustained, *before.unknown):
            assert level in (*after.sustained, *after.unknown)

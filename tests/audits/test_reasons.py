"""The words for why: RFC 8460 where it has one, and something that would lift each."""

import string

import pytest

from audits.grade import domain_verdict
from audits.levels import cause_of_failure
from audits.reasons import REMEDIES, Cause, Reason
from scanner.facts import NO_MAIL_ROUTES
from scanner.failures import NOT_ASKED, Kind, ProbeFailure, SmtpReply, Stage
from tests.audits.session_factory import domain_facts, trusting

RFC_8460 = {
    "starttls-not-supported",
    "certificate-host-mismatch",
    "certificate-expired",
    "certificate-not-trusted",
    "validation-failure",
}
"""The result types of section 4.3.1 (negotiation and certificates) that this judgement can establish."""


def test_the_words_of_rfc_8460_are_used_where_they_exist():
    assert {cause.value for cause in Cause} >= RFC_8460


def test_every_cause_has_a_remedy_and_no_remedy_is_left_over():
    assert set(REMEDIES) == set(Cause)
    assert all(remedy and remedy == remedy.strip() for remedy in REMEDIES.values())


@pytest.mark.parametrize("cause", Cause)
def test_a_cause_is_a_word_for_scripts(cause):
    assert set(cause.value) <= set(string.ascii_lowercase + "-")
    assert Reason(cause).remedy == REMEDIES[cause]


@pytest.mark.parametrize(
    ("stage", "kind", "cause"),
    [
        (Stage.DNS, Kind.SERVFAIL, Cause.DNS_UNANSWERED),
        (Stage.DNS, Kind.TIMEOUT, Cause.DNS_UNANSWERED),
        (Stage.DNS, Kind.EXCLUDED, Cause.NOT_ASKED),
        (Stage.CONNECT, Kind.TIMEOUT, Cause.UNREACHABLE),
        (Stage.CONNECT, Kind.REFUSED, Cause.UNREACHABLE),
        (Stage.CONNECT, Kind.UNREACHABLE, Cause.UNREACHABLE),
        (Stage.GREETING, Kind.TEMPORARY, Cause.THROTTLED),
        (Stage.GREETING, Kind.CLOSED, Cause.THROTTLED),
        (Stage.GREETING, Kind.RESET, Cause.THROTTLED),
        (Stage.GREETING, Kind.PERMANENT, Cause.CLIENT_REFUSED),
        (Stage.GREETING, Kind.TIMEOUT, Cause.UNANSWERED),
        (Stage.GREETING, Kind.PROTOCOL, Cause.UNANSWERED),
        (Stage.EHLO, Kind.PERMANENT, Cause.CLIENT_REFUSED),
        (Stage.EHLO, Kind.TEMPORARY, Cause.THROTTLED),
        (Stage.EHLO, Kind.CLOSED, Cause.UNANSWERED),
        (Stage.STARTTLS, Kind.TEMPORARY, Cause.THROTTLED),
        (Stage.HANDSHAKE, Kind.TIMEOUT, Cause.UNANSWERED),
    ],
)
def test_the_word_for_a_probe_without_an_answer(stage, kind, cause):
    assert cause_of_failure(ProbeFailure(stage, kind)) is cause


@pytest.mark.parametrize("kind", sorted(NOT_ASKED))
def test_what_we_chose_not_to_ask_is_never_held_against_the_server(kind):
    for stage in Stage:
        assert cause_of_failure(ProbeFailure(stage, kind, reply=SmtpReply(550))) is Cause.NOT_ASKED


def test_every_route_that_bounces_has_its_own_word():
    bindings = [domain_verdict(domain_facts(status=status), {}, trusting).binding for status in NO_MAIL_ROUTES]
    assert len({bound.reason.cause for bound in bindings if bound}) == len(NO_MAIL_ROUTES)

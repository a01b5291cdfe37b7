"""DANE over endpoints and domains: what is unknown stays so, and the words of RFC 8460. The truth is tests/lab."""

import msgspec
import pytest

from audits.dane import TlsaState, dane_verdict, tlsa_state
from audits.reasons import Cause
from scanner.facts import Dnssec, Endpoint, EndpointRef, EndpointUse, Fact, RouteStatus, TlsaRecord
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.policy_facts import PolicyFacts
from tests.audits.policy_factory import (
    MATCH,
    MISMATCH,
    host_tlsa,
    seen,
    seen_of,
    seen_with_chain,
    tlsa_answer,
    tlsa_of,
)
from tests.audits.session_factory import GOOD, MX, NO_TLS, OTHER, Server, asked, domain_facts, handshake, reference
from tests.certificate_factory import intermediate, leaf, root

YES, NO, OPEN = Fact.YES, Fact.NO, Fact.INCONCLUSIVE
PKIX = TlsaRecord(1, 0, 1, bytes(32))
BUSY = msgspec.structs.replace(GOOD, greeting=Kind.TIMEOUT)


def failed(kind: Kind) -> ProbeFailure:
    return ProbeFailure(Stage.DNS, kind)


@pytest.mark.parametrize(
    ("answer", "server", "dane", "dane_only", "cause"),
    [
        (tlsa_answer(), GOOD, YES, NO, Cause.DANE_REQUIRED),
        (tlsa_answer(), NO_TLS, YES, NO, Cause.DANE_REQUIRED),
        (tlsa_answer(MATCH), GOOD, YES, YES, None),
        (tlsa_answer(MISMATCH), GOOD, NO, NO, Cause.TLSA_INVALID),
        (tlsa_answer(MISMATCH, MATCH), GOOD, YES, YES, None),
        (tlsa_answer(MATCH), NO_TLS, NO, NO, Cause.STARTTLS_NOT_SUPPORTED),
        (tlsa_answer(PKIX), GOOD, YES, NO, Cause.TLSA_INVALID),
        (tlsa_answer(PKIX), NO_TLS, NO, NO, Cause.TLSA_INVALID),
        (tlsa_answer(MATCH, dnssec=Dnssec.INSECURE), GOOD, YES, NO, Cause.DANE_REQUIRED),
        (tlsa_answer(MATCH, dnssec=Dnssec.INDETERMINATE), GOOD, OPEN, OPEN, Cause.UNANSWERED),
        (tlsa_answer(dnssec=Dnssec.INDETERMINATE), GOOD, YES, NO, Cause.DANE_REQUIRED),
        (failed(Kind.BOGUS), GOOD, NO, NO, Cause.DNSSEC_INVALID),
        (failed(Kind.SERVFAIL), GOOD, OPEN, OPEN, Cause.DNS_UNANSWERED),
        (failed(Kind.TIMEOUT), GOOD, OPEN, OPEN, Cause.DNS_UNANSWERED),
    ],
)
def test_one_host(answer, server, dane, dane_only, cause):
    verdict = dane_verdict(seen_of(server, host_tlsa(answer)))
    assert verdict
    (endpoint,) = verdict.endpoints
    assert (verdict.dane, verdict.dane_only) == (dane, dane_only) == (endpoint.dane, endpoint.dane_only)
    assert (endpoint.reason.cause if endpoint.reason else None) is cause


@pytest.mark.parametrize(
    ("mx_dnssec", "dane_only"), [(Dnssec.SECURE, YES), (Dnssec.INSECURE, NO), (Dnssec.INDETERMINATE, OPEN)]
)
def test_an_mx_record_that_is_not_signed_denies_dane_only_alone(mx_dnssec, dane_only):
    verdict = dane_verdict(seen_of(GOOD, host_tlsa(tlsa_answer(MATCH)), mx_dnssec=mx_dnssec))
    assert verdict
    assert (verdict.dane, verdict.dane_only) == (YES, dane_only)


def test_without_mx_records_there_is_no_name_to_doubt():
    host = host_tlsa(tlsa_answer(MATCH))
    implicit = seen_of(GOOD, host, mx_dnssec=Dnssec.INSECURE, status=RouteStatus.IMPLICIT_MX)
    verdict = dane_verdict(implicit)
    assert verdict
    assert verdict.dane_only is YES


def test_the_chain_that_counts_is_that_of_the_handshake_with_the_name():
    stranger = msgspec.structs.replace(GOOD, shake=handshake(chain=(OTHER,)))
    host = host_tlsa(tlsa_answer(MATCH))
    better = dane_verdict(seen_of(stranger, host, named=GOOD))
    worse = dane_verdict(seen_of(GOOD, host, named=stranger))
    assert better
    assert worse
    assert (better.dane, worse.dane) == (YES, NO)


@pytest.mark.parametrize("named", [BUSY, Server(connect=Kind.TIMEOUT)])
def test_a_server_that_does_not_answer_to_its_name_is_left_open(named):
    verdict = dane_verdict(seen_of(GOOD, host_tlsa(tlsa_answer(MATCH)), named=named))
    assert verdict
    assert (verdict.dane, verdict.endpoints[0].matched) == (OPEN, OPEN)


def test_a_handshake_that_was_never_made_is_left_open():
    plain = asked(GOOD)
    facts = domain_facts(reference(plain))
    facts = msgspec.structs.replace(facts, policy=PolicyFacts((host_tlsa(tlsa_answer(MATCH)),)))
    verdict = dane_verdict(seen(facts, plain))
    assert verdict
    assert verdict.dane is OPEN


def test_nobody_looked_and_nobody_answered():
    plain = asked(GOOD)
    assert dane_verdict(seen(domain_facts(reference(plain)), plain)) is None
    silent = dane_verdict(seen_of(Server(connect=Kind.TIMEOUT), host_tlsa(tlsa_answer(MATCH))))
    assert silent
    assert (silent.dane, silent.endpoints) == (OPEN, ())


def test_some_hosts_with_and_some_without():
    first, second = asked(GOOD), asked(GOOD, address="192.0.2.2")
    refs = (reference(first), reference(second, 20, "mx2.example.org"))
    named = msgspec.structs.replace(first, endpoint=Endpoint("192.0.2.1", 25, MX))
    facts = domain_facts(*refs, EndpointRef(MX, 10, named.endpoint, EndpointUse.POLICY))
    policy = PolicyFacts((host_tlsa(tlsa_answer(MATCH)), host_tlsa(tlsa_answer(), mx_host="mx2.example.org")))
    verdict = dane_verdict(seen(msgspec.structs.replace(facts, policy=policy), first, second, named))
    assert verdict
    assert (verdict.dane, verdict.dane_only) == (YES, NO)
    assert "mx2.example.org" in verdict.remarks[0]


@pytest.mark.parametrize("usage", [1, 2, 3])
def test_a_record_without_data_stops_every_delivery(usage):
    """Postfix ends in a panic over one that it has to look at (mymalloc), whatever stands beside it."""
    verdict = dane_verdict(seen_of(GOOD, host_tlsa(tlsa_answer(TlsaRecord(usage, 7, 1, b""), MATCH))))
    assert verdict
    assert (verdict.dane, verdict.dane_only) == ((YES, YES) if usage == 1 else (NO, NO))


def test_an_anchor_that_is_published_in_full_and_not_sent_is_no_stale_record():
    top = root()
    below = intermediate(top)
    chain = (leaf(below, MX).facts, below.facts)
    for record in (TlsaRecord(2, 0, 0, top.der), TlsaRecord(2, 1, 0, top.key.spki)):
        verdict = dane_verdict(seen_with_chain(chain, host_tlsa(tlsa_answer(record))))
        assert verdict
        assert verdict.dane is YES
        assert [word.split(" (")[0] for word in verdict.endpoints[0].remarks] == ["matching type 0 is discouraged"]


def test_records_that_match_nothing_are_remarked():
    verdict = dane_verdict(seen_of(GOOD, host_tlsa(tlsa_answer(MATCH, MISMATCH, PKIX))))
    assert verdict
    assert [word.split(":")[0] for word in verdict.endpoints[0].remarks] == [
        "matches no chain that is served",
        "unusable",
    ]


BELOW = intermediate(root())
GIVEN = leaf(BELOW, MX).facts
KEY, NEXT_KEY = tlsa_of(3, 1, GIVEN), TlsaRecord(3, 1, 1, bytes(32))


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ((KEY,), True),
        ((KEY, NEXT_KEY), False),
        ((KEY, tlsa_of(2, 0, BELOW.facts)), False),
        ((tlsa_of(3, 0, GIVEN),), False),
        ((NEXT_KEY,), False),
    ],
)
def test_the_key_that_a_renewal_must_keep(records, told):
    """Where nothing but the present key is published; the next key or an issuer beside it make room for a change."""
    verdict = dane_verdict(seen_with_chain((GIVEN, BELOW.facts), host_tlsa(tlsa_answer(*records))))
    assert verdict
    words = " ".join(verdict.endpoints[0].remarks)
    assert ("another key will match no record" in words) is told
    assert (f"{GIVEN.not_after:%Y-%m-%d}" in words) is told


@pytest.mark.parametrize(
    ("answer", "server", "state", "facts"),
    [
        (tlsa_answer(MATCH), GOOD, TlsaState.USABLE, (YES, YES, YES)),
        (tlsa_answer(MATCH), NO_TLS, TlsaState.USABLE, (OPEN, NO, NO)),
        (tlsa_answer(PKIX), GOOD, TlsaState.UNUSABLE, (Fact.NOT_TESTED, YES, NO)),
        (failed(Kind.TIMEOUT), GOOD, TlsaState.LOOKUP_FAILED, (Fact.NOT_TESTED, OPEN, OPEN)),
    ],
)
def test_submission_is_shown_beside_and_decides_nothing(answer, server, state, facts):
    """`facts`: matched, dane, dane-only. The name of such a host is known: no MX record leads there."""
    verdict = with_submission(answer, server)
    assert verdict.dane is YES
    (shown,) = [each for each in verdict.endpoints if each.port == 587]
    assert (shown.state, (shown.matched, shown.dane, shown.dane_only)) == (state, facts)


def test_a_submission_chain_that_was_shown_without_a_server_name_denies_nothing():
    (shown,) = [each for each in with_submission(tlsa_answer(MISMATCH), GOOD).endpoints if each.port == 587]
    assert (shown.matched, shown.dane, shown.dane_only) == (OPEN, OPEN, OPEN)
    assert shown.reason
    assert shown.reason.cause is Cause.UNCONFIRMED


def with_submission(answer, server):
    plain, beside = asked(GOOD), asked(server, port=587)
    facts = domain_facts(reference(plain), reference(beside, use=EndpointUse.SUBMISSION))
    policy = PolicyFacts((host_tlsa(tlsa_answer()), host_tlsa(answer, 587)))
    facts = msgspec.structs.replace(facts, policy=policy)
    route = msgspec.structs.replace(facts.route, mx_dnssec=Dnssec.INSECURE)
    verdict = dane_verdict(seen(msgspec.structs.replace(facts, route=route), plain, beside))
    assert verdict
    return verdict


def test_no_look_ups_are_no_records():
    assert tlsa_state(None) is TlsaState.NONE

"""Reported failures beside our records: confirmed, contradicted, not seen. The command: test_tlsrpt_command."""

import msgspec
import pytest

from audits.dane import EndpointDane
from audits.published import published_verdict
from audits.reasons import Cause, Reason
from audits.report_comparison import Standing, compared
from audits.tls_reports import FailureDetails, PolicyReport, ReportedPolicy, TlsReport
from scanner.facts import Dnssec
from scanner.failures import Kind
from scanner.policy_facts import MtaStsFacts, PolicyFetch, StsRecord
from tests.audits.policy_factory import MATCH, MISMATCH, host_tlsa, seen_of, tlsa_answer
from tests.audits.session_factory import GOOD, MX, NO_TLS, SEEN, Server, asked, trusting
from tests.audits.test_records import record_of


def standing(word: str, server: Server = GOOD, host: str = MX, **policy: object) -> Standing:
    seen = seen_of(server, host_tlsa(tlsa_answer(MISMATCH)), **policy)  # type: ignore[arg-type]
    record = record_of(asked(server))
    record = msgspec.structs.replace(record, published=published_verdict(seen, record.sustained, trusting))
    failure = FailureDetails(word, 2, host)
    report = TlsReport((PolicyReport(ReportedPolicy("Example.ORG."), failure_details=(failure,)),), "Company-X")
    (found,) = compared([report], {"example.org": record}.get)
    assert (found.domain, found.sessions, found.organization) == ("example.org", 2, "Company-X")
    return found.standing


@pytest.mark.parametrize(
    ("word", "server", "expected"),
    [
        ("starttls-not-supported", NO_TLS, Standing.CONFIRMED),
        ("starttls-not-supported", GOOD, Standing.CONTRADICTED),
        ("tlsa-invalid", GOOD, Standing.CONFIRMED),
        ("validation-failure", GOOD, Standing.CONFIRMED),
        ("certificate-expired", GOOD, Standing.CONTRADICTED),
        ("a-word-of-tomorrow", GOOD, Standing.NOT_SEEN),
        ("certificate-expired", Server(connect=Kind.TIMEOUT), Standing.NOT_SEEN),
        ("sts-policy-fetch-error", GOOD, Standing.NOT_SEEN),
    ],
)
def test_standing(word, server, expected):
    assert standing(word, server) is expected


def test_of_a_host_that_is_none_of_the_domain():
    assert standing("certificate-expired", host="old.example.org") is Standing.NOT_SEEN


@pytest.mark.parametrize("domain", ["Bücher.example", "bu\u0308cher.example.", "XN--BCHER-KVA.example"])
def test_a_name_in_u_labels_is_that_of_its_a_labels(domain):
    details = (FailureDetails("certificate-expired", 1, "mx.bücher.example"),)
    report = TlsReport((PolicyReport(ReportedPolicy(domain), failure_details=details),), "Company-X")
    (found,) = compared([report], {"xn--bcher-kva.example": record_of(asked(GOOD))}.get)
    assert (found.domain, found.mx_host) == ("xn--bcher-kva.example", "mx.xn--bcher-kva.example")
    assert found.ours != "the run has no such domain"


@pytest.mark.parametrize(("status", "expected"), [(404, Standing.CONFIRMED), (200, Standing.CONTRADICTED)])
def test_the_policy_host(status, expected):
    fetch = PolicyFetch(SEEN, "192.0.2.9", status, "text/plain")
    sts = MtaStsFacts(StsRecord("v=STSv1; id=1", "1"), fetch=fetch)
    assert standing("sts-policy-fetch-error", sts=sts) is expected


@pytest.mark.parametrize("word", ["tlsa-invalid", "dnssec-invalid", "dane-required"])
def test_what_nobody_looked_for_contradicts_no_report(word):
    """After --no-policy, and behind a resolver that does not validate."""
    record = record_of(asked(GOOD))
    published = published_verdict(seen_of(GOOD), (), trusting)
    assert published.dane
    (none,) = published.dane.endpoints
    none = msgspec.structs.replace(none, reason=None)
    published = msgspec.structs.replace(published, dane=msgspec.structs.replace(published.dane, endpoints=(none,)))
    secure = msgspec.structs.replace(published, hosts_dnssec={MX: Dnssec.SECURE})
    open_ = msgspec.structs.replace(published, hosts_dnssec={MX: Dnssec.INDETERMINATE})
    unasked = msgspec.structs.replace(secure, dane=None)
    policy = PolicyReport(ReportedPolicy("example.org"), failure_details=(FailureDetails(word, 1, MX),))
    told = []
    for each in (None, unasked, open_, secure):
        judged = msgspec.structs.replace(record, published=each)
        (found,) = compared([TlsReport((policy,), "Company-X")], {"example.org": judged}.get)
        told.append(found.standing)
    assert told == [*[Standing.NOT_SEEN] * 3, Standing.CONTRADICTED]


def test_what_is_wrong_on_a_submission_port_confirms_no_report():
    """Its TLSA record matches nothing, that of the mail port does."""
    seen = seen_of(GOOD, host_tlsa(tlsa_answer(MATCH)))
    record = record_of(asked(GOOD))
    published = published_verdict(seen, (), trusting)
    assert published.dane
    (mail,) = published.dane.endpoints
    odd = msgspec.structs.replace(mail, port=587, reason=Reason(Cause.TLSA_INVALID, "the chain matches none"))
    for endpoints, standing in (((mail, odd), Standing.CONTRADICTED), ((odd, _of(odd, 25)), Standing.CONFIRMED)):
        dane = msgspec.structs.replace(published.dane, endpoints=endpoints)
        judged = msgspec.structs.replace(record, published=msgspec.structs.replace(published, dane=dane))
        policy = PolicyReport(ReportedPolicy("example.org"), failure_details=(FailureDetails("tlsa-invalid", 1, MX),))
        (found,) = compared([TlsReport((policy,), "Company-X")], {"example.org": judged}.get)
        assert found.standing is standing


def _of(dane: EndpointDane, port: int) -> EndpointDane:
    return msgspec.structs.replace(dane, port=port)

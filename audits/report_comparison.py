"""Lays received TLS reports beside our own findings: confirmed, contradicted, not seen (RFC 8460 section 4.3)."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

import msgspec

from audits.dane import EndpointDane, TlsaState
from audits.published import PublishedVerdict
from audits.reasons import Cause
from audits.records import DomainRecord
from audits.tls_reports import FailureDetails, TlsReport
from scanner.domain_name import BadNameError, ascii_name
from scanner.facts import Dnssec, Fact


class Standing(StrEnum):
    """What our own look says of a reported failure."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    """We looked at the same host, and what was reported is not so for us."""
    NOT_SEEN = "not seen"
    """We did not look there, or got no answer."""


class Compared(msgspec.Struct, frozen=True):
    """One reported failure, and what we know of it."""

    organization: str
    domain: str
    policy_type: str
    result_type: str
    mx_host: str
    sessions: int
    standing: Standing
    ours: str = ""


_ALIKE: dict[str, frozenset[str]] = {
    Cause.STARTTLS_NOT_SUPPORTED: frozenset({Cause.STARTTLS_NOT_SUPPORTED, Cause.STARTTLS_REFUSED}),
    Cause.VALIDATION_FAILURE: frozenset(
        {
            *(Cause.VALIDATION_FAILURE, Cause.CERTIFICATE_NOT_TRUSTED, Cause.CERTIFICATE_EXPIRED),
            *(Cause.CERTIFICATE_HOST_MISMATCH, Cause.HANDSHAKE_FAILED, Cause.HANDSHAKE_TOO_WEAK),
            *(Cause.NO_CERTIFICATE, Cause.TLS_SESSION_FAILED, Cause.TLSA_INVALID),
        }
    ),
}
"""Our words that say the same as the report's; validation-failure is its word for everything else."""
_OF_THE_DOMAIN = frozenset({Cause.STS_POLICY_FETCH_ERROR, Cause.STS_POLICY_INVALID, Cause.STS_WEBPKI_INVALID})
"""Result types that concern the policy host and no MX host."""
_OF_DANE = frozenset({Cause.TLSA_INVALID, Cause.DNSSEC_INVALID, Cause.DANE_REQUIRED})
_KNOWN = frozenset(cause.value for cause in Cause)
"""A word beyond these (RFC 8460 section 6.6: the registry may grow) is nothing that we look for or refute."""

FindRecord = Callable[[str], DomainRecord | None]


def compared(reports: Iterable[TlsReport], record_of: FindRecord) -> Iterator[Compared]:
    """Every failure of the reports, each beside the record of its policy domain."""
    for report in reports:
        for policy in report.policies:
            domain = _name(policy.policy.policy_domain)
            record = record_of(domain)
            for failure in policy.failure_details:
                standing, ours = _standing(failure, record)
                host = _name(failure.receiving_mx_hostname)
                yield Compared(
                    report.organization_name,
                    domain,
                    policy.policy.policy_type,
                    failure.result_type,
                    host,
                    failure.failed_session_count,
                    standing,
                    ours,
                )


def _name(text: str) -> str:
    """A name as our records have it; A-labels are demanded (RFC 8460 section 4.4), U-labels are met."""
    try:
        return ascii_name(text)
    except BadNameError:
        return text.rstrip(".").lower()


def _standing(failure: FailureDetails, record: DomainRecord | None) -> tuple[Standing, str]:
    if record is None:
        return Standing.NOT_SEEN, "the run has no such domain"
    host = _name(failure.receiving_mx_hostname)
    if failure.result_type in _OF_THE_DOMAIN:
        return _policy_standing(failure.result_type, record.published)
    known = {each.mx_host for each in record.endpoints if each.use == "mail"}
    if host and host not in known:
        return Standing.NOT_SEEN, f"{host} is no MX host of the domain"
    if failure.result_type not in _KNOWN:
        return Standing.NOT_SEEN, "not a result type that is looked for"
    wanted = _ALIKE.get(failure.result_type, frozenset({failure.result_type}))
    found = next((words for cause, words in _findings(record, host) if cause in wanted), None)
    if found is not None:
        return Standing.CONFIRMED, found
    if _is_open(record, host) or _is_unasked(failure.result_type, record):
        return Standing.NOT_SEEN, "no complete answer"
    return Standing.CONTRADICTED, "not so when we looked"


def _policy_standing(result_type: str, published: PublishedVerdict | None) -> tuple[Standing, str]:
    sts = published.mta_sts if published else None
    if sts is None or sts.state == "unknown":
        return Standing.NOT_SEEN, "the policy was not looked at, or gave no answer"
    if sts.reason and sts.reason.cause == result_type:
        return Standing.CONFIRMED, sts.reason.detail
    return Standing.CONTRADICTED, f"MTA-STS is {sts.state}"


def _findings(record: DomainRecord, host: str) -> Iterator[tuple[str, str]]:
    """Our own words about this host ("" for any): of the levels, of DANE, of MTA-STS."""
    for endpoint in record.endpoints:
        if endpoint.use in ("mail", "policy") and host in ("", endpoint.mx_host):
            yield from ((r.reason, r.detail) for r in endpoint.reasons if r.sustained is Fact.NO)
    published = record.published
    for each in _dane_of_mail(record):
        if each.reason and host in ("", each.mx_host):
            yield each.reason.cause.value, each.reason.detail
    if published and published.mta_sts:
        for kept in published.mta_sts.hosts:
            if kept.reason and host in ("", kept.mx_host):
                yield kept.reason.cause.value, kept.reason.detail


def _is_open(record: DomainRecord, host: str) -> bool:
    """Whether too little was answered to contradict anybody."""
    answered = [e for e in record.endpoints if e.use == "mail" and host in ("", e.mx_host)]
    if not answered or any(e.unknown or e.state != "ok" for e in answered):
        return True
    return any(each.state is TlsaState.INDETERMINATE for each in _dane_of_mail(record))


def _is_unasked(result_type: str, record: DomainRecord) -> bool:
    """Whether a word of DANE cannot be contradicted: nobody looked for TLSA records, or no resolver validated."""
    if result_type not in _OF_DANE:
        return False
    published = record.published
    if published is None or published.dane is None:
        return True
    without = {each.mx_host for each in _dane_of_mail(record) if each.state is TlsaState.NONE}
    return any(published.hosts_dnssec.get(host, Dnssec.INDETERMINATE) is Dnssec.INDETERMINATE for host in without)


def _dane_of_mail(record: DomainRecord) -> list[EndpointDane]:
    """Reports are about mail between servers; submission ports stand beside."""
    dane = record.published.dane if record.published else None
    mail = {(each.mx_host, each.address, each.port) for each in record.endpoints if each.use == "mail"}
    return [each for each in dane.endpoints if (each.mx_host, each.address, each.port) in mail] if dane else []

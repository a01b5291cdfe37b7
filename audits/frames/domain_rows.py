"""Rows of the frames that come from judgements: domains, endpoints, findings."""

from collections.abc import Iterator
from typing import Any

from audits.cliffs import next_cliff
from audits.frames.columns import VERSION_COLUMNS
from audits.published import PublishedVerdict
from audits.records import DomainRecord, EndpointRecord
from scanner.facts import EndpointUse, Fact, Level
from scanner.providers import registrable_domain

Row = dict[str, Any]


def domain_row(run: str, record: DomainRecord) -> Row:
    """The row of the frame `domains`."""
    bound, coverage = record.binding, record.coverage
    first = next((e.mx_host for e in record.endpoints if e.use == EndpointUse.MAIL), "")
    return {
        "run": run,
        "domain": record.domain,
        "domain_unicode": record.domain_unicode,
        "route": record.route.value,
        "grade": record.grade.value,
        "some_mx_grade": record.some_mx_grade.value,
        "today": record.today.value,
        "sustained": " ".join(record.sustained),
        "unknown": " ".join(record.unknown),
        "asked": coverage.asked,
        "answered": coverage.answered,
        "not_asked": coverage.not_asked,
        "reason": bound.reason if bound else "",
        "detail": bound.detail if bound else "",
        "remedy": bound.remedy if bound else "",
        "mx_host": bound.mx_host if bound else "",
        "operator": registrable_domain(first) if first else "",
        "required": record.required.value if record.required else None,
        "compliant": record.compliant,
        "expires": min(_expiries(record), default=None),
        **_published(record.published),
    }


def _expiries(record: DomainRecord) -> Iterator[Any]:
    for endpoint in record.endpoints:
        if endpoint.use == EndpointUse.MAIL and endpoint.leaf and endpoint.leaf.not_after:
            yield endpoint.leaf.not_after


def _published(published: PublishedVerdict | None) -> Row:
    dane = published.dane if published else None
    sts = published.mta_sts if published else None
    rpt = published.tls_rpt if published else None
    cliff = next_cliff(published.cliffs) if published else None
    return {
        "must_by": " ".join(published.must_by) if published else "",
        "mx_dnssec": published.mx_dnssec.value if published else None,
        "dane": dane.dane.value if dane else None,
        "dane_only": dane.dane_only.value if dane else None,
        "mta_sts": sts.state.value if sts else None,
        "mta_sts_mode": sts.mode.value if sts and sts.mode else None,
        "mta_sts_delivers": sts.delivers.value if sts else None,
        # Nobody looked for it where nobody looked for DANE either.
        "tls_rpt": rpt is not None and not rpt.problem if dane else None,
        "next_cliff": cliff.at if cliff else None,
        "next_cliff_what": cliff.what if cliff else "",
    }


def endpoint_rows(run: str, record: DomainRecord) -> Iterator[Row]:
    """The rows of the frame `endpoints`."""
    dane = record.published.dane if record.published else None
    judged = {(e.mx_host, e.address, e.port): e for e in dane.endpoints} if dane else {}
    for endpoint in record.endpoints:
        tlsa = judged.get((endpoint.mx_host, endpoint.address, endpoint.port))
        yield {
            "run": run,
            "domain": record.domain,
            "dane": tlsa.state.value if tlsa else None,
            "dane_matched": tlsa.matched.value if tlsa else None,
            **_where(endpoint),
            **_seen(endpoint),
        }


def _where(endpoint: EndpointRecord) -> Row:
    return {
        "mx_host": endpoint.mx_host,
        "preference": endpoint.preference,
        "address": endpoint.address,
        "port": endpoint.port,
        "sni": endpoint.sni,
        "use": endpoint.use,
        "operator": registrable_domain(endpoint.mx_host),
    }


def _seen(endpoint: EndpointRecord) -> Row:
    why = next((r for r in endpoint.reasons if r.level is Level.MUST), None)
    leaf, tls = endpoint.leaf, endpoint.tls
    versions = {
        column: endpoint.protocols.get(version, Fact.NOT_TESTED).value for version, column in VERSION_COLUMNS.items()
    }
    return {
        "state": endpoint.state.value,
        "starttls": endpoint.starttls.value,
        "sustained": " ".join(endpoint.sustained),
        "reason": why.reason if why else "",
        "detail": why.detail if why else endpoint.detail,
        **versions,
        "hybrid_group": (tls.hybrid_group if tls else Fact.NOT_TESTED).value,
        "group": endpoint.group,
        "trusted": endpoint.trust.trusted if endpoint.trust else None,
        "leaf_sha256": leaf.sha256 if leaf else "",
        "leaf_not_after": leaf.not_after if leaf else None,
        "connections": endpoint.connections,
        "seen_at": endpoint.seen_at,
    }


def finding_rows(run: str, record: DomainRecord) -> Iterator[Row]:
    """The rows of the frame `findings`."""
    for found in record.findings:
        yield {
            "run": run,
            "domain": record.domain,
            "baseline": found.baseline,
            "requirement": found.requirement,
            "rule": found.rule,
            "title": found.title,
            "subject": found.subject,
            "verdict": found.verdict.value,
            "at_stake": found.at_stake.value,
            "level": found.level,
            "clause": found.clause,
            "evidence": found.evidence,
            "grade": found.grade,
            "waiver": found.waiver,
        }

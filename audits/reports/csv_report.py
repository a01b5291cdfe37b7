"""The CSV report: one row a domain, the columns that BOD 18-01 pipelines read from trustymail, then ours.

A cell of theirs is True or False where we know, and empty where we do not: a server that did not answer supports
neither SMTP nor STARTTLS nor the contrary. SPF and DMARC are not ours to look at, so those columns are left out.
"""

import csv
from collections.abc import Iterable
from itertools import chain
from typing import TextIO

from audits.baseline import Baseline
from audits.cliffs import next_cliff
from audits.output import disarmed
from audits.records import DomainRecord, EndpointRecord
from audits.reports.judged import JudgedDomain
from audits.tables import expiry, why
from scanner.answers import Fact
from scanner.facts import Dnssec, RouteStatus
from scanner.providers import registrable_domain

THEIRS = (
    "Domain", "Base Domain", "Live", "MX Record", "MX Record DNSSEC", "Mail Servers", "Mail Server Ports Tested",
    "Domain Supports SMTP Results", "Domain Supports SMTP", "Domain Supports STARTTLS Results",
    "Domain Supports STARTTLS",
)  # fmt: skip
OURS = ("Grade", "Why Not More", "Remedy", "Today", "Expires", "Next Cliff", "Last Seen")


def write_csv(stream: TextIO, baselines: tuple[Baseline, ...], domains: Iterable[JudgedDomain]) -> None:
    """Writes the report (RFC 4180), with a column for each baseline: of those given, or else of the records."""
    rows = csv.writer(stream)
    left = iter(domains)
    first = next(left, None)
    judged = first.record.baselines if first else ()
    ids = [baseline.head.id for baseline in baselines] or [verdict.baseline for verdict in judged]
    rows.writerow([*THEIRS, *OURS, *(disarmed(f"Baseline {id}") for id in ids)])
    for domain in chain(() if first is None else (first,), left):
        verdicts = {verdict.baseline: verdict.verdict.value for verdict in domain.record.baselines}
        cells = [*_theirs(domain), *_ours(domain.record), *(verdicts.get(id, "") for id in ids)]
        rows.writerow([disarmed(cell) for cell in cells])


def _theirs(domain: JudgedDomain) -> list[str]:
    record, route = domain.record, domain.facts.route
    mail = [endpoint for endpoint in record.endpoints if endpoint.use == "mail"]
    known = route.status is not RouteStatus.UNRESOLVED
    speaks = [e for e in mail if e.sustained or e.starttls in (Fact.YES, Fact.NO)]
    secure = [e for e in speaks if e.starttls is Fact.YES]
    return [
        record.domain,
        registrable_domain(record.domain),
        _word(route.status is not RouteStatus.NO_SUCH_DOMAIN if known else None),
        _word(route.status is RouteStatus.MX if known else None),
        _word({Dnssec.SECURE: True, Dnssec.INSECURE: False}.get(route.mx_dnssec)),
        ", ".join(dict.fromkeys(host.name for host in route.hosts)),
        ", ".join(dict.fromkeys(str(endpoint.port) for endpoint in record.endpoints)),
        ", ".join(map(_place, speaks)),
        _word(True if speaks else None),
        ", ".join(map(_place, secure)),
        _word(_all_offer(mail, speaks)),
    ]


def _all_offer(mail: list[EndpointRecord], speaks: list[EndpointRecord]) -> bool | None:
    """STARTTLS on every server that speaks SMTP; not known while one of them left it open or none answered."""
    answers = {endpoint.starttls for endpoint in speaks}
    if Fact.NO in answers:
        return False
    return True if speaks and answers == {Fact.YES} and len(speaks) == len(mail) else None


def _ours(record: DomainRecord) -> list[str]:
    cliff = next_cliff(record.published.cliffs) if record.published else None
    seen = max((e.seen_at for e in record.endpoints if e.seen_at), default=None)
    return [
        record.grade.value,
        why(record),
        record.binding.remedy if record.binding else "",
        record.today.value,
        expiry(record),
        f"{cliff.at:%Y-%m-%d} {cliff.what}" if cliff else "",
        f"{seen:%Y-%m-%dT%H:%M:%SZ}" if seen else "",
    ]


def _place(endpoint: EndpointRecord) -> str:
    return f"{endpoint.mx_host}:{endpoint.port}"


def _word(fact: bool | None) -> str:
    return "" if fact is None else str(fact)

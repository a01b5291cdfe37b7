"""What a domain publishes, as lines of `tlsaudit show`: DNSSEC, DANE, MTA-STS, TLSRPT, cliff dates."""

from collections.abc import Iterator
from datetime import datetime

from audits.dane import DaneVerdict, EndpointDane, TlsaState
from audits.mta_sts import StsState, StsVerdict
from audits.published import PublishedVerdict
from audits.reasons import Reason
from audits.tables import moment
from scanner.domain_name import printable
from scanner.facts import Fact
from scanner.policy_facts import TlsRptFacts

LINE = 300


def published_lines(published: PublishedVerdict) -> Iterator[str]:
    """The published policy of a domain, indented under its name."""
    if published.must_by:
        yield f"  MUST by: {' '.join(published.must_by)}"
    hosts = "; ".join(f"{printable(name)} {state}" for name, state in list(published.hosts_dnssec.items())[:10])
    yield f"  DNSSEC: MX {published.mx_dnssec}; {hosts or 'no hosts'}"
    if published.dane:
        yield from _dane_lines(published.dane)
    if published.mta_sts:
        yield from _sts_lines(published.mta_sts)
    yield from _report_lines(published.tls_rpt)
    for remark in published.remarks:
        yield f"  remark: {printable(remark, LINE)}"
    for cliff in published.cliffs:
        unless = ", unless renewed as usual" if cliff.rolling else ""
        yield f"  cliff: {_day(cliff.at)} {cliff.what}: {cliff.why} ({printable(cliff.where)}){unless}"


def _day(at: datetime) -> str:
    return moment(at)[:10]


def _words(reason: Reason | None) -> str:
    return f": {reason.cause.value} ({printable(reason.detail, LINE)})" if reason else ""


def _dane_lines(dane: DaneVerdict) -> Iterator[str]:
    if not dane.endpoints:
        yield "  DANE: unknown, no mail host answered"
        return
    levels = {"dane": dane.dane, "dane-only": dane.dane_only}
    sustained = " ".join(level for level, fact in levels.items() if fact is Fact.YES)
    unknown = " ".join(level for level, fact in levels.items() if fact is Fact.INCONCLUSIVE)
    none = "no TLSA records;  " if all(each.state is TlsaState.NONE for each in dane.endpoints) else ""
    yield f"  DANE: {none}sustained {sustained or '-'}    unknown {unknown or '-'}{_words(dane.reason)}"
    for remark in dane.remarks:
        yield f"    remark: {printable(remark, LINE)}"
    for each in dane.endpoints:
        if each.state is not TlsaState.NONE:
            yield from _endpoint_lines(each)


def _endpoint_lines(each: EndpointDane) -> Iterator[str]:
    where = f"{printable(each.mx_host)} [{each.address}]:{each.port}"
    yield f"    {where}  TLSA {each.state}  matched {each.matched}{_words(each.reason)}"
    for record in each.records:
        mark = "  <- matches" if record == each.record else ""
        yield f"      _{each.port}._tcp.{printable(each.base)} TLSA {record}{mark}"
    for remark in each.remarks:
        yield f"      remark: {printable(remark, LINE)}"


def _sts_lines(sts: StsVerdict) -> Iterator[str]:
    if sts.state is StsState.NONE:
        yield "  MTA-STS: none"
        return
    mode = f" {sts.mode}, max_age {sts.max_age_s} s, id {printable(sts.id)}" if sts.mode else ""
    yield f"  MTA-STS: {sts.state}{mode}; a sender that enforces it delivers: {sts.delivers}{_words(sts.reason)}"
    answers = f"record {sts.dnssec}" + (f", policy host {sts.host_dnssec}" if sts.host_dnssec else "")
    yield f"    DNSSEC: {answers}"
    for host in sts.hosts:
        place = "" if host.in_policy else "  not in the policy"
        yield f"    {printable(host.mx_host)} [{host.address}]  verified {host.verified}{place}{_words(host.reason)}"
    for remark in sts.remarks:
        yield f"    remark: {printable(remark, LINE)}"


def _report_lines(report: TlsRptFacts | None) -> Iterator[str]:
    if report is None:
        yield "  TLSRPT: none"
    elif report.failure:
        yield f"  TLSRPT: unknown ({printable(str(report.failure), LINE)})"
    else:
        where = printable(", ".join(report.destinations[:5]), LINE) or "void"
        yield f"  TLSRPT: {where}" + (f": {printable(report.problem, LINE)}" if report.problem else "")
        if report.missing:
            yield f"    remark: reports to {printable(report.missing)} get lost: there is no such domain"
        for remark in report.remarks:
            yield f"    remark: {printable(remark, LINE)}"

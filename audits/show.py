"""One domain of a run with all its evidence, as lines for people or as JSON. Foreign text is escaped."""

from collections.abc import Iterator
from functools import partial

import msgspec

from audits.json_text import json_text
from audits.policy_history import drift
from audits.records import DomainRecord, EndpointRecord
from audits.show_policy import published_lines
from audits.show_tls import deep_lines, tls_lines
from audits.store import RunInfo, Store
from audits.tables import moment, why
from audits.trust import ChainVerdict
from scanner.domain_name import BadNameError, ascii_name, printable
from scanner.facts import DomainFacts, EndpointFacts, Fact, SessionFacts
from scanner.tls_facts import CertificateFacts

LINE = 400
"""Characters shown of one foreign line."""
EARLIER_RUNS = 10
"""Runs that are searched for an earlier look at a domain."""


class StoredDomain(msgspec.Struct, frozen=True):
    """The record of a domain, the facts it rests on, and what a look at the run before adds."""

    run: str
    record: DomainRecord
    facts: DomainFacts
    endpoints: tuple[EndpointFacts, ...]
    remarks: tuple[str, ...] = ()


def stored_domain(store: Store, run_name: str, domain: str) -> StoredDomain | None:
    """What a run has of a domain (or next-hop) as people write it; None where it has nothing."""
    run = store.run(run_name)
    if not domain.isprintable():
        return None
    found = store.domain(run.id, domain)
    if found is None:
        try:
            found = store.domain(run.id, ascii_name(domain))
        except BadNameError:
            return None
    if found is None:
        return None
    record = msgspec.json.decode(found.judgement, type=DomainRecord)
    endpoints = store.endpoints_of(run.id, found.facts.endpoints)
    remarks = _since_before(store, run, found.facts)
    return StoredDomain(run.name, record, found.facts, tuple(endpoints.values()), remarks)


def _since_before(store: Store, run: RunInfo, facts: DomainFacts) -> tuple[str, ...]:
    """What changed in a wrong way since the last run that has the domain; only the last few are looked at."""
    earlier = sorted((r for r in store.runs() if r.id < run.id), key=lambda r: -r.id)[:EARLIER_RUNS]
    for before in earlier:
        if (found := store.domain(before.id, facts.target.entry)) is not None:
            return drift(found.facts, facts)
    return ()


def domain_json(found: StoredDomain) -> str:
    """Record and facts; DER as base64."""
    return json_text(msgspec.json.format(msgspec.json.encode(found), indent=2))


def domain_lines(found: StoredDomain) -> Iterator[str]:
    """Grade and reason first, then every endpoint with its levels, its chain, and the transcripts."""
    record = found.record
    yield f"{printable(record.domain_unicode)}  {record.grade.value}    (run {found.run})"
    if words := why(record):
        yield f"  why not more: {words}"
    if record.binding:
        yield f"  what would lift it: {record.binding.remedy}"
    yield f"  sustained: {' '.join(record.sustained) or '-'}    unknown: {' '.join(record.unknown) or '-'}"
    yield f"  by some MX: {record.some_mx_grade.value}    mail today: {record.today.value}"
    coverage = record.coverage
    left = f", {coverage.not_asked} left alone" if coverage.not_asked else ""
    yield f"  route: {record.route.value}    answered: {coverage.answered} of {coverage.asked} addresses{left}"
    if found.facts.route.failure:
        yield f"  {printable(str(found.facts.route.failure), LINE)}"
    if record.required:
        yield f"  required: {record.required.value}    compliant: {_word(record.compliant)}"
    if record.published:
        yield from published_lines(record.published)
    for remark in found.remarks:
        yield f"  remark: {printable(remark, LINE)}"
    facts = {seen.endpoint.key: seen for seen in found.endpoints}
    for ref, shown in zip(found.facts.endpoints, record.endpoints, strict=True):
        yield ""
        yield from _endpoint_lines(shown, facts.get(ref.endpoint.key))


def _word(compliant: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[compliant]


def _endpoint_lines(shown: EndpointRecord, facts: EndpointFacts | None) -> Iterator[str]:
    name = f" with server name {printable(shown.sni)}" if shown.sni else ""
    yield f"{printable(shown.mx_host)} [{shown.address}]:{shown.port}  {shown.state.value}    {shown.use}{name}"
    if shown.detail:
        yield f"  {printable(shown.detail, LINE)}"
    if shown.sustained or shown.unknown:
        yield f"  STARTTLS {shown.starttls.value}    sustained: {' '.join(shown.sustained) or '-'}"
    for reason in shown.reasons:
        state = "unknown" if reason.sustained is Fact.INCONCLUSIVE else "not sustained"
        yield f"  {reason.level.value} {state}: {reason.reason}: {printable(reason.detail, LINE)}"
    for remark in shown.remarks:
        yield f"  remark: {remark}"
    if facts is None:
        return
    yield f"  seen {moment(facts.seen_at)}, {facts.connections} connection{'' if facts.connections == 1 else 's'}"
    for depth, certificate in enumerate(_chain(shown, facts)):
        yield from _certificate_lines(depth, certificate)
    if shown.trust:
        yield from _trust_lines(shown.trust)
    if facts.tls:
        if facts.tls_seen_at:
            yield f"  what follows was seen {moment(facts.tls_seen_at)}, and the server was found unchanged since"
        yield from tls_lines(facts.tls)
    if facts.deep:
        yield from map(partial(printable, limit=LINE), deep_lines(facts.deep))
    for number, session in enumerate(facts.sessions, 1):
        yield from _session_lines(number, session)


def _chain(shown: EndpointRecord, facts: EndpointFacts) -> list[CertificateFacts]:
    known = {certificate.sha256: certificate for certificate in facts.certificates}
    return [known[digest] for digest in shown.certificates if digest in known]


def _certificate_lines(depth: int, certificate: CertificateFacts) -> Iterator[str]:
    names = ", ".join(certificate.names_dns[:10])
    key = certificate.key
    strength = f"{key.algorithm} {key.bits} bits" if key else "unknown key"
    yield f"  certificate {depth}: {printable(certificate.subject, LINE)}"
    yield f"    issuer {printable(certificate.issuer, LINE)}"
    signed = printable(f"{strength}; {certificate.signature_algorithm}", LINE)
    yield f"    names {printable(names, LINE) or '-'}; {signed}"
    yield f"    valid {moment(certificate.not_before)} to {moment(certificate.not_after)}; sha256 {certificate.sha256}"
    if certificate.problem:
        yield f"    {printable(certificate.problem, LINE)}"


def _trust_lines(trust: ChainVerdict) -> Iterator[str]:
    words = "trusted" if trust.trusted else f"not trusted: {printable(trust.reason, LINE)}"
    verified = "-" if trust.verified_depth is None else trust.verified_depth
    depths = f"received depth {trust.received_depth}, verified depth {verified}"
    flags = {"root included": trust.root_included, "out of order": trust.out_of_order, "self-signed": trust.self_signed}
    noted = "".join(f", {word}" for word, seen in flags.items() if seen)
    yield f"  chain {words} ({depths}{noted})"


def _session_lines(number: int, session: SessionFacts) -> Iterator[str]:
    yield f"  session {number} ({session.hello.value} hello)"
    for line in session.transcript:
        yield f"    {printable(line, LINE)}"

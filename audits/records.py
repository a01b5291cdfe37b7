"""The machine-readable contract: one JSON object per domain (ARCHITECTURE section 7).

Within a schema number changes only add. The JSON Schema is generated from these structs; nobody writes it by hand.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from audits.findings import BaselineVerdict, Finding
from audits.published import PublishedVerdict
from audits.sender_levels import SenderLevel, sender_levels
from audits.trust import ChainVerdict
from audits.verdicts import DomainVerdict, EndpointVerdict, Grade, State, Today
from scanner.deep_facts import DeepFacts
from scanner.facts import DomainFacts, Endpoint, EndpointFacts, Fact, Level, RouteStatus
from scanner.failures import SmtpReply
from scanner.tls_facts import CertificateFacts
from scanner.wire_facts import TlsFacts, VersionFacts

SCHEMA = 1

VERSIONS = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3", "SSLv2")
_VERSION_WORDS = {"TLSv1": "TLSv1.0"}
"""OpenSSL's word -> ours."""


class CoverageRecord(msgspec.Struct, frozen=True):
    """Mail endpoints that were to be asked, those that answered, those left alone."""

    asked: int
    answered: int
    not_asked: int


class BindingRecord(msgspec.Struct, frozen=True):
    """What caps the grade, and what would lift it."""

    mx_host: str
    address: str
    port: int
    reason: str
    detail: str
    remedy: str


class LevelRecord(msgspec.Struct, frozen=True):
    """Why one level of one endpoint is not sustained, or not known."""

    level: Level
    sustained: Fact
    reason: str
    detail: str


class CertificateRecord(msgspec.Struct, frozen=True):
    """The leaf that the grade rests on, for people and scripts that want no second look-up."""

    sha256: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None


class SmtpRecord(msgspec.Struct, frozen=True):
    """What SMTP showed beside TLS: service extensions in clear and inside TLS, in upper case.

    `auth_in_clear`: AUTH is offered before TLS. `tls_required`: MAIL in clear is answered with 530 (with --envelope).
    """

    keywords_clear: tuple[str, ...]
    keywords_tls: tuple[str, ...]
    auth_in_clear: Fact
    auth_inside_tls: Fact
    tls_required: Fact


class EndpointRecord(msgspec.Struct, frozen=True):
    """One endpoint of the domain. `protocols` and `suites` hold what was seen; what nobody asked is "not-tested".

    Where `suites_complete` is false for a version, `suites` means "at least these". `tls` has all that was seen beyond
    the grade, at depth standard and full. `connections` counts every connection that was made to the endpoint.
    `tls_seen_at`: when `tls` and `deep` were seen, where the server was only found unchanged since (--full-every).
    """

    mx_host: str
    preference: int
    address: str
    family: int
    port: int
    use: str
    state: State
    starttls: Fact
    sustained: tuple[Level, ...]
    unknown: tuple[Level, ...]
    reasons: tuple[LevelRecord, ...]
    remarks: tuple[str, ...]
    detail: str
    protocols: dict[str, Fact]
    suites: dict[str, tuple[str, ...]]
    suites_complete: dict[str, bool]
    group: str | None
    certificates: tuple[str, ...]
    leaf: CertificateRecord | None
    connections: int
    seen_at: datetime | None
    tls: TlsFacts | None = None
    deep: DeepFacts | None = None
    smtp: SmtpRecord | None = None
    trust: ChainVerdict | None = None
    sni: str = ""
    tls_seen_at: datetime | None = None


class DomainRecord(msgspec.Struct, frozen=True):
    """One domain, as `--format jsonl` prints it."""

    schema: int
    domain: str
    domain_unicode: str
    route: RouteStatus
    grade: Grade
    some_mx_grade: Grade
    sustained: tuple[SenderLevel, ...]
    unknown: tuple[SenderLevel, ...]
    today: Today
    coverage: CoverageRecord
    binding: BindingRecord | None
    remarks: tuple[str, ...]
    required: Level | None
    compliant: bool | None
    endpoints: tuple[EndpointRecord, ...]
    findings: tuple[Finding, ...] = ()
    published: PublishedVerdict | None = None
    baselines: tuple[BaselineVerdict, ...] = ()


def domain_record(
    facts: DomainFacts,
    endpoints: Mapping[Endpoint, EndpointFacts],
    verdict: DomainVerdict,
    shown: str,
    required: Level | None = None,
) -> DomainRecord:
    """The record of a judged domain before what it publishes; `shown` is the name as people write it (U-labels)."""
    levels = sender_levels(verdict, None)
    return DomainRecord(
        schema=SCHEMA,
        domain=facts.target.entry,
        domain_unicode=shown,
        route=facts.route.status,
        grade=verdict.grade,
        some_mx_grade=verdict.some_mx_grade,
        sustained=levels.sustained,
        unknown=levels.unknown,
        today=verdict.today,
        coverage=CoverageRecord(*msgspec.structs.astuple(verdict.coverage)),
        binding=_binding(verdict),
        remarks=verdict.remarks,
        required=facts.target.required or required,
        compliant=verdict.compliant,
        endpoints=tuple(_endpoint(v, endpoints.get(v.ref.endpoint)) for v in verdict.endpoints),
    )


def _binding(verdict: DomainVerdict) -> BindingRecord | None:
    bound = verdict.binding
    if bound is None:
        return None
    reason = bound.reason
    return BindingRecord(bound.mx_host, bound.address, bound.port, reason.cause.value, reason.detail, reason.remedy)


def _endpoint(verdict: EndpointVerdict, facts: EndpointFacts | None) -> EndpointRecord:
    endpoint = verdict.ref.endpoint
    versions = _versions(facts)
    leaf = _leaf(verdict, facts)
    return EndpointRecord(
        mx_host=verdict.ref.mx_host,
        preference=verdict.ref.preference,
        address=endpoint.address,
        family=6 if ":" in endpoint.address else 4,
        port=endpoint.port,
        use=verdict.ref.use.value,
        state=verdict.state,
        starttls=verdict.starttls,
        sustained=verdict.sustained,
        unknown=verdict.unknown,
        reasons=tuple(
            LevelRecord(a.level, a.sustained, a.reason.cause.value, a.reason.detail)
            for a in verdict.answers
            if a.reason is not None
        ),
        remarks=tuple(dict.fromkeys(a.remark for a in verdict.answers if a.remark)),
        detail=verdict.reason.detail if verdict.reason else "",
        protocols={version.version: version.offered for version in versions},
        suites={version.version: version.suites for version in versions if version.suites},
        suites_complete={version.version: version.complete for version in versions if version.suites},
        group=verdict.handshake.group if verdict.handshake else None,
        certificates=verdict.handshake.chain if verdict.handshake else (),
        leaf=_certificate(leaf) if leaf else None,
        connections=facts.connections if facts else 0,
        seen_at=facts.seen_at if facts else None,
        tls=facts.tls if facts else None,
        deep=facts.deep if facts else None,
        smtp=_smtp(facts) if facts and facts.sessions else None,
        trust=verdict.trust,
        sni=endpoint.sni,
        tls_seen_at=facts.tls_seen_at if facts else None,
    )


def _smtp(facts: EndpointFacts) -> SmtpRecord:
    clear = next((s.ehlo for s in facts.sessions if s.ehlo and s.ehlo.severity == 2), None)
    inside = next((s.ehlo_tls for s in facts.sessions if s.ehlo_tls and s.ehlo_tls.severity == 2), None)
    mail = next((s.mail_clear for s in facts.sessions if s.mail_clear), None)
    required = Fact.NOT_TESTED if mail is None else Fact.YES if mail.code == 530 else Fact.NO
    if mail is not None and mail.severity == 4:
        required = Fact.INCONCLUSIVE
    return SmtpRecord(
        tuple(clear.keywords) if clear else (),
        tuple(inside.keywords) if inside else (),
        _offers(clear, "AUTH"),
        _offers(inside, "AUTH"),
        required,
    )


def _offers(ehlo: SmtpReply | None, keyword: str) -> Fact:
    if ehlo is None:
        return Fact.NOT_TESTED
    return Fact.YES if keyword in ehlo.keywords else Fact.NO


def _versions(facts: EndpointFacts | None) -> list[VersionFacts]:
    """Every version with what is known of it: from the hellos where they were sent, and from the handshakes."""
    handshakes = [session.handshake for session in facts.sessions if session.handshake] if facts else []
    asked = {version.version: version for version in facts.tls.versions} if facts and facts.tls else {}
    return [
        _with_handshakes(
            asked.get(name) or VersionFacts(version=name, offered=Fact.NOT_TESTED),
            [h.suite for h in handshakes if _VERSION_WORDS.get(h.version, h.version) == name],
        )
        for name in VERSIONS
        if name in asked or name != "SSLv2"
    ]


def _with_handshakes(version: VersionFacts, suites: list[str]) -> VersionFacts:
    if not suites:
        return version
    known = tuple(dict.fromkeys((*version.suites, *suites)))
    complete = version.complete and known == version.suites
    return msgspec.structs.replace(version, offered=Fact.YES, suites=known, complete=complete)


def _leaf(verdict: EndpointVerdict, facts: EndpointFacts | None) -> CertificateFacts | None:
    chain = verdict.handshake.chain if verdict.handshake else ()
    return next((c for c in facts.certificates if chain and c.sha256 == chain[0]), None) if facts else None


def _certificate(leaf: CertificateFacts) -> CertificateRecord:
    return CertificateRecord(
        leaf.sha256,
        leaf.subject,
        leaf.issuer,
        leaf.names_dns or leaf.common_names,
        leaf.not_before,
        leaf.not_after,
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a line of `--format jsonl`."""
    schema = msgspec.json.schema(DomainRecord)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"tlsaudit domain, schema {SCHEMA}",
    } | schema

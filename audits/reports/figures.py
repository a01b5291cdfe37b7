"""The numbers of a report, counted while the domains go by: grades, versions, keys, expiry, post-quantum readiness."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import msgspec

from audits.records import EndpointRecord
from audits.reports.judged import JudgedDomain
from audits.verdicts import Grade
from scanner.answers import Fact
from scanner.facts import EndpointFacts
from scanner.tls_facts import CertificateFacts

VERSIONS = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3")
WEEKS = 26
"""Weeks of the expiry calendar; what expires later is one column."""


class Calendar(msgspec.Struct, frozen=True):
    """Leaf certificates by the week in which they expire: `weeks` are (Monday, number)."""

    expired: int
    weeks: tuple[tuple[date, int], ...]
    later: int


class Figures:
    """Counts of one run. Endpoints and certificates that domains share count once."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self.domains = 0
        self.grades: Counter[Grade] = Counter()
        self.today: Counter[str] = Counter()
        self.versions: dict[str, Counter[Fact]] = {version: Counter() for version in VERSIONS}
        self.hybrid: Counter[Fact] = Counter()
        self.keys: Counter[str] = Counter()
        self.baselines: dict[str, Counter[str]] = {}
        self.connections = 0
        self._endpoints: set[tuple[str, int]] = set()
        self._leaves: dict[str, datetime | None] = {}

    def take(self, domain: JudgedDomain) -> None:
        """Counts one domain."""
        record = domain.record
        self.domains += 1
        self.grades[record.grade] += 1
        self.today[record.today.value] += 1
        for verdict in record.baselines:
            self.baselines.setdefault(verdict.baseline, Counter())[verdict.verdict.value] += 1
        facts = {
            (seen.endpoint.address, seen.endpoint.port): seen for seen in domain.endpoints if not seen.endpoint.sni
        }
        for endpoint in record.endpoints:
            key = (endpoint.address, endpoint.port)
            if endpoint.sni or key in self._endpoints:
                continue
            self._endpoints.add(key)
            self._take_endpoint(endpoint, facts.get(key))

    def _take_endpoint(self, endpoint: EndpointRecord, facts: EndpointFacts | None) -> None:
        self.connections += endpoint.connections
        if endpoint.use != "mail" or facts is None:
            return
        for version, counts in self.versions.items():
            counts[_answer(endpoint, endpoint.protocols.get(version, Fact.NOT_TESTED))] += 1
        self.hybrid[_answer(endpoint, endpoint.tls.hybrid_group if endpoint.tls else Fact.NOT_TESTED)] += 1
        leaf = next((c for c in facts.certificates if endpoint.leaf and c.sha256 == endpoint.leaf.sha256), None)
        if leaf is not None and leaf.sha256 not in self._leaves:
            self._leaves[leaf.sha256] = leaf.not_after
            self.keys[key_name(leaf)] += 1

    @property
    def endpoints(self) -> int:
        """Endpoints, each once."""
        return len(self._endpoints)

    def calendar(self) -> Calendar:
        """When the leaf certificates expire, seen from the time of the run."""
        monday = self._at.date() - timedelta(days=self._at.weekday())
        weeks = Counter[int]()
        expired = later = 0
        for end in self._leaves.values():
            if end is None:
                continue
            week = (end.astimezone(UTC).date() - monday).days // 7
            if end <= self._at:
                expired += 1
            elif week >= WEEKS:
                later += 1
            else:
                weeks[week] += 1
        return Calendar(expired, tuple((monday + timedelta(weeks=n), weeks[n]) for n in range(WEEKS)), later)


def key_name(certificate: CertificateFacts) -> str:
    """ "RSA 2048", "EC secp256r1", or "unreadable"."""
    key = certificate.key
    if key is None:
        return "unreadable"
    return f"{key.algorithm} {key.curve or key.bits}"


def _answer(endpoint: EndpointRecord, fact: Fact) -> Fact:
    """A server that offers no STARTTLS speaks no version and no group of TLS, whether it was asked or not."""
    return Fact.NO if endpoint.starttls is Fact.NO and fact is not Fact.YES else fact

"""Judges stored facts into records: the same offline, a year later, as during the scan.

The time of verification is when the chain was seen, never the clock of the one who judges.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from audits.dane import Seen
from audits.established.views import DomainView
from audits.evaluate import Evaluator
from audits.grade import domain_verdict
from audits.published import published_verdict
from audits.records import DomainRecord, domain_record
from audits.sender_levels import sender_levels
from audits.trust import ChainVerdict, TrustStore, verify_chain
from audits.verdicts import DomainVerdict
from scanner.domain_name import shown
from scanner.facts import NO_MAIL_ROUTES, DomainFacts, EndpointFacts, EndpointRef, Level, MailRoute
from scanner.tls_facts import CertificateFacts

REMEMBERED = 20_000
"""Verdicts on chains kept: many domains share the hosts of one provider."""
ALIKE = 2_000
"""Records kept for the domains with the same hosts; each holds the facts of its endpoints, some 10 kB."""

_Key = tuple[MailRoute, tuple[EndpointRef, ...], Level | None, tuple[int, ...]]


class Judge:
    """One trust store and the demands of one run."""

    def __init__(
        self, trust: TrustStore, verify_depth: int, required: Level | None, evaluator: Evaluator | None = None
    ) -> None:
        self._trust = trust
        self._depth = verify_depth
        self._required = required
        self._evaluator = evaluator
        self._known: dict[tuple[tuple[str, ...], datetime], ChainVerdict] = {}
        self._alike: dict[_Key, tuple[DomainRecord, DomainVerdict, Sequence[EndpointFacts]]] = {}

    def record(self, facts: DomainFacts, endpoints: Sequence[EndpointFacts]) -> DomainRecord:
        """The judged record of one domain.

        Domains with the same hosts differ in their names and in what they publish, so each set of hosts is judged once.
        """
        if facts.route.status in NO_MAIL_ROUTES:
            record, verdict = self._judged(facts, endpoints)
            return self._with_findings(record, DomainView(facts, {}, verdict, None))
        key = (facts.route, facts.endpoints, facts.target.required, tuple(map(id, endpoints)))
        if key not in self._alike:
            if len(self._alike) >= ALIKE:
                self._alike.clear()
            # The facts are kept beside it: as long as they live, no others have their ids.
            self._alike[key] = (*self._judged(facts, endpoints), endpoints)
        record, verdict, _ = self._alike[key]
        by_endpoint = {each.endpoint: each for each in endpoints}
        seen = Seen(facts, by_endpoint, verdict.endpoints)
        published = published_verdict(seen, verdict.sustained, self._verify)
        levels = sender_levels(verdict, published.dane)
        entry = facts.target.entry
        record = msgspec.structs.replace(
            record,
            domain=entry,
            domain_unicode=shown(entry),
            sustained=levels.sustained,
            unknown=levels.unknown,
            published=published,
        )
        return self._with_findings(record, DomainView(facts, by_endpoint, verdict, published))

    def _with_findings(self, record: DomainRecord, view: DomainView) -> DomainRecord:
        if self._evaluator is None:
            return record
        judged = self._evaluator.judge(view)
        return msgspec.structs.replace(record, findings=judged.findings, baselines=judged.baselines)

    def _judged(self, facts: DomainFacts, endpoints: Sequence[EndpointFacts]) -> tuple[DomainRecord, DomainVerdict]:
        by_endpoint = {seen.endpoint: seen for seen in endpoints}
        verdict = domain_verdict(facts, by_endpoint, self._verify, self._required)
        return domain_record(facts, by_endpoint, verdict, shown(facts.target.entry), self._required), verdict

    def _verify(self, chain: Sequence[CertificateFacts], at: datetime) -> ChainVerdict:
        key = (tuple(certificate.sha256 for certificate in chain), at)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = verify_chain(self._trust, chain, at, self._depth)
        return self._known[key]

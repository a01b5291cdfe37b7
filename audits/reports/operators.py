"""The roll-up by operator: who runs the MX hosts of which domains, and one notice where there is something to mend."""

from collections import Counter

import msgspec

from audits.reasons import Cause
from audits.records import DomainRecord
from audits.verdicts import Grade
from scanner.providers import registrable_domain

NAMED = 50
"""Domains named in a notice; of more, the number."""
_OURS = frozenset({Cause.NOT_ASKED, Cause.THROTTLED, Cause.UNANSWERED, Cause.UNREACHABLE, Cause.DNS_UNANSWERED})
"""Causes that are no fault an operator can be told of."""


class Fault(msgspec.Struct, frozen=True):
    """One thing to mend at one host."""

    host: str
    reason: str
    detail: str
    remedy: str


class Operator(msgspec.Struct, frozen=True):
    """One operator, by the registrable domain of the first MX host."""

    name: str
    domains: tuple[str, ...]
    grades: dict[str, int]
    faults: tuple[Fault, ...]

    @property
    def notice(self) -> str:
        """A text that can be sent to the operator; "" where there is nothing to mend."""
        if not self.faults:
            return ""
        more = f" and {len(self.domains) - NAMED} more" if len(self.domains) > NAMED else ""
        lines = [
            f"Your mail servers ({self.name}) take mail for {', '.join(self.domains[:NAMED])}{more}.",
            "A sender cannot enforce authenticated TLS to them without losing mail, because:",
        ]
        lines += [f"- {f.host}: {f.reason}" + (f" ({f.detail})" if f.detail else "") for f in self.faults]
        remedies = dict.fromkeys(fault.remedy for fault in self.faults)
        return "\n".join([*lines, "What would mend it:", *(f"- {remedy}" for remedy in remedies)])


class Operators:
    """Gathers the operators while the domains go by."""

    def __init__(self) -> None:
        self._domains: dict[str, list[str]] = {}
        self._grades: dict[str, Counter[Grade]] = {}
        self._faults: dict[str, dict[tuple[str, str], Fault]] = {}

    def take(self, record: DomainRecord) -> str:
        """Counts a domain to its operator; gives the operator's name, "" for a domain without mail."""
        host = next((e.mx_host for e in record.endpoints if e.use == "mail"), "")
        if not host:
            return ""
        name = registrable_domain(host)
        self._domains.setdefault(name, []).append(record.domain_unicode)
        self._grades.setdefault(name, Counter())[record.grade] += 1
        bound = record.binding
        if bound and bound.mx_host and bound.reason not in _OURS:
            fault = Fault(bound.mx_host, bound.reason, bound.detail, bound.remedy)
            self._faults.setdefault(name, {}).setdefault((fault.host, fault.reason), fault)
        return name

    def all(self) -> tuple[Operator, ...]:
        """The operators, those with most domains first."""
        return tuple(
            Operator(
                name,
                tuple(domains),
                {grade.value: self._grades[name][grade] for grade in Grade if self._grades[name][grade]},
                tuple(self._faults.get(name, {}).values()),
            )
            for name, domains in sorted(self._domains.items(), key=lambda item: (-len(item[1]), item[0]))
        )

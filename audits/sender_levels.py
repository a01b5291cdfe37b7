"""The levels of a domain as its record lists them: the four of the grade, then `dane` and `dane-only` (RFC 7672).

`dane` is sustained where a sender at that level loses no mail: without usable TLSA records it acts as MAY or as
MUST_NOPEERMATCH does. `dane-only` needs a record that matches at every host that answered. Where nobody looked for TLSA
records both are unknown; where no host answered no level is in either list.
"""

from enum import StrEnum

import msgspec

from audits.dane import DaneVerdict
from audits.verdicts import DomainVerdict
from scanner.facts import EndpointUse, Fact


class SenderLevel(StrEnum):
    """What a sender may enforce: the words of smtp_tls_per_site, and the two levels that it lacks."""

    NONE = "NONE"
    MAY = "MAY"
    MUST_NOPEERMATCH = "MUST_NOPEERMATCH"
    MUST = "MUST"
    DANE = "dane"
    DANE_ONLY = "dane-only"


class SenderLevels(msgspec.Struct, frozen=True):
    """A level in neither is not sustained, as long as a host answered."""

    sustained: tuple[SenderLevel, ...]
    unknown: tuple[SenderLevel, ...]


def sender_levels(verdict: DomainVerdict, dane: DaneVerdict | None) -> SenderLevels:
    """The levels of a domain; `dane` is None where nobody looked for TLSA records."""
    facts = {SenderLevel(level.value): Fact.YES for level in verdict.sustained}
    facts |= {SenderLevel(level.value): Fact.INCONCLUSIVE for level in verdict.unknown}
    if any(each.answers and each.ref.use is EndpointUse.MAIL for each in verdict.endpoints):
        facts[SenderLevel.DANE] = dane.dane if dane else Fact.INCONCLUSIVE
        facts[SenderLevel.DANE_ONLY] = dane.dane_only if dane else Fact.INCONCLUSIVE
    return SenderLevels(_those(facts, Fact.YES), _those(facts, Fact.INCONCLUSIVE))


def _those(facts: dict[SenderLevel, Fact], wanted: Fact) -> tuple[SenderLevel, ...]:
    return tuple(level for level in SenderLevel if facts.get(level) is wanted)

"""MUST, split by how the name of the MX host was learnt: the "DNS loophole" as a fact.

A certificate that names the MX host proves nothing as long as an attacker who forges DNS answers can choose that host.
The name is known for sure by DNSSEC, by an MTA-STS policy, because the user wrote it, or because the certificate names
the domain itself.
"""

from enum import StrEnum

from audits.dane import Seen, chain_of
from audits.mta_sts import StsState, StsVerdict
from audits.names import name_match
from scanner.facts import Dnssec, Level, RouteStatus
from scanner.policy_facts import StsMode


class MustBy(StrEnum):
    """How the name that a certificate must have is known."""

    DNSSEC = "MUST-DNSSEC"
    STS = "MUST-STS"
    NEXTHOP = "MUST-NEXTHOP"
    INSECURE_MX = "MUST-INSECURE-MX"


def must_by(seen: Seen, sustained: tuple[Level, ...], sts: StsVerdict | None) -> tuple[MustBy, ...]:
    """All ways in which MUST holds for a domain; empty where it does not hold."""
    if Level.MUST not in sustained:
        return ()
    route = seen.facts.route
    ways = []
    if route.status is RouteStatus.MX and route.mx_dnssec is Dnssec.SECURE:
        ways.append(MustBy.DNSSEC)
    if sts and sts.state is StsState.VALID and sts.mode is StsMode.ENFORCE and all(h.in_policy for h in sts.hosts):
        ways.append(MustBy.STS)
    if route.status in (RouteStatus.NEXT_HOP, RouteStatus.IMPLICIT_MX) or _names_the_domain(seen):
        ways.append(MustBy.NEXTHOP)
    return tuple(ways) or (MustBy.INSECURE_MX,)


def _names_the_domain(seen: Seen) -> bool:
    """Whether the certificate of every host that answered names the next-hop itself (Postfix: match=nexthop)."""
    answered = seen.mail()
    for verdict in answered:
        facts = seen.endpoints.get(verdict.ref.endpoint)
        chain = chain_of(verdict.handshake, facts) if facts else None
        if not chain or not name_match(chain[0], seen.facts.target.name).matched:
            return False
    return bool(answered)

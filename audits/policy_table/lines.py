"""From evidence to one line for one domain: the strongest level that is proven, or why there is none.

Candidates stand in the order of what they protect against. A line that rests on facts whose time is over is none.
`may` is written only where encryption is refuted, because a line that merely lacks proof for more would lower a
stronger global level; `none` where mail inside TLS is refused, or where TLS works at no address, so that each mail
would wait ("you can use the per-site policies to disable TLS for the problem sites", TLS_README of 2.2.9).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

import msgspec

from audits.policy_table.evidence import UNDEMANDING, Evidence, Recheck
from audits.policy_table.looks import GRADE_RUNGS, Rung, Way
from audits.postfix.hostnames import valid_hostname
from audits.postfix.lint.cert_match import matches
from audits.postfix.parameters import Version
from audits.postfix.policy_map import ATTRIBUTE_SINCE, LEVEL_SINCE
from audits.postfix.tls_levels import TlsLevel
from audits.reasons import Cause
from scanner.facts import Fact, RouteStatus

AUTHENTICATED = (Rung.MUST, Rung.MUST_BY_NAME)
POLICY_MAPS_SINCE = Version(2, 3, 0)
"""smtp_tls_policy_maps, and the return to clear text behind a failed handshake at `may`."""
ADDRESSES_MATCH_SINCE = Version(3, 6, 0)
"""Before, smtp(8) compared names with dNSNames and the CN alone, never an address with an iPAddress (tls_client.c)."""
MAX_PATTERNS = 20
_KEY = re.compile(r"(?:\[[A-Za-z0-9._:-]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


class TableFormat(StrEnum):
    """What is written."""

    PER_SITE = "per-site"
    POLICY_MAPS = "policy-maps"
    TRANSPORT = "transport"


class Wish(msgspec.Struct, frozen=True):
    """Who will read the table, what it may rest on, and the time at which it is made."""

    format: TableFormat
    version: Version
    now: datetime
    strict: bool = False


class Candidate(msgspec.Struct, frozen=True):
    """A value that a line can have. `trusting`: it compares names that unsigned MX records gave."""

    rung: Rung
    value: str
    trusting: bool = False


class Line(msgspec.Struct, frozen=True):
    """A line and what it rests on; `lack` is why no stronger candidate was taken."""

    key: str
    value: str
    candidate: Candidate
    evidence: Evidence
    recheck: Recheck
    lack: str = ""


class Skip(msgspec.Struct, frozen=True):
    """A domain without a line, and why."""

    entry: str
    why: str


def line_of(evidence: Evidence, wish: Wish) -> Line | Skip:
    """The line of a domain in a table of policies."""
    if fault := unusable(evidence):
        return Skip(evidence.entry, fault)
    lack = unencrypted = ""
    for candidate in candidates(evidence, wish):
        why_not = _why_not(candidate, evidence, wish)
        if not why_not:
            recheck = evidence.recheck(candidate.rung)
            return Line(evidence.entry, candidate.value, candidate, evidence, recheck, lack)
        lack = why_not if _tells(candidate, evidence) else lack
        if candidate.rung is Rung.MUST_NOPEERMATCH:
            unencrypted = why_not
    return Skip(evidence.entry, unencrypted)


def _tells(candidate: Candidate, evidence: Evidence) -> bool:
    """Whether a reader wants to know why not: that a domain publishes no DANE is no news, that it fails is."""
    rung = candidate.rung
    fails = evidence.refuted(rung) and Cause.DANE_REQUIRED.value not in evidence.proofs[rung].why
    return rung in GRADE_RUNGS or (rung is Rung.DANE_ONLY and fails)


def unusable(evidence: Evidence) -> str:
    """Why a domain can have no line in any table; "" where it can."""
    if not _KEY.fullmatch(evidence.entry):
        return "its name can be no key of a table"
    if evidence.newest.port == 465:
        return "port 465 needs smtp_tls_wrappermode, which no table of policies can switch on"
    return evidence.gap


def candidates(evidence: Evidence, wish: Wish) -> Iterator[Candidate]:
    """The values that the table's format and the Postfix version know, the best first."""
    if wish.format is TableFormat.PER_SITE:
        yield Candidate(Rung.MUST, "MUST", trusting=not _hosts_known(evidence))
        yield Candidate(Rung.MUST_NOPEERMATCH, "MUST_NOPEERMATCH")
        yield Candidate(Rung.MAY, "MAY")
        yield Candidate(Rung.NONE, "NONE")
    else:
        yield from _authenticated(evidence, wish.version)
        yield Candidate(Rung.MUST_NOPEERMATCH, "encrypt")
        if _partly_dane(evidence) and wish.version >= LEVEL_SINCE[TlsLevel.DANE]:
            yield Candidate(Rung.DANE_OR_LESS, "dane")
        yield Candidate(Rung.MAY, "may")
        yield Candidate(Rung.NONE, "none")


def _authenticated(evidence: Evidence, version: Version) -> Iterator[Candidate]:
    """DANE first, whose promise is the domain's own; then names that are known for sure; then the MX host's name."""
    if version >= LEVEL_SINCE[TlsLevel.DANE_ONLY]:
        yield Candidate(Rung.DANE_ONLY, "dane-only")
    pkix = [(Rung.MUST, "")]
    if version >= ATTRIBUTE_SINCE["servername"]:
        pkix.append((Rung.MUST_BY_NAME, " servername=hostname"))
    patterns = sts_patterns(evidence)
    own = evidence.newest.status in (RouteStatus.NEXT_HOP, RouteStatus.IMPLICIT_MX)
    for rung, attribute in pkix:
        named = evidence.ways[Way.NEXTHOP] is Fact.YES and (own or not attribute)
        if named and valid_hostname(evidence.newest.name):
            yield Candidate(rung, f"secure match=nexthop{attribute}")
        elif evidence.ways[Way.STS] is Fact.YES and patterns:
            yield Candidate(rung, f"secure match={':'.join(patterns)}{attribute}")
    for rung, attribute in pkix:
        yield Candidate(rung, f"verify{attribute}", trusting=not _hosts_known(evidence))


def _hosts_known(evidence: Evidence) -> bool:
    """Whether the hosts' own names, which MUST and verify compare, are known for sure.

    That a certificate names the domain, or that a policy lists the hosts, helps only the levels that ask for it: who
    forges MX records leads MUST to a host of his own, also where there were no records.
    """
    return evidence.newest.status is RouteStatus.NEXT_HOP or evidence.ways[Way.DNSSEC] is Fact.YES


def _partly_dane(evidence: Evidence) -> bool:
    """Some hosts have TLSA records that match, others none, so that `dane` is more than `may` and less than `encrypt`.

    Behind unsigned MX records it is no more than `may`: smtp_tls_dane_insecure_mx_policy is "dane" by default only
    where the global level is dane.
    """
    signed = evidence.ways[Way.DNSSEC] is Fact.YES
    return signed and any(address.fact(Rung.DANE) is Fact.YES for address in evidence.addresses)


def sts_patterns(evidence: Evidence) -> tuple[str, ...]:
    """The hosts of the newest MTA-STS policy as Postfix matches them: "*.example" is ".example" there.

    () where one of them is no host name, where they are too many for a line, or leave a host of today out.
    """
    listed = next((look.sts_mx for look in evidence.looks if look.ways.get(Way.STS) is Fact.YES), ())
    patterns = tuple(dict.fromkeys(mx.lower().removeprefix("*").removesuffix(".") for mx in listed))
    fits = 0 < len(patterns) <= MAX_PATTERNS
    fits = fits and all(valid_hostname(pattern.removeprefix(".")) for pattern in patterns)
    return patterns if fits and all(matches(patterns, "", "", [host]) for host in evidence.hosts) else ()


def _why_not(candidate: Candidate, evidence: Evidence, wish: Wish) -> str:
    """What keeps a candidate from being the line; "" where nothing does."""
    rung = candidate.rung
    if not evidence.proven(rung):
        return f"not {candidate.value.split()[0]}: {evidence.proofs[rung].why}"
    if rung in AUTHENTICATED and (nameless := unmatchable(evidence, wish.version)):
        return f"not {candidate.value.split()[0]}: {nameless}"
    if candidate.trusting and wish.strict:
        return f"not {candidate.value.split()[0]}: its names come from unsigned MX records (--strict)"
    recheck = evidence.recheck(rung)
    if recheck.by <= wish.now:
        what = recheck.what or "the newest look is too old"
        return f"not {candidate.value.split()[0]}: {what} ({recheck.by:%Y-%m-%d}); scan again"
    if rung in UNDEMANDING:
        return _undemanded(rung, evidence, wish)
    return ""


def unmatchable(evidence: Evidence, version: Version) -> str:
    """Why this Postfix finds no certificate for a host, whatever the scan found; "" where it may."""
    literal = next((host for host in evidence.hosts if _is_address(host)), "")
    if not literal or version >= ADDRESSES_MATCH_SINCE:
        return ""
    return f"before Postfix 3.6 no certificate matches an address such as {literal}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _undemanded(rung: Rung, evidence: Evidence, wish: Wish) -> str:
    """`may` and `none` are ways down, taken only where the way up is refuted."""
    broken = evidence.all_delayed and evidence.proven(Rung.NONE)
    if not evidence.refuted(Rung.MUST_NOPEERMATCH):
        return f"not {Rung.MUST_NOPEERMATCH}: {evidence.proofs[Rung.MUST_NOPEERMATCH].why}"
    if rung is Rung.MAY:
        waits = broken or (evidence.delayed and wish.version < POLICY_MAPS_SINCE)
        return f"not may: TLS fails at {evidence.delayed[0]}, so that mail waits" if waits else ""
    return "" if broken or evidence.refuted(Rung.MAY) or evidence.delayed else "may is enough"

"""Certificates of the servers between two views: renewed, exchanged, soon to expire."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from audits.diff.change import Change, Kind, Severity
from audits.diff.compare import place_name, turned
from audits.diff.settled import Settled, View
from audits.records import CertificateRecord
from scanner.tls_facts import CertificateFacts

CertificateOf = Callable[[str], CertificateFacts | None]
"""The facts of a certificate by the hexadecimal SHA-256 of its DER; None where they were not kept."""

DAYS_NEAR = (30, 14, 7)
_ORGANISATION = re.compile(r"(?:^|(?<!\\),)O=((?:[^,\\]|\\.)*)")
_USUAL_RENEWAL = 3
"""Certificates are commonly renewed when a third of their life is left: a date that comes near before is no news."""


def certificate_changes(domain: str, before: View, after: View, certificate_of: CertificateOf) -> Iterator[Change]:
    """New certificates at the places that both views know.

    One that the place has shown before within the window is one of several servers behind one address: no change.
    """
    for place, was, now in turned(before.leaves, after.leaves):
        old, new = was.value.certificate, now.value.certificate
        if new.sha256 in was.value.seen:
            continue
        differing = _differing(old, new, certificate_of)
        until_before, until_after = _until(old, new)
        yield Change(
            domain=domain,
            kind=Kind.CERTIFICATE_CHANGED if differing else Kind.CERTIFICATE_RENEWED,
            severity=Severity.NOTICE if differing else Severity.INFORMATION,
            where=place_name(place),
            before=until_before,
            after=until_after,
            detail="; ".join(differing),
            evidence=f"sha256 {old.sha256} -> {new.sha256}",
            since=was.run,
        )


def _until(old: CertificateRecord, new: CertificateRecord) -> tuple[str, ...]:
    """The ends of both; with the minute where they are on the same day."""
    ends = (old.not_after, new.not_after)
    one_day = len({end.date() if end else None for end in ends}) == 1
    form = "%Y-%m-%d %H:%MZ" if one_day else "%Y-%m-%d"
    return tuple(f"until {end:{form}}" if end else "without an end" for end in ends)


def _differing(old: CertificateRecord, new: CertificateRecord, certificate_of: CertificateOf) -> list[str]:
    """What makes a new certificate more than a renewal.

    The organisation of the issuer counts and not the name of its intermediate, which large CAs draw by lot.
    """
    words = []
    if issuer_name(old.issuer) != issuer_name(new.issuer):
        words.append(f"issuer {old.issuer or '-'} -> {new.issuer or '-'}")
    keys = [_key(certificate_of(each.sha256)) for each in (old, new)]
    if all(keys) and keys[0] != keys[1]:
        words.append(f"key {keys[0]} -> {keys[1]}")
    names = [frozenset(name.lower() for name in each.names) for each in (old, new)]
    if gone := sorted(names[0] - names[1]):
        words.append(f"without {_some(gone)}")
    if more := sorted(names[1] - names[0]):
        words.append(f"also for {_some(more)}")
    return words


def issuer_name(issuer: str) -> str:
    """Who issued: the organisation in the name (RFC 4514), else the whole name."""
    found = _ORGANISATION.search(issuer)
    return found[1] if found else issuer


def _key(certificate: CertificateFacts | None) -> str:
    key = certificate.key if certificate else None
    return f"{key.algorithm} {key.curve or key.bits}" if key else ""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def expiry_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    """Certificates whose remaining days fell below a threshold, and new ones that begin below it."""
    for sha256 in sorted(before.expiries.keys() & after.expiries.keys()):
        was, now = before.expiries[sha256], after.expiries[sha256]
        yield from _expiring(domain, was, now, ", ".join(_places(after, sha256)))
    for place, before_it, shown in turned(before.leaves, after.leaves):
        if shown.value.certificate.sha256 not in before_it.value.seen:
            old, new = (Settled(each.value.certificate, each.run, each.at) for each in (before_it, shown))
            yield from _expiring(domain, old, new, place_name(place))


def _expiring(
    domain: str, was: Settled[CertificateRecord], now: Settled[CertificateRecord], where: str
) -> Iterator[Change]:
    first, ends = was.value.not_after, now.value.not_after
    days = crossed(first - was.at, ends - now.at) if first and ends else None
    if first is None or ends is None or days is None:
        return
    yield Change(
        domain=domain,
        kind=Kind.CERTIFICATE_EXPIRING,
        severity=_severity(days, now.value),
        where=where,
        before=days_left(first, was.at),
        after=days_left(ends, now.at),
        detail=f"expires {ends:%Y-%m-%d %H:%M}Z",
        evidence=f"sha256 {now.value.sha256}",
        since=was.run,
    )


def crossed(before: timedelta, now: timedelta, thresholds: tuple[int, ...] = DAYS_NEAR) -> int | None:
    """The lowest of the thresholds, in days, below which the time left fell; None once it is over."""
    hit = [days for days in thresholds if before > timedelta(days=days) >= now]
    return min(hit) if hit and now > timedelta(0) else None


def days_left(ends: datetime, at: datetime) -> str:
    return f"{(ends - at) / timedelta(days=1):.1f} days"


def _severity(days: int, certificate: CertificateRecord) -> Severity:
    begins, ends = certificate.not_before, certificate.not_after
    if begins and ends and timedelta(days=days) * _USUAL_RENEWAL >= ends - begins:
        return Severity.INFORMATION
    return Severity.WARNING if days <= min(DAYS_NEAR) else Severity.NOTICE


def _places(view: View, sha256: str) -> list[str]:
    return sorted({place_name(p) for p, leaf in view.leaves.items() if leaf.value.certificate.sha256 == sha256})

"""From when and until when certificates are valid, seen from the moment at which the server was looked at."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from audits.established.certificates import ServedChains
from audits.rules.chain_scope import OfChains, issuers, leaves, words
from audits.rules.question import Item, met, rule
from scanner.answers import Fact
from scanner.tls_facts import CertificateFacts

_DAY_S = 86_400


class Validity(OfChains, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The most days of validity for certificates that were issued from this day until before that day.

    `both_ends`: the last second counts, too; else 90 days from noon to noon are 90 days.
    """

    days_at_most: int
    both_ends: bool = True
    issued_from: date | None = None
    issued_before: date | None = None

    def concerns(self, issued: datetime) -> bool:
        begins = self.issued_from is None or _midnight(self.issued_from) <= issued
        return begins and (self.issued_before is None or issued < _midnight(self.issued_before))


class Window(OfChains, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days that a certificate must still be valid when it is looked at."""

    days_left: int


@rule("CERT-020", "The certificates have not expired", result_type="certificate-expired")
def expired(seen: ServedChains, wants: OfChains) -> Iterable[Item]:
    """Whether the server's certificate and its issuers were still valid when they were looked at.

    Why it matters: senders that verify certificates deliver nothing to a server whose certificate has expired.

    How to mend it: renew the certificate, and let the renewal reload Postfix (postfix reload).
    """
    for certificate in _dated(seen, wants):
        yield _compared(certificate, certificate.not_after, "expires", lambda end: end >= seen.at, seen.at)


@rule("CERT-021", "The certificates are valid already", result_type="validation-failure")
def not_yet_valid(seen: ServedChains, wants: OfChains) -> Iterable[Item]:
    """Whether the certificates were valid already when they were looked at.

    Why it matters: a certificate of the future is refused like one of the past.

    How to mend it: check the clocks of the machine that issues certificates; wait before a new one is installed.
    """
    for certificate in _dated(seen, wants):
        yield _compared(certificate, certificate.not_before, "valid from", lambda start: start <= seen.at, seen.at)


@rule("CERT-022", "The certificate does not expire within the window")
def expires_soon(seen: ServedChains, wants: Window) -> Iterable[Item]:
    """Whether the server's certificate is still valid for so many days after it was looked at.

    Why it matters: renewal is automatic until it is not; who looks a few weeks before can still act.

    How to mend it: look why the renewal did not come: the account, the challenge, CAA records, DNSSEC of the zone.
    """
    edge = seen.at + timedelta(days=wants.days_left)
    for certificate in leaves(seen, wants):
        yield _compared(certificate, certificate.not_after, "expires", lambda end: end >= edge, seen.at)


@rule("CERT-023", "The certificate is not valid for too long")
def validity_length(seen: ServedChains, wants: Validity) -> Iterable[Item]:
    """Whether the certificate is valid for no more days than allowed at the time of its issuance.

    A day has 86400 seconds, and a begun day counts whole; both ends count where the standard says so, as that of the
    CA/Browser Forum does. notBefore stands for the day of issuance.

    Why it matters: browsers refuse longer certificates of public authorities, and mail clients follow; a long validity
    hides that nobody remembers how to renew it.

    How to mend it: have it issued anew, by an automatic client (ACME).
    """
    for certificate in leaves(seen, wants):
        start, end = certificate.not_before, certificate.not_after
        if start is None or end is None:
            yield Item(Fact.INCONCLUSIVE, words(certificate, f"its dates cannot be read ({certificate.problem})"))
        elif wants.concerns(start):
            seconds = int((end - start).total_seconds()) + wants.both_ends
            days = -(-seconds // _DAY_S)
            yield met(
                days <= wants.days_at_most, words(certificate, f"{start:%Y-%m-%d} to {end:%Y-%m-%d}, {days} days")
            )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _dated(seen: ServedChains, wants: OfChains) -> Iterator[CertificateFacts]:
    yield from leaves(seen, wants)
    yield from issuers(seen, wants)


def _compared(
    certificate: CertificateFacts, when: datetime | None, verb: str, holds: Callable[[datetime], bool], at: datetime
) -> Item:
    """An item about one date; a date that cannot be read leaves it open."""
    if when is None:
        return Item(Fact.INCONCLUSIVE, words(certificate, f"its dates cannot be read ({certificate.problem})"))
    said = f"{verb} {when:%Y-%m-%d %H:%M} UTC (looked at {at:%Y-%m-%d %H:%M} UTC)"
    return met(holds(when), words(certificate, said))

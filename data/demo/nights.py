"""What the servers are on each night: the events of the fortnight. Nights count from 0.

| night | event |
| --- | --- |
| 3 | a self-hosted domain adds a second MX host |
| 4 | granite renews: certificates of 90 days become ones of 47; a self-hosted certificate expires |
| 5 | harbour drops TLS 1.0 and 1.1 |
| 6 | granite's first host offers the post-quantum hybrid group, and on night 7 the second; four new domains |
| 7 | northlight changes its keys and forgets its TLSA records: DANE is broken for 40 domains |
| 8 | fifteen domains move from oldpost to granite |
| 9 | northlight publishes the right TLSA records; harbour renews: 365 days become 199; six policies begin to enforce |
| 10 | the expired certificate is replaced, by another authority; one domain leaves the list |
| 11 | harbour throttles us: its domains are inconclusive for one night |
| 12 | three new domains |
| 13 | cityline offers STARTTLS for the first time; a self-hosted server lost it; another does not answer |

Beside these a certificate or two is renewed on most nights.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from demo.certificates import DAY, Authority, Chain, self_signed
from demo.servers import LEGACY, MODERN, OLD, Server
from demo.world import CITYLINE, GRANITE, HARBOUR, HOSTILE, NORTHLIGHT, OLDPOST, OPERATORS, Domain, Host
from scanner.failures import SmtpReply

FIRST_NIGHT = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
QUICK = Authority("Demo Quick CA", "Demo Quick E1")
ASSURED = Authority("Demo Assurance Ltd", "Demo Assurance Server CA 3")

TLS10_DROPPED, HYBRID_FROM, KEY_ROLLED, TLSA_MENDED = 5, {1: 6, 2: 7}, 7, 9
THROTTLED_NIGHT, STARTTLS_FROM, SILENT_NIGHT, STARTTLS_LOST = 11, 13, 13, 13
EXPIRES_ON, REPLACED_ON, SECOND_HOST_FROM = 4, 10, 3
EXPIRED, MISMATCH, TWO_HOSTS, SILENT, LOSES_STARTTLS = 0, 1, 2, 3, 15
"""Places in the list of self-hosted domains of those to whom something happens."""
OLD_TLS, EARLY_HYBRID = range(4, 9), range(9, 14)
THROTTLES = SmtpReply(421, ("4.7.0 Too many connections from your network, try again later",))
HOSTILE_WORDS = '<script>alert(document.domain)</script> =HYPERLINK("https://evil.example/") ESMTP'


def night_of(number: int) -> datetime:
    """When the run of a night begins."""
    return FIRST_NIGHT + number * DAY


class Renewals(msgspec.Struct, frozen=True):
    """A certificate and its successor: `age` in days on the first night; the new one comes on night `on`."""

    authority: Authority
    age: int
    days: int
    on: int
    new_days: int
    new_curve: str = "P-256"

    def chain(self, names: tuple[str, ...], night: int) -> Chain:
        """The chain in use on a night."""
        if night < self.on:
            begin, days, curve = FIRST_NIGHT - self.age * DAY, self.days, "P-256"
        else:
            begin, days, curve = night_of(self.on) - DAY / 24, self.new_days, self.new_curve
        return self.authority.chain(names, begin, days, curve)


_OPERATED: Mapping[str, Renewals] = {
    GRANITE: Renewals(QUICK, 56, 90, 4, 47),
    HARBOUR: Renewals(ASSURED, 335, 365, 9, 199),
    NORTHLIGHT: Renewals(QUICK, 53, 90, KEY_ROLLED, 90, "P-384"),
    CITYLINE: Renewals(QUICK, 0, 47, 0, 47),
}


def operated(operator: str, host: Host, night: int) -> Server:
    """A host of an operator on a night."""
    if operator == OLDPOST:
        return Server(name=host.name, chain=self_signed((host.name,), FIRST_NIGHT - 700 * DAY, 3650), versions=OLD)
    if operator == CITYLINE and night < STARTTLS_FROM:
        return Server(name=host.name, banner="ESMTP cityline gateway")
    number = int(host.name[2])
    return Server(
        name=host.name,
        chain=_OPERATED[operator].chain((host.name,), night),
        versions=LEGACY if operator == HARBOUR and night < TLS10_DROPPED else MODERN,
        hybrid=operator == GRANITE and night >= HYBRID_FROM[number],
        refuses=THROTTLES if operator == HARBOUR and night == THROTTLED_NIGHT else None,
    )


def _chance(name: str, limit: int) -> int:
    """A number below the limit that belongs to a name."""
    return hashlib.sha256(name.encode()).digest()[0] % limit


def _own_renewals(place: int, name: str) -> Renewals:
    if place == EXPIRED:
        return Renewals(QUICK, 90 - EXPIRES_ON, 90, REPLACED_ON, 47)
    if place % 3 == 0:
        age = 180 + _chance(name, 63)
        return Renewals(ASSURED, age, 365, 243 - age, 199)
    age = _chance(name, 60)
    return Renewals(QUICK, age, 90, 60 - age, 47 if 60 - age > EXPIRES_ON else 90)


def own_hosts(domain: Domain, place: int, night: int) -> tuple[Host, ...]:
    """The hosts of a domain that runs its own mail; `place` is its number among these."""
    first = Host(f"mail.{domain.name}", (f"198.51.100.{place + 1}",))
    if place == TWO_HOSTS and night >= SECOND_HOST_FROM:
        return first, Host(f"backup.{domain.name}", ("203.0.113.1",))
    return (first,)


def self_hosted(domain: Domain, place: int, host: Host, night: int) -> Server:
    """A host that a domain runs itself, on a night."""
    if domain.name == HOSTILE:
        names = (host.name, '<img src=x onerror="alert(1)">', "=cmd|'/C calc'!A0", "\x1b[2Jred")
        return Server(name=host.name, chain=self_signed(names, FIRST_NIGHT - 30 * DAY, 3650), banner=HOSTILE_WORDS)
    renewals = _own_renewals(place, domain.name)
    if place == EXPIRED and night >= REPLACED_ON:
        renewals = msgspec.structs.replace(renewals, authority=ASSURED, new_days=199)
    names = ("www." + domain.name,) if place == MISMATCH else (host.name, domain.name)
    return Server(
        name=host.name,
        chain=() if place == LOSES_STARTTLS and night >= STARTTLS_LOST else renewals.chain(names, night),
        versions=OLD if place in OLD_TLS else MODERN,
        hybrid=place in EARLY_HYBRID,
        silent=place == SILENT and night == SILENT_NIGHT,
    )


def operator_on(domain: Domain, night: int) -> str:
    """Who runs a domain's mail on a night."""
    return domain.moves_to if night >= domain.moves_on else domain.operator


def operator_hosts(operator: str) -> tuple[Host, ...]:
    """The hosts of an operator."""
    return OPERATORS[operator].hosts

"""DANE: signed zones and the TLSA records of MX hosts (RFC 7672, RFC 7671, RFC 6698)."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import permutations

import msgspec

from audits.dane import TlsaState
from audits.established.mail_route import SignedRoute
from audits.established.tlsa_records import TlsaInUse, TlsaLooked, TlsaOnHosts, TlsaPublished
from audits.rules.question import Item, NoExpectations, met, rule
from audits.tlsa import presentation, unusable
from scanner.answers import Fact
from scanner.dns_facts import Dnssec, TlsaRecord

_SIGNED = {Dnssec.SECURE: Fact.YES, Dnssec.INDETERMINATE: Fact.INCONCLUSIVE}
_IN_USE = (TlsaState.USABLE, TlsaState.UNUSABLE)


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Patterns of "usage selector matching-type" ("3 1 1", "2 * *")."""

    forms: tuple[str, ...]

    def match(self, record: TlsaRecord) -> bool:
        return any(_fits(record, pattern) for pattern in self.forms)


class Schemes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sets of patterns; for one of them there must be a record of its own for each pattern."""

    schemes: tuple[tuple[str, ...], ...]


@rule("DANE-001", "The MX answer is signed", result_type="dnssec-invalid")
def mx_signed(seen: SignedRoute, _: NoExpectations) -> Iterable[Item]:
    """Whether the MX records of the domain are signed, as a validating resolver says.

    Why it matters: without signatures an attacker names a host of his own, and DANE of the true host helps nobody.

    How to mend it: sign the zone (DNSSEC), and put its DS record into the parent zone.
    """
    if seen.mx is not None:
        yield _state("MX", seen.mx)


@rule("DANE-002", "The addresses of the MX hosts are signed", result_type="dnssec-invalid")
def hosts_signed(seen: SignedRoute, _: NoExpectations) -> Iterable[Item]:
    """Whether the zones of all MX hosts are signed, as a validating resolver says.

    Why it matters: senders look for TLSA records only where the addresses are signed (RFC 7672 section 2.2.2).

    How to mend it: sign the zone of the MX host; if it is a provider's, ask for it or take hosts of a signed zone.
    """
    for host, state in seen.hosts.items():
        yield _state(host, state)


@rule("DANE-003", "The MX host has usable TLSA records")
def tlsa_published(seen: TlsaPublished, _: NoExpectations) -> Iterable[Item]:
    """Whether there is at least one signed TLSA record that senders can use.

    Why it matters: without one a sender cannot tell the server from an attacker's, and cannot even know that it has
    TLS. Records that are not signed are not used; records of which none is usable mean encryption without proof.

    How to mend it: publish "_25._tcp.mx.example.org. TLSA 3 1 1 ..." in a signed zone; `tlsaudit` shows what fits.
    """
    yield met(seen.state is TlsaState.USABLE, f"{seen.state}{f' ({seen.why})' if seen.why else ''}")


@rule("DANE-004", "The look-up of TLSA records does not fail", result_type="dnssec-invalid")
def tlsa_looked(seen: TlsaLooked, _: NoExpectations) -> Iterable[Item]:
    """Whether the answer to the TLSA question validates, be it that there is no record.

    Why it matters: senders with DANE cannot tell a broken answer from an attack: they keep the mail until it bounces.

    How to mend it: look at the zone with a validator (dig +cd, delv); name servers that cannot prove that a name does
    not exist must be replaced.
    """
    yield met(not seen.bogus, seen.evidence)


@rule("DANE-005", "TLSA records have a form that is recommended")
def recommended_forms(seen: TlsaInUse, wants: Forms) -> Iterable[Item]:
    """Whether at least one record has a form that the standard recommends.

    Why it matters: every DANE sender understands it, and a record of the key (selector 1) outlives the certificate.

    How to mend it: publish a record 3 1 1 of the server's key, and keep the key at renewal (certbot --reuse-key).
    """
    found = [record for record in seen.records if wants.match(record)]
    yield met(bool(found), "; ".join(map(presentation, found or seen.records)))


@rule("DANE-006", "TLSA records have no form that is advised against")
def discouraged_forms(seen: TlsaInUse, wants: Forms) -> Iterable[Item]:
    """Whether no record has a form that the standard advises against.

    Why it matters: usages 0 and 1 are not for SMTP, whole certificates (matching type 0) make answers large, and the
    key of an authority (2 1 x) says nothing of its name and dates.

    How to mend it: replace the record by one of a recommended form, the new one before the old one goes.
    """
    for record in seen.records:
        yield met(not wants.match(record), presentation(record))


@rule("DANE-007", "TLSA records are well formed", result_type="tlsa-invalid")
def well_formed(seen: TlsaInUse, _: NoExpectations) -> Iterable[Item]:
    """Whether every record has assigned parameters and a digest of the right length.

    Why it matters: senders skip a record that they cannot read; when none is left there is no authentication.

    How to mend it: make the record anew from the certificate (posttls-finger, or openssl and sha256sum).
    """
    for record in seen.records:
        fault = seen.malformed(record)
        yield met(not fault, f"{presentation(record)}{f': {fault}' if fault else ''}")


@rule("DANE-008", "All MX hosts have TLSA records, or none")
def on_all_hosts(seen: TlsaOnHosts, _: NoExpectations) -> Iterable[Item]:
    """Whether signed TLSA records exist for every MX host when they exist for one.

    Why it matters: an attacker who blocks the hosts with records leads the mail to the one without.

    How to mend it: publish TLSA records for the other hosts, or take these out of the MX records.
    """
    for host, state in seen.states.items():
        yield met(state in _IN_USE, f"{host}: {state}")


@rule("DANE-009", "A second TLSA record stands ready for roll-over")
def rollover(seen: TlsaInUse, wants: Schemes) -> Iterable[Item]:
    """Whether the records follow one of the schemes that keep mail flowing when key or certificate change.

    Why it matters: caches keep the old record for its TTL. A key that is changed before its record is known everywhere
    stops the mail of all senders with DANE.

    How to mend it: publish the record of the next key (3 1 1), or of the issuer (2 1 1), beside the present one.
    """
    good = [record for record in dict.fromkeys(seen.records) if not unusable(record)]
    found = any(_is_covered(scheme, good) for scheme in wants.schemes)
    yield met(found, "; ".join(map(presentation, good)) or "no usable record")


def _state(name: str, state: Dnssec) -> Item:
    return Item(_SIGNED.get(state, Fact.NO), f"{name}: {state}")


def _fits(record: TlsaRecord, pattern: str) -> bool:
    return fnmatchcase(f"{record.usage} {record.selector} {record.matching_type}", pattern)


_MOST_RECORDS = 8
"""Records that are tried against a scheme; more are no roll-over but a mistake."""


def _is_covered(scheme: tuple[str, ...], records: list[TlsaRecord]) -> bool:
    """Whether each pattern has a record of its own."""
    return any(all(map(_fits, chosen, scheme)) for chosen in _choices(records, len(scheme)))


def _choices(records: list[TlsaRecord], count: int) -> Iterator[tuple[TlsaRecord, ...]]:
    return permutations(records[:_MOST_RECORDS], count)

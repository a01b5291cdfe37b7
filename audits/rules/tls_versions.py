"""Which protocol versions a server speaks."""

from collections.abc import Iterable

import msgspec

from audits.established.tls_abilities import ProtocolVersions
from audits.established.tls_downgrade import DowngradeProtection
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact

_INVERSE = {Fact.YES: Fact.NO, Fact.NO: Fact.YES}


class ForbiddenVersions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions that must not be spoken ("TLSv1.0")."""

    forbidden: tuple[str, ...]


class RequiredVersions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions of which at least one must be spoken."""

    any_of: tuple[str, ...]


@rule("TLS-001", "Old protocol versions are refused")
def old_versions(seen: ProtocolVersions, wants: ForbiddenVersions) -> Iterable[Item]:
    """Whether the server refuses the protocol versions that the standard forbids.

    Why it matters: SSLv2, SSLv3, TLS 1.0 and TLS 1.1 rest on broken or weak constructions (RFC 8996). On port 25 an old
    version is better than clear text, which is why some standards only advise there.

    How to mend it: smtpd_tls_protocols = >=TLSv1.2 and smtpd_tls_mandatory_protocols = >=TLSv1.2 (before Postfix 3.6:
    !SSLv2, !SSLv3, !TLSv1, !TLSv1.1).
    """
    for version in wants.forbidden:
        offered = seen.offered.get(version, Fact.NOT_TESTED)
        said = f" ({seen.evidence[version]})" if version in seen.evidence else ""
        yield Item(_INVERSE.get(offered, offered), f"{version}: {offered}{said}")


@rule("TLS-002", "A current protocol version is spoken")
def current_versions(seen: ProtocolVersions, wants: RequiredVersions) -> Iterable[Item]:
    """Whether the server speaks one of the protocol versions that the standard demands.

    Why it matters: clients that follow the standard speak no older version, and then send in clear or not at all.

    How to mend it: remove restrictions from smtpd_tls_protocols, and run Postfix with OpenSSL 1.1.1 or later.
    """
    answers = {version: seen.offered.get(version, Fact.NOT_TESTED) for version in wants.any_of}
    words = ", ".join(f"{version}: {answer}" for version, answer in answers.items())
    for decided in (Fact.YES, Fact.INCONCLUSIVE, Fact.NOT_TESTED):
        if decided in answers.values():
            yield Item(decided, words)
            return
    yield Item(Fact.NO, words)


@rule("TLS-003", "The newest common version is chosen")
def newest_version(seen: DowngradeProtection, _: NoExpectations) -> Iterable[Item]:
    """Whether a client that offers every version is given the newest that the server speaks.

    Why it matters: a server that chooses an older version than it could gives away the protection of the newer one.

    How to mend it: Postfix and OpenSSL do this by themselves; look for a proxy or a load balancer in front of it.
    """
    if seen.taken and seen.offered:
        newest = seen.offered[0]
        doubt = [version for version in seen.open if seen.taken != "TLSv1.3" and version > seen.taken]
        if seen.taken == newest and doubt:
            yield Item(Fact.INCONCLUSIVE, f"{seen.taken} was taken; nobody knows of {', '.join(doubt)}")
        else:
            yield met(seen.taken == newest, f"{seen.taken} was taken, {newest} is the newest that is spoken")


@rule("TLS-004", "An enforced fallback is noticed by the signal in the hello")
def fallback_signal(seen: DowngradeProtection, wants: ForbiddenVersions) -> Iterable[Item]:
    """Whether a server that still speaks one of these old versions refuses TLS_FALLBACK_SCSV (RFC 7507).

    Why it matters: it stops an attacker who breaks connections until a client tries an older version. Historic: no mail
    client of today falls back, and RFC 8996 made RFC 7507 obsolete; the better way is to speak no old version.

    How to mend it: run OpenSSL 1.0.1j or later, which does it unasked; or turn the old versions off.
    """
    old = [version for version in wants.forbidden if version in seen.offered]
    if old:
        yield Item(seen.fallback_scsv, f"{', '.join(old)} spoken; the signal is refused: {seen.fallback_scsv}")
    elif doubt := [version for version in wants.forbidden if version in seen.open]:
        yield Item(Fact.INCONCLUSIVE, f"nobody knows whether {', '.join(doubt)} is spoken")


@rule("TLS-005", "A downgrade from TLS 1.3 is marked")
def downgrade_mark(seen: DowngradeProtection, _: NoExpectations) -> Iterable[Item]:
    """Whether a server of TLS 1.3 that answers in an older version marks that in its random value.

    Why it matters: the mark (RFC 8446 section 4.1.3) tells a client of TLS 1.3 that somebody took the version away.

    How to mend it: OpenSSL 1.1.1 and later set it; what takes it away is a middlebox in front of the server.
    """
    older = [version for version in seen.offered if version != "TLSv1.3"]
    if "TLSv1.3" in seen.offered and older:
        yield Item(seen.sentinel, f"TLSv1.3 and {', '.join(older)} are spoken; the mark is set: {seen.sentinel}")
    elif "TLSv1.3" in seen.open:
        yield Item(Fact.INCONCLUSIVE, "nobody knows whether TLSv1.3 is spoken")

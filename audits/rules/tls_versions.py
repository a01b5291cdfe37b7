"""Which protocol versions a server speaks."""

from collections.abc import Iterable

import msgspec

from audits.established.tls_abilities import ProtocolVersions
from audits.rules.question import Item, rule
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

"""How a server agrees on keys: the groups of (EC)DHE that it uses and refuses, and the primes of its Diffie-Hellman."""

from typing import Self

import msgspec

from audits.established.tls_asked import OLDER, asked_older_tls, asked_tls
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.wire.registry import suite, suite_code, suite_name
from scanner.wire.suite_traits import Trait
from scanner.wire_facts import DhFacts, TlsFacts, VersionFacts

HYBRIDS = ("X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024", "curveSM2MLKEM768")
"""Groups of TLS 1.3 alone (RFC 10024)."""
_ASKED_AT_STANDARD = "X25519MLKEM768"


class KeyExchangeGroups(msgspec.Struct, frozen=True):
    """`used`: version -> groups; `refused`: groups that are certainly refused; `complete`: all others are, too."""

    used: dict[str, tuple[str, ...]]
    refused: frozenset[str] = frozenset()
    complete: bool = False

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        used = {version.version: version.groups for version in tls.versions if version.groups}
        if tls.hybrid_group is Fact.YES and not any(_ASKED_AT_STANDARD in groups for groups in used.values()):
            used["TLSv1.3"] = (*used.get("TLSv1.3", ()), _ASKED_AT_STANDARD)
        refused = {_ASKED_AT_STANDARD} if tls.hybrid_group is Fact.NO else set()
        tls13 = tls.version("TLSv1.3")
        if tls13 is not None and tls13.offered is Fact.NO:
            refused.update(HYBRIDS)
        complete = _complete(tls)
        if complete and not used:
            return Inapplicable("no key exchange with a group is taken up")
        return cls(used, frozenset(refused), complete)

    def offers(self, name: str) -> Fact:
        """Whether a group is used."""
        if any(name in groups for groups in self.used.values()):
            return Fact.YES
        return Fact.NO if self.complete or name in self.refused else Fact.NOT_TESTED


class DhGroups(msgspec.Struct, frozen=True):
    """The groups of finite-field Diffie-Hellman that were seen up to TLS 1.2.

    `settled`: all that a client can be given were seen, the one for clients that name none (RFC 7919) included.
    """

    seen: tuple[DhFacts, ...]
    settled: bool

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_older_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        if not tls.dh:
            return _without_dh(tls)
        ignored = any(one.ffdhe_offered and not one.name.startswith("ffdhe") for one in tls.dh)
        both = {one.ffdhe_offered for one in tls.dh} == {True, False}
        return cls(tls.dh, ignored or both)


def _without_dh(tls: TlsFacts) -> Missing | Inapplicable:
    asked = [version for version in tls.versions if version.version in OLDER and version.offered is not Fact.NO]
    if any(version.offered is not Fact.YES for version in asked) or any(
        _has_dh(suite_name(code)) for version in asked for code in version.unsettled
    ):
        return Missing("whether Diffie-Hellman suites are taken was not answered")
    if any(_has_dh(name) for version in asked for name in version.suites):
        return Missing("its Diffie-Hellman parameters were not seen")
    return Inapplicable("no suite with ephemeral Diffie-Hellman is taken")


def _complete(tls: TlsFacts) -> bool:
    """Whether the groups of TLS 1.3 and of the highest older version with curves are all known; others have no more."""
    offered = [version for version in tls.versions if version.offered is Fact.YES]
    if not offered or any(
        version.offered is not Fact.YES and version.offered is not Fact.NO for version in tls.versions
    ):
        return False
    curved = [version for version in offered if _may_use_curves(version)]
    newest = [version for version in curved if version.version == "TLSv1.3"]
    older = [version for version in curved if version.version in OLDER][:1]
    return all(version.groups_complete for version in (*newest, *older))


def _may_use_curves(version: VersionFacts) -> bool:
    if version.version == "TLSv1.3":
        return True
    names = (*version.suites, *(suite_name(code) for code in version.unsettled))
    return any(_has(name, Trait.ECDHE) for name in names)


def _has_dh(name: str) -> bool:
    return _has(name, Trait.DHE) or "_DH_anon_" in name


def _has(name: str, trait: Trait) -> bool:
    code = suite_code(name)
    return code is not None and suite(code).has(trait)

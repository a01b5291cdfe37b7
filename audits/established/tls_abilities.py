"""What a server's TLS is able to do: versions and suites, as far as hellos and handshakes settled them."""

from typing import Self

import msgspec

from audits.established.tls_asked import open_suites, unanswered
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.facts import EndpointFacts

_WORDS = {"TLSv1": "TLSv1.0"}
"""OpenSSL's word for a version -> ours."""


class ProtocolVersions(msgspec.Struct, frozen=True):
    """Version -> whether the server speaks it; `evidence` has the server's own word for a no."""

    offered: dict[str, Fact]
    evidence: dict[str, str]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := unanswered(view):
            return trouble
        assert view.facts is not None
        asked = view.facts.tls.versions if view.facts.tls else ()
        offered = {version.version: version.offered for version in asked}
        offered |= dict.fromkeys(_spoken(view.facts), Fact.YES)
        if not offered:
            return Missing("no version was asked for (--depth standard does), and no handshake came to its end")
        return cls(offered, {version.version: version.evidence for version in asked if version.evidence})


class AcceptedSuites(msgspec.Struct, frozen=True):
    """The accepted suites (IANA names), and those of which nobody knows.

    `versions`: version -> accepted suites. `unsettled`: suites that were neither accepted nor refused. What stands in
    neither was refused. `all_unsettled` is true where only handshakes are known, so that everything else is open.
    `open_versions`: those of which nobody knows whether they are spoken.
    """

    versions: dict[str, tuple[str, ...]]
    unsettled: frozenset[str]
    all_unsettled: bool = False
    open_versions: tuple[str, ...] = ()

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := unanswered(view):
            return trouble
        assert view.facts is not None
        spoken = _spoken(view.facts)
        asked = view.facts.tls.versions if view.facts.tls else ()
        if not asked and not spoken:
            return Missing("no suite was asked for (--depth standard does), and no handshake came to its end")
        known = {version.version: version.suites for version in asked if version.suites}
        for version, suites in spoken.items():
            known[version] = tuple(dict.fromkeys((*known.get(version, ()), *suites)))
        return cls(
            known,
            frozenset(name for version in asked for name in open_suites(version)),
            not asked,
            tuple(version.version for version in asked if version.offered not in (Fact.YES, Fact.NO)),
        )

    @property
    def accepted(self) -> tuple[str, ...]:
        """All accepted suites, each once."""
        return tuple(dict.fromkeys(name for suites in self.versions.values() for name in suites))


def _spoken(facts: EndpointFacts) -> dict[str, list[str]]:
    """Version -> suites of the handshakes that came to their end."""
    spoken: dict[str, list[str]] = {}
    for session in facts.sessions:
        if session.handshake:
            version = _WORDS.get(session.handshake.version, session.handshake.version)
            spoken.setdefault(version, []).append(session.handshake.suite)
    return spoken

"""The facts that hellos brought home (--depth standard or full), or why there are none."""

from functools import cache

from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.wire.registry import offered_suites, suite_name
from scanner.wire_facts import TlsFacts, VersionFacts

OLDER = ("TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3")
"""The versions whose flights go in clear, and that have extensions which TLS 1.3 does without."""
NOT_ASKED = "not asked for (--depth standard does)"


def unanswered(view: EndpointView) -> Missing | Inapplicable | None:
    """Why nothing is known of an endpoint's TLS.

    A server may answer hellos and be of no use for mail inside TLS: its grade is open then, its TLS is not.
    """
    trouble = view.unanswered()
    versions = view.facts.tls.versions if view.facts and view.facts.tls else ()
    known = any(version.offered is Fact.YES for version in versions)
    return None if known and isinstance(trouble, Missing) else trouble


def asked_tls(view: EndpointView) -> TlsFacts | Missing | Inapplicable:
    """What the hellos showed of an endpoint."""
    if trouble := unanswered(view):
        return trouble
    assert view.facts is not None
    return view.facts.tls or Missing(NOT_ASKED)


def asked_older_tls(view: EndpointView) -> TlsFacts | Missing | Inapplicable:
    """The same where a version up to TLS 1.2 is spoken; the question does not arise for TLS 1.3 alone."""
    tls = asked_tls(view)
    if not isinstance(tls, TlsFacts):
        return tls
    older = [version.offered for version in tls.versions if version.version in OLDER]
    if Fact.YES in older:
        return tls
    if older and set(older) == {Fact.NO}:
        return Inapplicable("no version before TLS 1.3 is spoken")
    return Missing("whether a version before TLS 1.3 is spoken was not answered")


def open_suites(version: VersionFacts) -> tuple[str, ...]:
    """The suites of a version that were neither accepted nor refused: all, where nobody knows if it is spoken."""
    match version.offered:
        case Fact.NO:
            return ()
        case Fact.YES:
            return tuple(map(suite_name, version.unsettled))
    return _all_suites(version.version)


@cache
def _all_suites(version: str) -> tuple[str, ...]:
    """Those that a hello of this version offers; SSL 2.0 has kinds of its own."""
    return () if version == "SSLv2" else tuple(map(suite_name, offered_suites(tls13=version == "TLSv1.3")))

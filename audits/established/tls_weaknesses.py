"""Known attacks, as far as they were tried, which is only where the user may test the server (--vulnerabilities)."""

from typing import Self

import msgspec

from audits.established.tls_asked import asked_tls, unanswered
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.facts import Transport
from scanner.wire_facts import TlsFacts

ROBOT = "robot"
HEARTBLEED = "heartbleed"
CCS_INJECTION = "openssl_ccs_injection"
RENEGOTIATION = "session_renegotiation"


class TriedAttacks(msgspec.Struct, frozen=True):
    """Name of an attack -> whether the server is vulnerable, and the words of the test."""

    vulnerable: dict[str, Fact]
    details: dict[str, str]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := unanswered(view):
            return trouble
        assert view.facts is not None
        tried = view.facts.deep.vulnerabilities if view.facts.deep else ()
        if not tried:
            return Missing("not tried (--vulnerabilities does, on servers that you may test)")
        return cls({one.name: one.vulnerable for one in tried}, {one.name: one.detail for one in tried if one.detail})


class CommandInjection(msgspec.Struct, frozen=True):
    """Whether commands sent in clear behind STARTTLS are obeyed inside TLS (CVE-2011-0411)."""

    obeyed: Fact

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := unanswered(view):
            return trouble
        assert view.facts is not None
        if view.facts.endpoint.transport is Transport.IMPLICIT:
            return Inapplicable("TLS begins at once: there is no STARTTLS")
        obeyed = view.facts.deep.command_injection if view.facts.deep else Fact.NOT_TESTED
        return Missing("not tried (--injection does)") if obeyed is Fact.NOT_TESTED else cls(obeyed)


class Ssl2Ciphers(msgspec.Struct, frozen=True):
    """The ciphers that a server takes in an SSL 2.0 hello (DROWN, CVE-2016-0800), and whether it answers one at all."""

    ciphers: tuple[str, ...]
    spoken: Fact

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        version = tls.version("SSLv2")
        return cls(tls.ssl2_ciphers, version.offered if version else Fact.NOT_TESTED)

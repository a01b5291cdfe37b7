"""What a server does in its handshakes: certificates wanted and shown, staples, signatures, hellos too large for it."""

from typing import Self

import msgspec

from audits.established.tls_asked import NOT_ASKED, asked_older_tls, asked_tls, unanswered
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.facts import EndpointFacts
from scanner.wire_facts import TlsFacts


class ClientCertificateRequest(msgspec.Struct, frozen=True):
    """Whether the server asks its clients for a certificate, and in which handshake that was seen."""

    asked: Fact
    evidence: str

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := unanswered(view):
            return trouble
        assert view.facts is not None
        seen = {
            session.handshake.version: session.handshake.client_certificate_requested
            for session in view.facts.sessions
            if session.handshake and session.handshake.client_certificate_requested is not None
        }
        if True in seen.values():
            return cls(Fact.YES, "requested in " + ", ".join(version for version, asked in seen.items() if asked))
        hello = view.facts.tls.client_certificate if view.facts.tls else Fact.NOT_TESTED
        if hello in (Fact.YES, Fact.NO):
            return cls(hello, "requested" if hello is Fact.YES else "not requested in any handshake seen")
        if seen:
            return cls(Fact.NO, "not requested in " + ", ".join(seen))
        return Missing(f"no handshake showed it, and it was {NOT_ASKED}")


class ServerAuthentication(msgspec.Struct, frozen=True):
    """How the server proves who it is: by which kinds of certificate, or by none at all.

    `kinds`: "RSA", "ECDSA", "DSS" where hellos showed the chain; `chains`: how many chains were seen in all.
    """

    kinds: tuple[str, ...]
    chains: int

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := unanswered(view):
            return trouble
        assert view.facts is not None
        handshakes = [session.handshake for session in view.facts.sessions if session.handshake]
        by_hello = view.facts.tls.chains if view.facts.tls else ()
        seen = {shake.chain for shake in handshakes if shake.chain} | {chain.chain for chain in by_hello}
        if not seen and not handshakes:
            return Missing("no handshake came to its end")
        return cls(tuple(chain.authentication for chain in by_hello), len(seen))


class Stapling(msgspec.Struct, frozen=True):
    """Whether an OCSP response is stapled (RFC 6066 section 8), and whether the certificate names a responder."""

    stapled: Fact
    responder: bool
    must_staple: bool

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls, older = asked_tls(view), asked_older_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        if isinstance(older, Missing) or (isinstance(older, Inapplicable) and not _tls13(view)):
            return older
        assert view.facts is not None
        leaves = {chain.chain[0] for chain in tls.chains if chain.chain} | _leaves(view.facts)
        known = [certificate for certificate in view.facts.certificates if certificate.sha256 in leaves]
        responder = any(certificate.ocsp_urls for certificate in known)
        must_staple = any(certificate.must_staple for certificate in known)
        if isinstance(older, Inapplicable) and (responder or must_staple or not known):
            return Missing("TLS 1.3 sends the staple encrypted, where hellos do not see it")
        return cls(tls.ocsp_staple, responder, must_staple) if known else Inapplicable("no certificate is shown")


class HandshakeSignatures(msgspec.Struct, frozen=True):
    """With what the server signs its handshakes.

    `schemes`: version -> schemes that it chose from a full offer. `sha1`: whether it signs with SHA-1 for a client that
    knows nothing better (RFC 9155).
    """

    schemes: dict[str, tuple[str, ...]]
    sha1: Fact

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_older_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        return cls(
            {version.version: version.schemes for version in tls.versions if version.schemes}, tls.sha1_signatures
        )


class HelloTolerance(msgspec.Struct, frozen=True):
    """Whether a hello of more than one TCP segment is answered like a small one."""

    large_hello: Fact

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_tls(view)
        return cls(tls.large_hello) if isinstance(tls, TlsFacts) else tls


def _leaves(facts: EndpointFacts) -> set[str]:
    return {session.handshake.chain[0] for session in facts.sessions if session.handshake and session.handshake.chain}


def _tls13(view: EndpointView) -> bool:
    tls = asked_tls(view)
    version = tls.version("TLSv1.3") if isinstance(tls, TlsFacts) else None
    return version is not None and version.offered is Fact.YES

"""What a server wants and shows in its handshakes."""

from collections.abc import Iterable

import msgspec

from audits.established.tls_handshakes import (
    ClientCertificateRequest,
    HandshakeSignatures,
    HelloTolerance,
    ServerAuthentication,
    Stapling,
)
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact

_INVERSE = {Fact.YES: Fact.NO, Fact.NO: Fact.YES}


class ForbiddenSchemes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signature schemes that the server must not choose, by IANA name; `versions` narrows it to some versions."""

    forbidden: tuple[str, ...]
    versions: tuple[str, ...] = ()


@rule("TLS-020", "No client certificate is requested")
def no_client_certificate(seen: ClientCertificateRequest, _: NoExpectations) -> Iterable[Item]:
    """Whether the server leaves its clients without a request for a certificate.

    Why it matters: some mail servers (versions of qmail among them) cannot complete a handshake in which a certificate
    is requested; their mail stays away or comes in clear. With the request Postfix also switches anonymous suites off.

    How to mend it: smtpd_tls_ask_ccert = no and smtpd_tls_req_ccert = no on port 25; ask on a port for your own clients
    (permit_tls_clientcerts).
    """
    yield Item(_INVERSE.get(seen.asked, seen.asked), seen.evidence)


@rule("TLS-021", "The server shows a certificate")
def shows_certificate(seen: ServerAuthentication, _: NoExpectations) -> Iterable[Item]:
    """Whether the server has any certificate, or takes anonymous suites alone.

    Why it matters: typical SMTP clients have no anonymous suites: they find no suite in common, and send in clear or
    not at all. An anonymous server cannot be told from an attacker.

    How to mend it: smtpd_tls_chain_files = key and certificates; on a public MX host a self-signed one is far better
    than none (smtpd_tls_cert_file = none asks for a server without).
    """
    kinds = f" ({', '.join(seen.kinds)})" if seen.kinds else ""
    yield met(seen.chains > 0, f"{seen.chains} chains{kinds}" if seen.chains else "handshakes came without any")


@rule("TLS-022", "An OCSP response is stapled")
def stapled(seen: Stapling, _: NoExpectations) -> Iterable[Item]:
    """Whether the server staples an OCSP response where its certificate names a responder (RFC 6066 section 8).

    Why it matters: a client learns of a revocation without asking a third party. Certificates without a responder are
    allowed since CAs may leave OCSP out; for them the question does not arise. Mail clients hardly ever look.

    How to mend it: Postfix cannot staple. Take a certificate without a responder and of a short life.
    """
    if seen.responder or seen.must_staple:
        due = "the certificate demands a staple" if seen.must_staple else "the certificate names a responder"
        yield Item(seen.stapled, f"{due}; stapled: {seen.stapled}")


@rule("TLS-023", "A large hello is answered")
def large_hello(seen: HelloTolerance, _: NoExpectations) -> Iterable[Item]:
    """Whether a hello of more than one TCP segment is answered like a small one.

    Why it matters: the hellos of clients with post-quantum keys are that large. A server or firewall that chokes on
    them loses their mail.

    How to mend it: it is a middlebox or an old appliance (not Postfix) that reads one segment alone: update it.
    """
    yield Item(seen.large_hello, f"a hello of two segments is answered: {seen.large_hello}")


@rule("SIG-001", "Handshakes are not signed with SHA-1")
def no_sha1_signature(seen: HandshakeSignatures, _: NoExpectations) -> Iterable[Item]:
    """Whether the server refuses to sign a TLS 1.2 handshake with SHA-1, also for a client that knows nothing better.

    Why it matters: collisions of SHA-1 can be made, and a forged signature lets an attacker be the server (RFC 9155).

    How to mend it: Postfix runs its server at OpenSSL's security level 0, which allows SHA-1: append :@SECLEVEL=2 to
    tls_medium_cipherlist and tls_high_cipherlist (OpenSSL 1.1.0 and later).
    """
    yield Item(_INVERSE.get(seen.sha1, seen.sha1), f"signs with SHA-1: {seen.sha1}")


@rule("SIG-002", "Handshakes are signed with allowed schemes")
def allowed_schemes(seen: HandshakeSignatures, wants: ForbiddenSchemes) -> Iterable[Item]:
    """Whether the server, having the choice of all, signs its handshakes with none of the forbidden schemes.

    Why it matters: a signature scheme that is being phased out (PKCS #1 v1.5, SHA-1) is the weakest part of the proof
    who the server is.

    How to mend it: TLS 1.3 signs with RSA-PSS or ECDSA alone; for TLS 1.2 set SignatureAlgorithms in openssl.cnf, or
    use an ECDSA key.
    """
    for version, schemes in seen.schemes.items():
        if not wants.versions or version in wants.versions:
            bad = [scheme for scheme in schemes if scheme in wants.forbidden]
            yield met(not bad, f"{version}: {', '.join(bad or schemes)}")

"""Why a level is not sustained: one word each, the RFC 8460 result type where one exists, and what would lift it."""

from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """What keeps a level from being sustained, or from being known. RFC 8460 section 4.3 where it has a word."""

    STARTTLS_NOT_SUPPORTED = "starttls-not-supported"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    CERTIFICATE_HOST_MISMATCH = "certificate-host-mismatch"
    VALIDATION_FAILURE = "validation-failure"
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    DANE_REQUIRED = "dane-required"
    STS_POLICY_FETCH_ERROR = "sts-policy-fetch-error"
    STS_POLICY_INVALID = "sts-policy-invalid"
    STS_WEBPKI_INVALID = "sts-webpki-invalid"

    STARTTLS_REFUSED = "starttls-refused"
    HANDSHAKE_FAILED = "handshake-failed"
    HANDSHAKE_TOO_WEAK = "handshake-too-weak"
    NO_CERTIFICATE = "no-certificate"
    TLS_SESSION_FAILED = "tls-session-failed"
    TLS_REQUIRED = "tls-required"
    MAIL_REFUSED = "mail-refused"

    THROTTLED = "throttled"
    CLIENT_REFUSED = "client-refused"
    UNANSWERED = "unanswered"
    UNREACHABLE = "unreachable"
    NOT_ASKED = "not-asked"
    UNCONFIRMED = "unconfirmed"
    CONTRADICTORY = "contradictory"

    NULL_MX = "null-mx"
    NO_SUCH_DOMAIN = "no-such-domain"
    NO_MX_NO_ADDRESS = "no-mx-and-no-address"
    NO_MX_ADDRESS = "no-mx-host-with-address"
    DNS_UNANSWERED = "dns-unanswered"


class Reason(msgspec.Struct, frozen=True):
    """A cause with the fact behind it: the server's own words, OpenSSL's, or the names that were seen."""

    cause: Cause
    detail: str = ""

    @property
    def remedy(self) -> str:
        """What would lift it, for the postmaster of the server."""
        return REMEDIES[self.cause]


REMEDIES = {
    Cause.STARTTLS_NOT_SUPPORTED: "offer STARTTLS (Postfix: smtpd_tls_security_level = may, with a certificate)",
    Cause.CERTIFICATE_EXPIRED: "renew the certificate, and reload the server after each renewal",
    Cause.CERTIFICATE_NOT_TRUSTED: "present a certificate of a public CA together with its intermediates",
    Cause.CERTIFICATE_HOST_MISMATCH: "put the MX host name into the certificate as a dNSName",
    Cause.VALIDATION_FAILURE: "mend the chain: run `openssl verify -purpose sslserver` on what the server sends",
    Cause.TLSA_INVALID: "publish a TLSA record (3 1 1) for the key in use, and its successor before a new key is used",
    Cause.DNSSEC_INVALID: "mend the signatures of the zone: validating senders get no answer",
    Cause.DANE_REQUIRED: "sign the zones of the domain and of its MX hosts, and publish TLSA records there",
    Cause.STS_POLICY_FETCH_ERROR: "serve the policy as text/plain with status 200, without a redirect",
    Cause.STS_POLICY_INVALID: "mend the MTA-STS record or policy",
    Cause.STS_WEBPKI_INVALID: "give the policy host a public certificate for mta-sts.DOMAIN",
    Cause.STARTTLS_REFUSED: "accept STARTTLS where it is announced, or announce it no longer",
    Cause.HANDSHAKE_FAILED: "mend TLS behind STARTTLS: look for the handshake in the server's log",
    Cause.HANDSHAKE_TOO_WEAK: "allow TLS 1.2 or 1.3 with a certificate and a key of at least 1024 bits",
    Cause.NO_CERTIFICATE: "give the server a certificate; anonymous suites cannot be verified",
    Cause.TLS_SESSION_FAILED: "let the SMTP session go on inside TLS: EHLO and MAIL must work there",
    Cause.TLS_REQUIRED: "a server for public mail must not demand TLS (RFC 3207 section 4); senders need MAY or more",
    Cause.MAIL_REFUSED: "the server refuses mail from everybody; see its words",
    Cause.THROTTLED: "ask again later, slower, or from another address (--interval)",
    Cause.CLIENT_REFUSED: "give a true name of this machine (--ehlo), or ask from another address",
    Cause.UNANSWERED: "ask again later",
    Cause.UNREACHABLE: "make the host reachable, or take it out of the MX records",
    Cause.NOT_ASKED: "lift what kept it from being asked (an exclusion, --allow-private, IPv6)",
    Cause.UNCONFIRMED: 'ask again later: a "no" counts only when two sessions say the same',
    Cause.CONTRADICTORY: "several back-ends seem to differ: ask again, and compare them",
    Cause.NULL_MX: "none: the domain says that it takes no mail (RFC 7505)",
    Cause.NO_SUCH_DOMAIN: "check the spelling; the domain does not exist",
    Cause.NO_MX_NO_ADDRESS: "publish an MX record",
    Cause.NO_MX_ADDRESS: "publish an address for the MX hosts, or name other hosts",
    Cause.DNS_UNANSWERED: "ask again later; the domain's name servers gave no usable answer",
}

"""The shape of the chain that a server sends: order, length, what is missing and what is too much (RFC 5246 7.4.2)."""

from collections.abc import Iterable

import msgspec

from audits.established.certificates import ServedLeaf
from audits.rules.question import Item, NoExpectations, met, rule


class Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most certificates that are sent, the leaf included."""

    at_most: int


@rule("CERT-030", "The chain is sent in order")
def in_order(seen: ServedLeaf, _: NoExpectations) -> Iterable[Item]:
    """Whether each certificate is followed by its issuer.

    Why it matters: TLS 1.2 demands the order, and clients that rely on it find no path.

    How to mend it: put key, certificate and intermediates into the file of smtpd_tls_chain_files in this order.
    """
    subjects = " <- ".join(certificate.subject or "?" for certificate in seen.certificates)
    yield met(not seen.trust.out_of_order, subjects)


@rule("CERT-031", "The chain is complete", result_type="certificate-not-trusted")
def complete(seen: ServedLeaf, _: NoExpectations) -> Iterable[Item]:
    """Whether the server sends every issuer between its certificate and the root.

    Why it matters: browsers fetch a missing intermediate, mail servers do not: they find no path and trust nothing.

    How to mend it: append the intermediates to the file of smtpd_tls_chain_files (with ACME: fullchain.pem).
    """
    sent = f"{len(seen.certificates)} certificates sent"
    missing = f"; neither sent nor an anchor: {seen.missing_issuer}" if seen.complete == "no" else ""
    yield Item(seen.complete, sent + missing)


@rule("CERT-032", "No root is sent needlessly")
def needless_root(seen: ServedLeaf, _: NoExpectations) -> Iterable[Item]:
    """Whether the root stays at home, unless a TLSA record names it.

    Why it matters: who trusts the root has it already, and who does not gains nothing; it costs every handshake a
    kilobyte. With a TLSA record of usage 2 the anchor must be sent, even a root.

    How to mend it: take the self-signed certificate out of the file of smtpd_tls_chain_files.
    """
    roots = [certificate.subject or "?" for certificate in seen.certificates[1:] if certificate.self_issued]
    needed = " (a TLSA record names the anchor)" if roots and seen.root_needed else ""
    yield met(not roots or seen.root_needed, (", ".join(roots) or "no root is sent") + needed)


@rule("CERT-033", "The chain is not too long")
def length(seen: ServedLeaf, wants: Length) -> Iterable[Item]:
    """Whether no more certificates are sent than wanted.

    Why it matters: each costs time in every handshake, and clients limit the depth (smtp_tls_scert_verifydepth).

    How to mend it: send the certificate and its intermediates, each once, and nothing else.
    """
    yield met(len(seen.certificates) <= wants.at_most, f"{len(seen.certificates)} certificates sent")


@rule("CERT-034", "The certificate is issued by somebody else", result_type="certificate-not-trusted")
def self_signed(seen: ServedLeaf, _: NoExpectations) -> Iterable[Item]:
    """Whether the server's certificate is more than signed by itself.

    Why it matters: nobody but DANE can tell it from an attacker's. With a TLSA record 3 1 1 it is as good as any.

    How to mend it: have a certificate issued (ACME costs nothing), or publish TLSA records for this one.
    """
    issuer = seen.certificates[0].issuer or "?"
    yield met(not seen.trust.self_signed, f"issued by {'itself: ' if seen.trust.self_signed else ''}{issuer}")

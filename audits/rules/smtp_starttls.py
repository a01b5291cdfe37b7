"""STARTTLS as a service, and what SMTP says before and inside TLS (RFC 3207)."""

from collections.abc import Iterable

import msgspec

from audits.established.smtp_service import ClearKeywords, ClearMail, InnerKeywords, StarttlsService
from audits.rules.question import Item, NoExpectations, met, rule


class Keywords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """EHLO keywords that must not be announced."""

    forbidden: tuple[str, ...]


@rule("STARTTLS-001", "STARTTLS is offered", result_type="starttls-not-supported")
def starttls_offered(seen: StarttlsService, _: NoExpectations) -> Iterable[Item]:
    """Whether the server announces STARTTLS in its reply to EHLO. A "no" needs two sessions that say so.

    Why it matters: without it every mail goes over the network in clear text, and senders that demand encryption keep
    or return it.

    How to mend it: smtpd_tls_security_level = may with smtpd_tls_chain_files (before Postfix 3.4: smtpd_tls_cert_file
    and smtpd_tls_key_file). A firewall that rewrites EHLO replies may hide it, too.
    """
    yield Item(seen.announced, seen.evidence)


@rule("STARTTLS-002", "STARTTLS works where it is announced", result_type="validation-failure")
def starttls_works(seen: StarttlsService, _: NoExpectations) -> Iterable[Item]:
    """Whether a session inside TLS comes to its end where STARTTLS is announced.

    Why it matters: a server that announces STARTTLS and then fails delays mail of opportunistic senders, who go on in
    clear at best, and stops the mail of all others. It is worse than not to announce it.

    How to mend it: look for the handshake in the server's log: a key that does not fit its certificate, files that
    smtpd cannot read, no common version or suite. Until then smtpd_tls_security_level = none.
    """
    if seen.announced != "no":
        yield Item(seen.works, seen.evidence)


@rule("SMTP-001", "No forbidden keyword is announced before TLS")
def clear_keywords(seen: ClearKeywords, wants: Keywords) -> Iterable[Item]:
    """Whether keywords such as AUTH stay away from the EHLO reply in clear text.

    Why it matters: a client that is offered AUTH in clear text sends its password in clear text; an attacker on the
    way only has to take STARTTLS out of the reply.

    How to mend it: smtpd_tls_auth_only = yes; on port 25 no AUTH at all (smtpd_sasl_auth_enable = yes only in the
    submission services of master.cf).
    """
    found = [word for word in seen.keywords if word in wants.forbidden]
    yield met(not found, "before TLS: " + ", ".join(found) if found else "before TLS: " + ", ".join(seen.keywords))


@rule("SMTP-002", "No forbidden keyword is announced inside TLS")
def inner_keywords(seen: InnerKeywords, wants: Keywords) -> Iterable[Item]:
    """Whether keywords such as STARTTLS are gone from the EHLO reply inside TLS.

    Why it matters: a server that announces STARTTLS again there has not forgotten what was said in clear text; clients
    may try it and fail, and such servers tend to be open to command injection (VULN-005).

    How to mend it: update the server or the TLS proxy in front of it; Postfix never does this.
    """
    found = [word for word in seen.keywords if word in wants.forbidden]
    yield met(not found, "inside TLS: " + (", ".join(found) if found else ", ".join(seen.keywords)))


@rule("SMTP-003", "Mail in clear text is taken")
def clear_mail(seen: ClearMail, _: NoExpectations) -> Iterable[Item]:
    """Whether a server for public mail takes mail in clear text, too; asked only with --envelope.

    Why it matters: a server in an MX record must not demand TLS before it takes mail: senders without TLS could not
    reach it. Some domains demand it on purpose and live with the loss; then waive this (--waivers).

    How to mend it: smtpd_tls_security_level = may on port 25, and encrypt only in the submission services.
    """
    yield Item(seen.taken, seen.evidence)

"""The words of a diff: what kinds of change there are, how much each matters, and one change as a value."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a change matters, least first. Above information it makes the exit code 1."""

    INFORMATION = "information"
    """Good to know, and nobody has to do anything."""
    NOTICE = "notice"
    """Somebody should have meant it: look whether somebody did."""
    WARNING = "warning"
    """Something got worse, or will within days."""
    ALARM = "alarm"
    """Mail is lost or unprotected that was not, or a policy that senders enforce no longer holds."""

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Kind(StrEnum):
    """What changed. The sentence of each stands in SENTENCES."""

    GRADE_DOWN = "grade-down"
    GRADE_UP = "grade-up"
    CAUSE_CHANGED = "cause-changed"
    MX_NEW = "mx-new"
    MX_GONE = "mx-gone"
    ADDRESS_NEW = "address-new"
    ADDRESS_GONE = "address-gone"
    HOST_SILENT = "host-silent"
    HOST_ANSWERS = "host-answers"
    STARTTLS_LOST = "starttls-lost"
    STARTTLS_GAINED = "starttls-gained"
    PROTOCOL_LOST = "protocol-lost"
    PROTOCOL_GAINED = "protocol-gained"
    CERTIFICATE_RENEWED = "certificate-renewed"
    CERTIFICATE_CHANGED = "certificate-changed"
    CERTIFICATE_EXPIRING = "certificate-expiring"
    CLIFF_NEAR = "cliff-near"
    DANE_BROKEN = "dane-broken"
    DANE_MENDED = "dane-mended"
    TLSA_CHANGED = "tlsa-changed"
    STS_BROKEN = "mta-sts-broken"
    STS_MENDED = "mta-sts-mended"
    STS_CHANGED = "mta-sts-changed"
    TLSRPT_CHANGED = "tlsrpt-changed"
    DNSSEC_CHANGED = "dnssec-changed"
    DOMAIN_NEW = "domain-new"
    DOMAIN_GONE = "domain-gone"


SENTENCES = {
    Kind.GRADE_DOWN: "A sender can enforce less than before without losing mail.",
    Kind.GRADE_UP: "A sender can enforce more than before.",
    Kind.CAUSE_CHANGED: "The grade is the same, but something else caps it now.",
    Kind.MX_NEW: "A host joined those that take the domain's mail.",
    Kind.MX_GONE: "A host left those that take the domain's mail.",
    Kind.ADDRESS_NEW: "A known host has an address more.",
    Kind.ADDRESS_GONE: "A known host has an address less.",
    Kind.HOST_SILENT: "An address, or the DNS, has given no answer for as many runs in a row as are looked back.",
    Kind.HOST_ANSWERS: "An address, or the DNS, that was silent for so long answers again.",
    Kind.STARTTLS_LOST: "A server that offered STARTTLS offers it no longer.",
    Kind.STARTTLS_GAINED: "A server offers STARTTLS that did not before.",
    Kind.PROTOCOL_LOST: "A server refuses a version of TLS that it spoke before; both were tested.",
    Kind.PROTOCOL_GAINED: "A server speaks a version of TLS that it refused before; both were tested.",
    Kind.CERTIFICATE_RENEWED: "A new certificate with the same issuing organisation, kind of key and names.",
    Kind.CERTIFICATE_CHANGED: "A new certificate with another issuer, kind of key, or other names.",
    Kind.CERTIFICATE_EXPIRING: "The days until a certificate expires have fallen below 30, 14 or 7.",
    Kind.CLIFF_NEAR: "A day on which a published policy breaks has come near.",
    Kind.DANE_BROKEN: "A sender with DANE loses mail that it did not lose before, at the host that is named if one is.",
    Kind.DANE_MENDED: "A sender with DANE loses no mail any more.",
    Kind.TLSA_CHANGED: "The TLSA records of a host changed.",
    Kind.STS_BROKEN: "The MTA-STS policy was valid and kept by the servers, and is no longer.",
    Kind.STS_MENDED: "The MTA-STS policy is valid and kept by the servers again.",
    Kind.STS_CHANGED: "The MTA-STS policy changed: its mode, its hosts or its id.",
    Kind.TLSRPT_CHANGED: "The TLSRPT record changed.",
    Kind.DNSSEC_CHANGED: "The MX record or a host is signed and was not, or was and is not.",
    Kind.DOMAIN_NEW: "The domain was not in the list of the older run.",
    Kind.DOMAIN_GONE: "The domain is not in the list of the newer run.",
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed for one domain between two looks.

    `where` names the MX host or addresses it concerns, "" for the whole domain; `before` and `after` are short values
    ("MUST", "TLSv1.3 yes", a day); `detail` is a phrase for people, `evidence` what a person can check: the servers'
    own words, hashes. `since` is the run in which `before` was seen: not always the older of the two, see `view`. All
    may hold foreign text, as it came: escape it where it is shown.
    """

    domain: str
    kind: Kind
    severity: Severity
    where: str = ""
    before: str = ""
    after: str = ""
    detail: str = ""
    evidence: str = ""
    since: str = ""

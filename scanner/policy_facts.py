"""What a domain publishes about TLS for its mail: TLSA, MTA-STS and TLSRPT, as it was found and as it reads.

Nothing here is judged: whether a chain matches a TLSA record or a policy fits its hosts is decided offline.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from scanner.dns_facts import Dnssec, Lookup, TlsaRecord
from scanner.failures import ProbeFailure
from scanner.tls_facts import CertificateFacts


class SignatureEnd(msgspec.Struct, frozen=True):
    """When the first signature over a secure answer ends (RFC 4034 section 3.1.5): the zone is signed anew before."""

    name: str
    rdtype: str
    signed_until: datetime


# --- DANE ----------------------------------------------------------------------------------------------------------


class TlsaLookup(msgspec.Struct, frozen=True):
    """What the DNS said of TLSA records below one base name; `base` is also the name sent in SNI."""

    base: str
    port: int
    answer: Lookup

    @property
    def records(self) -> tuple[TlsaRecord, ...]:
        """The records that count: those of a secure answer (RFC 7672 section 2.2.3)."""
        return self.found if getattr(self.answer, "dnssec", None) is Dnssec.SECURE else ()

    @property
    def found(self) -> tuple[TlsaRecord, ...]:
        """The records, secure or not."""
        if isinstance(self.answer, ProbeFailure):
            return ()
        return tuple(record for record in self.answer.records if isinstance(record, TlsaRecord))


class HostTlsa(msgspec.Struct, frozen=True):
    """The TLSA look-ups for one MX host and port, in the order of RFC 7672 section 2.2.3: expanded name, then the own.

    `address_dnssec` is the state of the address answers, `alias_dnssec` of the host's own CNAME record, asked for only
    where the addresses behind it are not secure. No look-ups: neither is secure, so that none are made (section 2.2.2).
    """

    mx_host: str
    port: int
    address_dnssec: Dnssec
    alias_dnssec: Dnssec | None = None
    lookups: tuple[TlsaLookup, ...] = ()

    @property
    def deciding(self) -> TlsaLookup | None:
        """The first look-up that has secure records or failed; the names behind it do not count."""
        return next((look for look in self.lookups if look.records or isinstance(look.answer, ProbeFailure)), None)


# --- MTA-STS -------------------------------------------------------------------------------------------------------


class StsMode(StrEnum):
    """RFC 8461 section 3.2."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


class StsRecord(msgspec.Struct, frozen=True):
    """The TXT record at _mta-sts (RFC 8461 section 3.1): its id, or the `problem` that makes it void."""

    text: str
    id: str = ""
    problem: str = ""


class StsPolicy(msgspec.Struct, frozen=True):
    """A policy as it reads (RFC 8461 section 3.2); void where `problem` is not "".

    `remarks` are what senders forgive.
    """

    mode: StsMode | None = None
    max_age_s: int | None = None
    mx: tuple[str, ...] = ()
    problem: str = ""
    remarks: tuple[str, ...] = ()


class PolicyFetch(msgspec.Struct, frozen=True):
    """One HTTPS request for a policy. `certificates` is the chain as received; nothing in it was verified."""

    fetched_at: datetime
    address: str = ""
    status: int | None = None
    media_type: str = ""
    body: str = ""
    certificates: tuple[CertificateFacts, ...] = ()
    failure: ProbeFailure | None = None
    addresses_dnssec: Dnssec = Dnssec.INDETERMINATE


class MtaStsFacts(msgspec.Struct, frozen=True):
    """What a domain publishes for MTA-STS. `record` is None where there is none, or where `failure` says why not known.

    `fetch` is made only for a valid record; `policy` is what its body reads, whatever its status and certificate.
    `signatures` are the first to end of the record, and of the addresses of the policy host.
    """

    record: StsRecord | None = None
    dnssec: Dnssec = Dnssec.INDETERMINATE
    fetch: PolicyFetch | None = None
    policy: StsPolicy | None = None
    failure: ProbeFailure | None = None
    signatures: tuple[SignatureEnd, ...] = ()


# --- TLSRPT --------------------------------------------------------------------------------------------------------


class TlsRptFacts(msgspec.Struct, frozen=True):
    """The record at _smtp._tls (RFC 8460 section 3): destinations, or the `problem` because of which it is void.

    `missing` is the domain of the first destination where the DNS says that there is no such domain; the others are not
    looked up.
    """

    text: str = ""
    destinations: tuple[str, ...] = ()
    problem: str = ""
    remarks: tuple[str, ...] = ()
    dnssec: Dnssec = Dnssec.INDETERMINATE
    failure: ProbeFailure | None = None
    missing: str = ""


class PolicyFacts(msgspec.Struct, frozen=True):
    """All that a domain publishes about TLS for its mail; None where it was not looked for.

    `signatures` are the first to end of the MX answer, and of the addresses of its hosts, where these are secure.
    """

    tlsa: tuple[HostTlsa, ...] = ()
    mta_sts: MtaStsFacts | None = None
    tls_rpt: TlsRptFacts | None = None
    signatures: tuple[SignatureEnd, ...] = ()

    def host(self, mx_host: str, port: int) -> HostTlsa | None:
        """The TLSA look-ups for this host and port."""
        return next((tlsa for tlsa in self.tlsa if (tlsa.mx_host, tlsa.port) == (mx_host, port)), None)

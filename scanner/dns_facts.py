"""What the DNS answered: records and their security status, as data without any library's objects (RFC 1035, 4033)."""

from datetime import datetime
from enum import StrEnum

import msgspec

from scanner.failures import Kind, ProbeFailure


class Dnssec(StrEnum):
    """RFC 4033 section 5. Indeterminate as long as no trusted resolver said more."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    INDETERMINATE = "indeterminate"


class DnsStatus(StrEnum):
    """How an answer that arrived reads (RFC 2308 section 2)."""

    RECORDS = "records"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"


class MxRecord(msgspec.Struct, frozen=True, tag="MX"):
    """RFC 5321 section 5.1; `exchange` is "" for the root name of a null MX (RFC 7505)."""

    preference: int
    exchange: str


class AddressRecord(msgspec.Struct, frozen=True, tag="A/AAAA"):
    address: str


class SrvRecord(msgspec.Struct, frozen=True, tag="SRV"):
    """RFC 2782; `target` is "" where the service is decidedly not available."""

    priority: int
    weight: int
    port: int
    target: str


class TlsaRecord(msgspec.Struct, frozen=True, tag="TLSA"):
    """RFC 6698 section 2.1."""

    usage: int
    selector: int
    matching_type: int
    data: bytes


class TxtRecord(msgspec.Struct, frozen=True, tag="TXT"):
    """The character-strings of one TXT record, joined (RFC 7208 section 3.3), decoded as latin-1."""

    text: str


DnsRecord = MxRecord | AddressRecord | SrvRecord | TlsaRecord | TxtRecord


class DnsAnswer(msgspec.Struct, frozen=True, tag="answer"):
    """An answer that arrived. `aliases` is the CNAME chain from the asked name, targets in order.

    `signed_until` is when the first of its signatures ends (RFC 4034 section 3.1.5), None where none were shown.
    """

    name: str
    rdtype: str
    status: DnsStatus
    records: tuple[DnsRecord, ...] = ()
    aliases: tuple[str, ...] = ()
    dnssec: Dnssec = Dnssec.INDETERMINATE
    signed_until: datetime | None = None


Lookup = DnsAnswer | ProbeFailure
"""What asking for a name gave: an answer, or the reason why there is none."""

_WEAKEST_FIRST = (Dnssec.BOGUS, Dnssec.INDETERMINATE, Dnssec.INSECURE, Dnssec.SECURE)


def security(*answers: Lookup) -> Dnssec:
    """The weakest security status among answers: bogus where one was refused for its signatures (RFC 4035, 5.5)."""
    states = (answer.dnssec if isinstance(answer, DnsAnswer) else _without_answer(answer) for answer in answers)
    return min(states, key=_WEAKEST_FIRST.index, default=Dnssec.INDETERMINATE)


def _without_answer(failure: ProbeFailure) -> Dnssec:
    return Dnssec.BOGUS if failure.kind is Kind.BOGUS else Dnssec.INDETERMINATE

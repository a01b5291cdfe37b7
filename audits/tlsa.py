"""Does a chain match TLSA records? Usability, digest agility and matching (RFC 6698, 7671, 7672), offline."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice

import msgspec

from audits.names import name_match
from audits.reasons import Cause, Reason
from audits.trust import TrustStore, TrustStoreError, has_readable_key, verify_chain
from scanner.der import OCTET_STRING, SEQUENCE, UTC_TIME, DerError, elements, fields
from scanner.dns_facts import TlsaRecord
from scanner.tls_facts import CertificateFacts

DANE_TA, DANE_EE = 2, 3
_DIGESTS = {1: hashlib.sha256, 2: hashlib.sha512}
_DIGEST_BYTES = {1: 32, 2: 64}
_ANY_SIGNATURE = bytes.fromhex("300a06082a8648ce3d040302")
"""The AlgorithmIdentifier of ecdsa-with-SHA256."""
_VERSION = 0xA0
"""The version field, which certificates of version 1 lack."""
_TA_DEPTH = 100
"""OpenSSL sets no depth of its own for DANE in Postfix; chains this long are refused in the handshake already."""


class TlsaMatch(msgspec.Struct, frozen=True):
    """Which record a chain matched; else why none did."""

    record: TlsaRecord | None = None
    reason: Reason | None = None


def presentation(record: TlsaRecord) -> str:
    """The record as in a zone file, its data shortened; of full data the end, too, for keys of a kind begin alike."""
    digits = record.data.hex()
    end = digits[-16:] if record.matching_type == 0 and len(digits) > 32 else ""
    return f"{record.usage} {record.selector} {record.matching_type} {digits[:16]}...{end}"


def unusable(record: TlsaRecord) -> str:
    """Why a record cannot be used for SMTP; "" where it can (RFC 7672 section 3.1, RFC 6698 section 2.1)."""
    if record.usage not in (DANE_TA, DANE_EE):
        return "usage 0 and 1 are not for SMTP" if record.usage in (0, 1) else f"unknown usage {record.usage}"
    if record.selector not in (0, 1):
        return f"unknown selector {record.selector}"
    if record.matching_type not in (0, 1, 2):
        return f"unknown matching type {record.matching_type}"
    size = _DIGEST_BYTES.get(record.matching_type)
    if size is not None and len(record.data) != size:
        return f"{len(record.data)} bytes are no digest of matching type {record.matching_type}"
    if size is None and not _is_readable(record):
        return "its data can be read neither as a certificate nor as a key"
    return ""


def usable(records: Sequence[TlsaRecord]) -> tuple[TlsaRecord, ...]:
    """The usable records that count: of digests only the strongest for each usage and selector (RFC 7671 section 9)."""
    good = [record for record in records if not unusable(record)]
    strongest: dict[tuple[int, int], int] = {}
    for record in good:
        key = (record.usage, record.selector)
        strongest[key] = max(strongest.get(key, 0), record.matching_type)
    return tuple(
        record
        for record in dict.fromkeys(good)
        if record.matching_type in (0, strongest[record.usage, record.selector])
    )


def match_chain(
    records: Sequence[TlsaRecord], chain: Sequence[CertificateFacts], names: Sequence[str], at: datetime
) -> TlsaMatch:
    """Matches a chain as received, leaf first. `names` are the reference identifiers for DANE-TA, the base name first.

    DANE-EE looks at the leaf alone: neither its names nor its dates count (RFC 7672 section 3.1.1).
    """
    if not chain:
        return TlsaMatch(reason=Reason(Cause.NO_CERTIFICATE, "no certificate was presented"))
    for record in records:
        if record.usage == DANE_EE and covers(record, chain[0]):
            return TlsaMatch(record)
    reason = None
    for record in records:
        if record.usage != DANE_TA:
            continue
        for anchor in _anchors(record, chain):
            fault = _below_anchor(anchor, chain, names, at)
            if fault is None:
                return TlsaMatch(record)
            reason = reason or fault
    shown = ", ".join(map(presentation, records[:4])) or "no usable record"
    return TlsaMatch(reason=reason or Reason(Cause.TLSA_INVALID, f"the chain matches none of: {shown}"))


def covers(record: TlsaRecord, certificate: CertificateFacts) -> bool:
    """Whether the record's data is this certificate's, by its selector and matching type."""
    selected = certificate.der if record.selector == 0 else public_key_info(certificate.der)
    if selected is None:
        return False
    digest = _DIGESTS.get(record.matching_type)
    return record.data == (digest(selected).digest() if digest else selected)


def reaches(record: TlsaRecord, chain: Sequence[CertificateFacts]) -> bool:
    """Whether a record is an anchor in full that this chain leads to without showing it, dates aside."""
    if (record.usage, record.matching_type) != (DANE_TA, 0):
        return False
    moment = datetime.fromtimestamp(0, UTC)  # a store of DANE looks at no dates
    try:
        stores = [_store(anchor) for anchor in _anchors(record, chain)]
    except TrustStoreError:
        return False
    return any(verify_chain(store, chain, moment, _TA_DEPTH).trusted for store in stores)


def _anchors(record: TlsaRecord, chain: Sequence[CertificateFacts]) -> list[bytes]:
    """The trust anchors that a DANE-TA record names: certificates of the chain, or what stands in the record itself.

    A whole certificate of the leaf is none (OpenSSL matches DANE-TA above the leaf only); its whole key may be, where
    the leaf has signed itself.
    """
    if found := [certificate.der for certificate in chain[1:] if covers(record, certificate)]:
        return found
    if record.matching_type != 0 or not chain:
        return []
    if record.selector == 0:
        return [] if record.data == chain[0].der else [record.data]
    if chain[0].self_issued and covers(record, chain[0]):
        return [chain[0].der]
    name = _name_above(tuple(each.der for each in chain))
    return [_bearer(record.data, name)] if name else []


@lru_cache(maxsize=16)
def _name_above(chain: tuple[bytes, ...]) -> bytes | None:
    """The issuer that is not sent, above the last certificate to which the issuers lead from the leaf; one alone."""
    issuers = {_member(each, 4): _member(each, 2) for each in reversed(chain)}
    name = _member(chain[0], 2)
    for _ in chain:
        if name not in issuers:
            return name
        name = issuers[name]
    return None


def _bearer(key: bytes, name: bytes) -> bytes:
    """A certificate of this name and key, as OpenSSL takes no key alone: as an anchor nobody looks at its signature.

    RFC 7671 section 5.2.2 warns of "2 1 0" without its certificate; Postfix verifies it by the key (check_dane_pkeys).
    """
    dates = _der(SEQUENCE, _der(UTC_TIME, b"500101000000Z") * 2)
    is_ca = _der(SEQUENCE, b"\x06\x03\x55\x1d\x13" + _der(OCTET_STRING, _der(SEQUENCE, b"\x01\x01\xff")))
    number, more = b"\xa0\x03\x02\x01\x02\x02\x01\x01", _der(0xA3, _der(SEQUENCE, is_ca))
    inside = _der(SEQUENCE, number + _ANY_SIGNATURE + name + dates + name + key + more)
    return _der(SEQUENCE, inside + _ANY_SIGNATURE + b"\x03\x02\x00\x00")


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, size)) + content if size < 0x80 else bytes((tag, 0x80 | len(octets))) + octets + content


def _below_anchor(
    anchor: bytes, chain: Sequence[CertificateFacts], names: Sequence[str], at: datetime
) -> Reason | None:
    """What keeps the chain from being trusted below this anchor under one of the names; None where nothing does."""
    try:
        verdict = verify_chain(_store(anchor), chain, at, _TA_DEPTH)
    except TrustStoreError as error:
        return Reason(Cause.TLSA_INVALID, str(error))
    if not verdict.trusted:
        return Reason(Cause(verdict.result), verdict.reason)
    used = (chain[0].sha256, *verdict.verified[:-1])
    below = [certificate for certificate in chain if certificate.sha256 in used]
    if fault := next(filter(None, (_date_fault(certificate, at) for certificate in below)), None):
        return fault
    if any(name_match(chain[0], name).matched for name in names):
        return None
    presented = ", ".join(name_match(chain[0], names[0]).presented[:8]) or "no name"
    return Reason(Cause.CERTIFICATE_HOST_MISMATCH, f"{' or '.join(names)} is not among: {presented}")


def _date_fault(certificate: CertificateFacts, at: datetime) -> Reason | None:
    """The dates count below the anchor; its own do not, as OpenSSL takes it from the record and not from itself."""
    if certificate.not_after is not None and certificate.not_after < at:
        return Reason(Cause.CERTIFICATE_EXPIRED, "certificate has expired")
    if certificate.not_before is not None and certificate.not_before > at:
        return Reason(Cause.VALIDATION_FAILURE, "certificate is not yet valid")
    return None


@lru_cache(maxsize=64)
def _store(anchor: bytes) -> TrustStore:
    return TrustStore([anchor], partial=True)


def _is_readable(record: TlsaRecord) -> bool:
    """Whether the full data of matching type 0 is a certificate, or a key."""
    try:
        one = [element.tag for element in elements(record.data)] == [SEQUENCE]
    except DerError:
        return False
    return one and has_readable_key(record.data, certificate=record.selector == 0)


def public_key_info(certificate: bytes) -> bytes | None:
    """The SubjectPublicKeyInfo exactly as the certificate holds it (RFC 5280 section 4.1); None where it has none."""
    return _member(certificate, 5)


def _member(certificate: bytes, place: int) -> bytes | None:
    """One member of a certificate behind its version: 2 is the issuer, 4 the subject, 5 the SubjectPublicKeyInfo."""
    try:
        whole = next(elements(certificate))
        if len(whole.der) != len(certificate):
            return None
        inside = elements(fields(whole, least=3)[0].content)
        members = [element for element in islice(inside, 7) if element.tag != _VERSION]
        return members[place].der if len(members) > 5 else None
    except (DerError, StopIteration):
        return None

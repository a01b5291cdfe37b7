"""Reads TLS reports as they are received: JSON, compressed, or in a mail (RFC 8460 sections 4 and 5). Bounded."""

import codecs
import email.policy
import re
import zlib
from collections.abc import Iterator
from email import message_from_bytes
from typing import Annotated

import msgspec

MAX_REPORT_BYTES = 32 * 1024 * 1024
"""A report beyond this, unpacked, is no report: some hundred thousand failures fit in."""
_GZIP = b"\x1f\x8b"
_NEXT_MAIL = re.compile(rb"(?<=\n)\r?\n(?=From )")
"""Where the next mail of a mailbox file begins (RFC 4155)."""
_Count = Annotated[int, msgspec.Meta(ge=0)]


class ReportError(Exception):
    """A file that holds no readable report; the message says why."""


class FailureDetails(msgspec.Struct, frozen=True, rename="kebab"):
    """One kind of failure at one host (section 4.4)."""

    result_type: str
    failed_session_count: _Count = 0
    receiving_mx_hostname: str = ""
    receiving_ip: str = ""
    sending_mta_ip: str = ""
    failure_reason_code: str = ""


class ReportedPolicy(msgspec.Struct, frozen=True, rename="kebab"):
    policy_domain: str
    policy_type: str = ""


class Summary(msgspec.Struct, frozen=True, rename="kebab"):
    total_successful_session_count: _Count = 0
    total_failure_session_count: _Count = 0


class PolicyReport(msgspec.Struct, frozen=True, rename="kebab"):
    """What one sender saw under one policy."""

    policy: ReportedPolicy
    summary: Summary = Summary()
    failure_details: tuple[FailureDetails, ...] = ()


class DateRange(msgspec.Struct, frozen=True, rename="kebab"):
    start_datetime: str = ""
    end_datetime: str = ""


class TlsReport(msgspec.Struct, frozen=True, rename="kebab"):
    """One report. Fields that nobody compares are left out."""

    policies: tuple[PolicyReport, ...]
    organization_name: str = ""
    report_id: str = ""
    date_range: DateRange = DateRange()


_decoder = msgspec.json.Decoder(TlsReport, strict=False)


def reports_in(data: bytes) -> tuple[TlsReport, ...]:
    """All reports in a file: JSON, gzip of it, or a mail with such attachments. Raises ReportError."""
    if data.startswith(_GZIP) or data.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{":
        return (_report(data),)
    mails = _NEXT_MAIL.split(data) if data.startswith(b"From ") else [data]
    found = tuple(_report(attached) for each in mails for attached in _attachments(each))
    if not found:
        raise ReportError("neither a report in JSON (or gzip) nor a mail with one")
    return found


def _report(data: bytes) -> TlsReport:
    text = _unpacked(data) if data.startswith(_GZIP) else data
    if len(text) > MAX_REPORT_BYTES:
        raise ReportError(f"more than {MAX_REPORT_BYTES} bytes")
    try:
        return _decoder.decode(text.removeprefix(codecs.BOM_UTF8))  # some senders write one (RFC 8259 section 8.1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReportError(f"no report of RFC 8460: {error}") from None


def _unpacked(data: bytes) -> bytes:
    """The content of a gzip file with all its members (RFC 1952 section 2.2), up to the limit and one byte more."""
    text = bytearray()
    while data.startswith(_GZIP) and len(text) <= MAX_REPORT_BYTES:
        stream = zlib.decompressobj(wbits=31)
        try:
            text += stream.decompress(data, MAX_REPORT_BYTES + 1 - len(text))
        except zlib.error as error:
            raise ReportError(f"broken gzip: {error}") from None
        if not stream.eof and len(text) <= MAX_REPORT_BYTES:
            raise ReportError("the gzip file is cut off")
        data = stream.unused_data
    return bytes(text)


def _attachments(data: bytes) -> Iterator[bytes]:
    """The parts of a mail that look like reports: by media type (section 5.3), by name, or by their first bytes."""
    if len(data) > 2 * MAX_REPORT_BYTES:
        raise ReportError(f"a mail of more than {2 * MAX_REPORT_BYTES} bytes")
    try:
        parts = list(message_from_bytes(data, policy=email.policy.compat32).walk())
    except (ValueError, LookupError, RecursionError) as error:
        raise ReportError(f"a mail that cannot be read: {error}") from None
    for part in parts:
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        named = part.get_content_type().startswith("application/tlsrpt+")
        named = named or str(part.get_filename() or "").endswith((".json", ".json.gz"))
        if named or content.startswith(_GZIP):
            yield content

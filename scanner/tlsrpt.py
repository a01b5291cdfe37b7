"""TLSRPT as text: the TXT record at _smtp._tls with its destinations (RFC 8460 section 3). Pure."""

import re
from collections.abc import Iterable

from scanner.domain_name import BadNameError, ascii_name
from scanner.policy_facts import TlsRptFacts
from scanner.text_records import BLANKS, RecordSyntaxError, check_value, fields, the_one

RECORD_NAME = "_smtp._tls"
VERSION = "v=TLSRPTv1"

_MAILTO = re.compile(r"mailto:[^@,!; ]+@[^@,!; ?]+(?:\?[^,!; ]*)?", re.IGNORECASE)
_HTTPS = re.compile(r"https://[^/,!; ]+(?:[/?][^,!; ]*)?", re.IGNORECASE)
"""In a URI ",", "!" and ";" must be percent-encoded."""
_URL_HOST = re.compile(r"[/:?]")
"""What ends the host of a URL."""
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def tls_rpt_record(texts: Iterable[str]) -> TlsRptFacts | None:
    """The one record among the TXT records at _smtp._tls; None where there is none."""
    try:
        text = the_one(texts, VERSION)
    except RecordSyntaxError as error:
        return TlsRptFacts(problem=str(error))
    if text is None:
        return None
    try:
        return _read(text)
    except RecordSyntaxError as error:
        return TlsRptFacts(text, problem=str(error))


def _read(text: str) -> TlsRptFacts:
    given = fields(text, VERSION)
    lists = [value for name, value in given if name == "rua"]
    for name, value in given:
        if name != "rua":
            check_value(name, value)
    if not lists:
        raise RecordSyntaxError("the record has no rua")
    named = [uri.strip(BLANKS) for uri in lists[0].split(",")]
    good = tuple(uri for uri in named if _is_destination(uri))
    remarks = [f"{uri!r} is neither mailto: nor https:" for uri in named if not _is_destination(uri)]
    if len(lists) > 1:
        remarks.append("rua is repeated; the first one counts")
    problem = "" if good else "rua names no mailto: or https: address"
    return TlsRptFacts(text, good, problem, tuple(remarks))


def destination_domain(uri: str) -> tuple[str, bool]:
    """The domain that a destination leads to, and whether by mail; "" where it is no ordinary name."""
    scheme, _, rest = uri.partition(":")
    by_mail = scheme.lower() == "mailto"
    host = rest.partition("?")[0].rpartition("@")[2] if by_mail else _URL_HOST.split(rest.removeprefix("//"))[0]
    try:
        return ascii_name(host), by_mail
    except BadNameError:
        return "", by_mail


def _is_destination(uri: str) -> bool:
    return bool(_PRINTABLE.fullmatch(uri)) and bool(_MAILTO.fullmatch(uri) or _HTTPS.fullmatch(uri))

"""TXT records of the form `v=NAME; key=value; ...`: what MTA-STS and TLSRPT have in common (RFC 8461, RFC 8460)."""

import re
from collections.abc import Iterable

BLANKS = " \t"
"""WSP of RFC 5234 appendix B.1."""
_FIELD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_FIELD_VALUE = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+")
"""Printable ASCII but blank, "=" and ";" (sts-ext-value, tlsrpt-ext-value)."""


class RecordSyntaxError(Exception):
    """A record that its grammar does not allow; the message is for the postmaster."""


def the_one(texts: Iterable[str], version: str) -> str | None:
    """The record among these texts, None where there is none; those of other versions are discarded first.

    Raises RecordSyntaxError where several remain: senders then take the domain for one without a record.
    """
    found = [text for text in texts if begins(text, version)]
    if len(found) > 1:
        raise RecordSyntaxError(f"{len(found)} records begin with {version}; exactly one may")
    return found[0] if found else None


def begins(text: str, version: str) -> bool:
    """Whether a text is a record of this version: the grammar allows blanks before the first semicolon."""
    return text.startswith(version) and text[len(version) :].lstrip(BLANKS).startswith(";")


def fields(text: str, version: str) -> tuple[tuple[str, str], ...]:
    """The fields behind the version, in order; a semicolon at the end is allowed. Raises RecordSyntaxError.

    Values are only split here; what may stand in one is the business of its field.
    """
    parts = text[len(version) :].lstrip(BLANKS)[1:].split(";")
    if not parts[-1].strip(BLANKS):
        parts.pop()
    found = []
    for part in parts:
        stripped = part.strip(BLANKS)
        name, sign, value = stripped.partition("=")
        if not sign or not _FIELD_NAME.fullmatch(name):
            raise RecordSyntaxError(f"{stripped!r} is no field: write name=value")
        found.append((name, value))
    return tuple(found)


def check_value(name: str, value: str) -> None:
    """Raises RecordSyntaxError where an extension's value has characters that the grammar forbids."""
    if not _FIELD_VALUE.fullmatch(value):
        raise RecordSyntaxError(f"the value of {name} is empty or has forbidden characters: {value!r}")

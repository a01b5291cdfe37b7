"""Which texts Postfix accepts as a host name (RFC 952, RFC 1123, and the underscore that people use all the same)."""

import idna

MAX_NAME = 255
MAX_LABEL = 63
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def valid_hostname(name: str) -> bool:
    """Labels of letters, digits, "_" and inner "-"; no empty label, also at the end; not digits alone."""
    if not name or len(name) > MAX_NAME or name.replace(".", "").isdigit():
        return False
    return all(_valid_label(label) for label in name.split("."))


def valid_utf8_hostname(name: str) -> bool:
    """As `valid_hostname`, of a name in A-labels or U-labels (smtputf8_enable = yes)."""
    return valid_hostname(name) or (not name.isascii() and valid_hostname(a_labels(name)))


def a_labels(name: str) -> str:
    """The name as it stands in the DNS; "" where it has no such form (RFC 5891)."""
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""


def _valid_label(label: str) -> bool:
    return 0 < len(label) <= MAX_LABEL and _LETTERS.issuperset(label) and label[0] != "-" and label[-1] != "-"

"""A domain name as mail can use it: host name syntax (RFC 5321 section 2.3.5, RFC 1123) and IDN (RFC 5891, UTS 46).

Inside the program a name is its A-label in lower case without a trailing dot; people read and write U-labels.
"""

import re

import idna

MAX_NAME = 253
"""RFC 1035 section 2.3.4: 255 octets on the wire are 253 characters of text."""
MAX_LABEL = 63
MAX_U_LABELS = 1000
"""Characters of a name that still go through the UTS 46 tables; it also allows for the ones that UTS 46 drops."""

# Letters, digits, hyphens. The labels that RFC 5890 reserves ("r3---sn") exist in the DNS and are taken as they are,
# and so is every "xn--" label: emoji names are registered although IDNA 2008 forbids them. A last label of digits
# only would be an address (RFC 3696 section 2).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}")
_A_LABEL = re.compile(r"(?<![a-z0-9-])xn--[a-z0-9-]+")
_STRANGE = re.compile(r"[^a-z0-9.-]")


class BadNameError(ValueError):
    """A text is no domain name; the message says why, and what to write instead."""


def ascii_name(text: str) -> str:
    """The A-label form of a name that a person wrote; `BadNameError` where it is none."""
    name = (text if text.isascii() else _a_labels(text)).lower().removesuffix(".")
    if len(name) <= MAX_NAME and _HOST_NAME.fullmatch(name):
        return name
    raise BadNameError(_fault(name))


def shown(name: str) -> str:
    """A name, or an entry with a name in it, as people read it: each A-label that IDNA 2008 knows as its U-label."""
    return _A_LABEL.sub(lambda found: _u_label(found[0]), name)


def printable(text: str, limit: int = 100) -> str:
    """Foreign text made safe for a terminal and for JSON: cut, and escaped where nothing would be seen."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def _a_labels(text: str) -> str:
    if len(text) > MAX_U_LABELS:
        raise BadNameError(f"the name is longer than {MAX_NAME} characters")
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError as error:  # IDNAError is one
        why = printable(str(error), 160)
        raise BadNameError(f"no name that IDNA allows ({why}): write its xn-- form if there is one") from None


def _u_label(label: str) -> str:
    try:
        return idna.ulabel(label)
    except UnicodeError:
        return label


def _fault(name: str) -> str:
    """Why a text in lower case and ASCII is no host name, and the remedy: the commonest mistakes first."""
    labels = name.split(".")
    if not name:
        return "there is no domain name"
    if name.startswith("*"):
        return "a wildcard: list each domain by its name"
    if name.startswith("."):
        return "a leading dot: write the name without it"
    if "_" in name:
        return "an underscore cannot stand in the name of a mail domain or host: list the domain itself"
    if strange := _STRANGE.search(name):
        return f"the character {_character(strange[0])} cannot stand in a domain name"
    if "" in labels:
        return "two dots follow each other: a label is missing"
    return _length_fault(name, labels)


def _length_fault(name: str, labels: list[str]) -> str:
    for label in labels:
        if len(label) > MAX_LABEL:
            return f"the label {printable(label, 20)} has {len(label)} characters, at most {MAX_LABEL} are possible"
        if label.startswith("-") or label.endswith("-"):
            return f"the label {printable(label, 20)} begins or ends with a hyphen"
    if len(name) > MAX_NAME:
        return f"the name has {len(name)} characters, at most {MAX_NAME} are possible"
    return "neither a name nor an IP address: the last label is a number"


def _character(char: str) -> str:
    return f"{char!r}" if char.isprintable() else f"U+{ord(char):04X}"

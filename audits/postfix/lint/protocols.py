"""Protocol lists (smtp_tls_protocols and its relatives): what they leave enabled (postconf(5))."""

import re
from collections.abc import Iterator

import msgspec

from audits.postfix.lint.words import Severity
from audits.postfix.parameters import Version

ALL = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
"""The words of Postfix, oldest version first; case does not matter."""
BOUNDS_SINCE = Version(3, 6, 0)
_WORD = re.compile(r"[^,: \t\r\n]+")
_NUMBERS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
_HEX = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,4}")


class ProtocolList(msgspec.Struct, frozen=True):
    """A parsed list: the enabled versions, and the words that Postfix does not know."""

    enabled: tuple[str, ...]
    unknown: tuple[str, ...]
    named: tuple[str, ...]


def parse_protocols(value: str, version: Version) -> ProtocolList:
    """Names include, "!" excludes, ">=" and "<=" bound (since 3.6); without names everything is included."""
    included: list[str] = []
    excluded: list[str] = []
    unknown: list[str] = []
    low, high = 0, len(ALL)
    for word in _WORD.findall(value):
        bound = word[:2] if word[:2] in (">=", "<=") and version >= BOUNDS_SINCE else ""
        name = _protocol(word[2:], numbers=True) if bound else _protocol(word.removeprefix("!"))
        if name is None:
            unknown.append(word)
        elif bound == ">=":
            low = ALL.index(name)
        elif bound == "<=":
            high = ALL.index(name) + 1
        else:
            (excluded if word.startswith("!") else included).append(name)
    enabled = tuple(name for name in ALL[low:high] if (not included or name in included) and name not in excluded)
    return ProtocolList(enabled, tuple(unknown), tuple(included))


def _protocol(word: str, numbers: bool = False) -> str | None:
    name = next((known for known in ALL if known.lower() == word.lower()), None)
    if name is None and numbers and _HEX.fullmatch(word):
        return _NUMBERS.get(int(word, 16))
    return name


def protocol_findings(value: str, version: Version) -> Iterator[tuple[str, Severity]]:
    """What is wrong with a list, gravest first."""
    parsed = parse_protocols(value, version)
    for word in parsed.unknown:
        bound = word[:2] in (">=", "<=") and version < BOUNDS_SINCE
        why = f" before Postfix {BOUNDS_SINCE.major}.{BOUNDS_SINCE.minor}" if bound else ""
        yield f'"{word}" is no protocol{why}, and an unknown word makes every TLS session fail', Severity.ERROR
    if parsed.unknown or not _WORD.search(value):
        return
    modern = [name for name in ("TLSv1.2", "TLSv1.3") if name in parsed.enabled]
    if not parsed.enabled:
        yield f'"{value}" leaves no protocol at all', Severity.ERROR
    elif not modern:
        left = " and ".join(parsed.enabled)
        yield f'"{value}" leaves {left} alone: TLS 1.2 and 1.3 are switched off', Severity.ERROR
    elif modern == ["TLSv1.2"]:
        yield f'"{value}" switches TLS 1.3 off', Severity.WARNING
    weak = [name for name in parsed.named if name in ("SSLv2", "SSLv3")]
    if weak:
        yield f'"{value}" switches {" and ".join(weak)} on', Severity.ERROR

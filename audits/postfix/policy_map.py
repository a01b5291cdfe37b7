"""The effective TLS level under smtp_tls_policy_maps (postconf(5), TLS_README "per-destination policy").

Only the next-hop is looked up: as it stands, and, where it is a plain domain, then ".parent" for each of its parents.
An entry is a level followed by name=value attributes; an error in it makes Postfix skip the host (4.7.5), because
falling back to anything weaker could send mail in the clear.
"""

import re
from functools import lru_cache

import msgspec

from audits.postfix.braces import BraceError, name_and_value, split_list, without_braces
from audits.postfix.hostnames import valid_hostname, valid_utf8_hostname
from audits.postfix.parameters import DEFAULT_VERSION, Version
from audits.postfix.per_site import DEFERRED_CONFIGURATION, GlobalPolicy
from audits.postfix.resolution import Attribute, KeyLookup, Reason, Resolution, Role, Rule
from audits.postfix.source_text import shown
from audits.postfix.tables import Hit, LookupFailure, Miss, TableList
from audits.postfix.tls_levels import TlsLevel, tls_level

LEVEL_SINCE = {
    TlsLevel.FINGERPRINT: Version(2, 5, 0),
    TlsLevel.DANE: Version(2, 11, 0),
    TlsLevel.DANE_ONLY: Version(2, 11, 0),
}
ATTRIBUTE_SINCE = {
    "ciphers": Version(2, 3, 0),
    "protocols": Version(2, 3, 0),
    "match": Version(2, 3, 0),
    "exclude": Version(2, 6, 0),
    "tafile": Version(2, 11, 0),
    "servername": Version(3, 4, 0),
    "connection_reuse": Version(3, 4, 0),
    "enable_rpk": Version(3, 9, 0),
    "policy_type": Version(3, 10, 0),
    "policy_domain": Version(3, 10, 0),
    "policy_string": Version(3, 10, 0),
    "policy_ttl": Version(3, 10, 0),
    "policy_failure": Version(3, 10, 0),
    "mx_host_pattern": Version(3, 10, 0),
}
BRACES_SINCE = Version(3, 10, 0)
"""From here on an attribute may be written { name = value }."""
_WORDS = re.compile(r"[^, \t\r\n]+")
_REPEATABLE = frozenset({"match", "tafile", "connection_reuse", "enable_rpk", "policy_string", "mx_host_pattern"})
_NEVER_EMPTY = frozenset({"ciphers", "match", "tafile"})
_SWITCHES = frozenset({"connection_reuse", "enable_rpk"})
_PKIX = frozenset({TlsLevel.VERIFY, TlsLevel.SECURE})
_MATCHING = _PKIX | {TlsLevel.FINGERPRINT}
_FAILURES = frozenset({"sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid", "validation-failure"})
_TYPES = frozenset({"sts", "no-policy-found"})


class PolicyEntry(msgspec.Struct, frozen=True):
    """One value of a policy table, parsed. `error` says why Postfix refuses it; `warnings` what it only logs.

    `code` names the kind of error for lint.
    """

    level: TlsLevel
    attributes: tuple[Attribute, ...] = ()
    error: str = ""
    code: str = ""
    warnings: tuple[str, ...] = ()

    def values(self, name: str) -> tuple[str, ...]:
        """The values of an attribute, in order."""
        return tuple(attribute.value for attribute in self.attributes if attribute.name == name)


class _Refused(Exception):
    """Postfix refuses the entry: the code and the sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@lru_cache(maxsize=4096)
def parse_entry(value: str, version: Version = DEFAULT_VERSION) -> PolicyEntry:
    """Parse the value of a table entry as this version of smtp(8) does."""
    words = split_list(value) if version >= BRACES_SINCE else _WORDS.findall(value)
    if not words:
        return PolicyEntry(TlsLevel.INVALID, error="the policy is empty", code="empty")
    level = tls_level(words[0])
    if level is None or LEVEL_SINCE.get(level, version) > version:
        known = "" if level is None else f" before Postfix {LEVEL_SINCE[level].major}.{LEVEL_SINCE[level].minor}"
        return PolicyEntry(TlsLevel.INVALID, error=f'"{shown(words[0])}" is no TLS level{known}', code="level")
    if level is TlsLevel.NONE:
        warnings = tuple(f'the attribute "{shown(word)}" is ignored at the level none' for word in words[1:])
        return PolicyEntry(level, warnings=warnings)
    attributes: list[Attribute] = []
    try:
        for word in words[1:]:
            attribute = _attribute(word, version)
            _check(attribute, level, attributes, version)
            attributes.append(attribute)
        _check_together(attributes)
    except _Refused as refused:
        return PolicyEntry(level, tuple(attributes), error=str(refused), code=refused.code)
    return PolicyEntry(level, tuple(attributes))


def _attribute(word: str, version: Version) -> Attribute:
    try:
        braced = word.startswith("{") and version >= BRACES_SINCE
        name, value = name_and_value(without_braces(word) if braced else word)
    except BraceError as error:
        raise _Refused("malformed", f'"{shown(word)}" is no attribute: {error}') from error
    return Attribute(name.lower(), " ".join(value.split()) if braced else value)


def _check(attribute: Attribute, level: TlsLevel, earlier: list[Attribute], version: Version) -> None:
    name, value = attribute.name, attribute.value
    since = ATTRIBUTE_SINCE.get(name)
    if since is None or since > version:
        known = f" before Postfix {since.major}.{since.minor}" if since else ""
        raise _Refused("unknown-attribute", f'there is no attribute "{shown(name)}"{known}')
    if name in _NEVER_EMPTY and not value:
        raise _Refused("empty-attribute", f'the attribute "{name}" has no value')
    if name not in _REPEATABLE and any(other.name == name for other in earlier):
        raise _Refused("repeated", f'the attribute "{name}" occurs twice')
    if name == "match" and level not in _MATCHING:
        raise _Refused("misplaced", f'the attribute "match" is not allowed at the level {level}')
    if name == "tafile" and level not in _PKIX:
        raise _Refused("misplaced", f'the attribute "tafile" is not allowed at the level {level}')
    if not _valid(name, value):
        raise _Refused("bad-value", f'the attribute "{name}" cannot have the value "{shown(value)}"')


def _valid(name: str, value: str) -> bool:
    if name in ("servername", "policy_domain"):
        return valid_hostname(value)
    if name in _SWITCHES:
        return value.lower() in ("yes", "no")
    if name == "policy_ttl":
        return value.isascii() and value.isdigit() and int(value[:20]) < 2**31
    if name == "policy_type":
        return value.lower() in _TYPES
    return name != "policy_failure" or value.lower() in _FAILURES


def _check_together(attributes: list[Attribute]) -> None:
    names = {attribute.name for attribute in attributes}
    orphans = sorted(name for name in names if ATTRIBUTE_SINCE[name] == Version(3, 10, 0) and name != "policy_type")
    if orphans and "policy_type" not in names:
        raise _Refused("misplaced", f'the attribute "{orphans[0]}" needs a "policy_type"')


def policy_level(
    policy: GlobalPolicy, table: TableList, next_hop: str, version: Version = DEFAULT_VERSION, utf8: bool = True
) -> Resolution:
    """The level for a next-hop under smtp_tls_policy_maps, before what dane needs of the machine is looked at."""
    lookups: list[KeyLookup] = []
    why = [policy.reason]
    for key in keys_for(next_hop, utf8):
        found = table.lookup(key)
        lookups.append(KeyLookup(Role.NEXT_HOP, key, found))
        match found:
            case Miss():
                continue
            case LookupFailure(reason=reason):
                why.append(
                    Reason(Rule.LOOKUP_ERROR, f"The lookup of {key} fails ({reason}), so this host is not used.")
                )
                return _refused(why, lookups)
            case Hit(value=value, place=place):
                return _from_entry(parse_entry(value, version), f"{place}: the policy for {key}", why, lookups)
    why.append(Reason(Rule.GLOBAL_STANDS, "The next-hop is not in smtp_tls_policy_maps: the global level stands."))
    return Resolution(policy.level, tuple(why), tuple(lookups), wanted=policy.level)


def keys_for(next_hop: str, utf8: bool = True) -> tuple[str, ...]:
    """The keys that Postfix tries in turn: brackets and ports admit no parent."""
    plain = valid_utf8_hostname(next_hop) if utf8 else valid_hostname(next_hop)
    if not plain:
        return (next_hop,)
    labels = next_hop.split(".")
    return (next_hop, *("." + ".".join(labels[index:]) for index in range(1, len(labels))))


def _refused(why: list[Reason], lookups: list[KeyLookup]) -> Resolution:
    return Resolution(TlsLevel.INVALID, tuple(why), tuple(lookups), status=DEFERRED_CONFIGURATION)


def _from_entry(entry: PolicyEntry, where: str, why: list[Reason], lookups: list[KeyLookup]) -> Resolution:
    if entry.error:
        why.append(Reason(Rule.UNKNOWN_VALUE, f"{where} is refused: {entry.error}; so this host is not used."))
        return _refused(why, lookups)
    why.append(Reason(Rule.POLICY_FOUND, f"{where} replaces the global level: {entry.level}."))
    return Resolution(
        entry.level, tuple(why), tuple(lookups), entry.warnings, wanted=entry.level, attributes=entry.attributes
    )

"""What resolving a TLS level gives: the level, the rules that decided, what was looked up, and what to be warned of."""

from enum import StrEnum

import msgspec

from audits.postfix.tables import Found
from audits.postfix.tls_levels import TlsLevel


class Engine(StrEnum):
    """The three generations of the policy code that differ in their results."""

    BEFORE_PATCH = "2.2.8"
    """With the two errors that the patch of 2006-01-21 repaired."""
    PATCHED = "2.2.9"
    MODERN = "3"


class Rule(StrEnum):
    """The rules of smtp(8), each by a name of its own; their sentences stand in the reasons."""

    GLOBAL = "global"
    GLOBAL_STANDS = "global-stands"
    HOST_IS_NEXT_HOP = "host-is-next-hop"
    SPECIFIC_BEATS_MAY = "specific-beats-may"
    STRONGER_WINS = "stronger-wins"
    SITE_BEATS_GLOBAL = "site-beats-global"
    GLOBAL_BEATS_MAY = "global-beats-may"
    POLICY_HIDES_SITE = "policy-hides-site"
    POLICY_FOUND = "policy-found"
    UNKNOWN_VALUE = "unknown-value"
    LOOKUP_ERROR = "lookup-error"
    NO_DNSSEC = "no-dnssec"
    BAD_SETTING = "bad-setting"
    NO_FINGERPRINT = "no-fingerprint"
    OLD_NONE_AND_MAY = "2.2.8-none-and-may"
    OLD_NOPEERMATCH = "2.2.8-nopeermatch"


class Reason(msgspec.Struct, frozen=True):
    """One rule at work, in a sentence."""

    rule: Rule
    sentence: str


class Role(StrEnum):
    """Which name a key is; the words are those of Postfix's log."""

    NEXT_HOP = "next-hop destination"
    HOST = "server hostname"


class KeyLookup(msgspec.Struct, frozen=True):
    """One key that was looked up, and what came back."""

    role: Role
    key: str
    found: Found


class Attribute(msgspec.Struct, frozen=True):
    """One name=value of a policy map entry."""

    name: str
    value: str


class Resolution(msgspec.Struct, frozen=True):
    """The effective level for one next-hop and host.

    `status` is the enhanced status code with which Postfix skips the host when the level is INVALID. `wanted` is the
    level before dane was found impossible on this machine. `attributes` come from smtp_tls_policy_maps.
    """

    level: TlsLevel
    why: tuple[Reason, ...]
    lookups: tuple[KeyLookup, ...] = ()
    warnings: tuple[str, ...] = ()
    status: str = ""
    wanted: TlsLevel = TlsLevel.INVALID
    attributes: tuple[Attribute, ...] = ()

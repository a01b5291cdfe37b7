"""Which main.cf parameters a Postfix version knows, with their defaults (postconf(5); RELEASE_NOTES 3.8 to 3.11).

The facts stand in two data files beside this one: all defaults of 3.7, and the history of the TLS parameters.
"""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import msgspec

_NEWEST_PATCH = 999


class Version(msgspec.Struct, frozen=True, order=True):
    """A Postfix version; "3.7" means its newest patch level."""

    major: int
    minor: int
    patch: int = _NEWEST_PATCH

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" + ("" if self.patch == _NEWEST_PATCH else f".{self.patch}")


def parse_version(text: str) -> Version:
    """ "3.7" or "2.2.9" as a Version; raises ValueError with a sentence."""
    parts = text.split(".")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        raise ValueError(f'"{text}" is no Postfix version such as 3.7 or 2.2.9')
    return Version(*map(int, parts))


DEFAULT_VERSION = parse_version("3.7")
"""The version whose defaults stand in the data file, and which the tests ask."""


def _first(text: str) -> Version:
    """The version as a beginning: "3.7" is 3.7.0 here."""
    version = parse_version(text)
    return version if version.patch != _NEWEST_PATCH else Version(version.major, version.minor, 0)


class Obsolete(msgspec.Struct, frozen=True):
    """What became of a parameter: `since` the version that made it obsolete, `instead` what to write."""

    since: str
    instead: str
    warned: str = ""

    def at(self, version: Version) -> bool:
        """Obsolete in this version already."""
        return version >= _first(self.since)

    def warned_at(self, version: Version) -> bool:
        """Postfix itself warns about it in this version."""
        return bool(self.warned) and version >= _first(self.warned)


@cache
def _data(name: str) -> dict[str, Any]:
    text = resources.files("audits.postfix").joinpath(name).read_text("utf-8")
    return tomllib.loads(text)


@cache
def introduced() -> dict[str, Version]:
    """Each TLS parameter with its first version."""
    since: dict[str, list[str]] = _data("tls_parameters.toml")["since"]
    return {name: _first(version) for version, names in since.items() for name in names}


@cache
def _obsolete(section: str) -> dict[str, Obsolete]:
    return msgspec.convert(_data("tls_parameters.toml")[section], dict[str, Obsolete])


def gone(name: str, version: Version) -> Obsolete | None:
    """Why this version does not read the parameter any more; None where it does."""
    entry = _obsolete("gone").get(name)
    return entry if entry and entry.at(version) else None


def replaced(name: str, version: Version) -> Obsolete | None:
    """What the parameter was replaced by; None where nothing better exists in this version."""
    entry = _obsolete("replaced").get(name)
    return entry if entry and entry.at(version) else None


def all_names() -> frozenset[str]:
    """Every parameter that some version knows: all of 3.7, and the TLS parameters of every version."""
    return frozenset(introduced()) | frozenset(_data("defaults_3_7.toml")["defaults"]) | machine_names()


def machine_names() -> frozenset[str]:
    """Parameters whose default depends on the host or on how Postfix was built."""
    return frozenset(_data("defaults_3_7.toml")["machine"])


def knows(name: str, version: Version) -> bool:
    """True when this version reads the parameter; parameters outside of TLS are taken from 3.7."""
    first = introduced().get(name)
    if first is not None:
        return first <= version and gone(name, version) is None
    return name in all_names()


def default(name: str, version: Version) -> str | None:
    """The unexpanded built-in default; None where this version does not know the parameter."""
    if name in introduced() and introduced()[name] > version:
        return None
    changes: dict[str, str] = _data("tls_parameters.toml")["defaults"].get(name, {})
    chosen: str | None = _data("defaults_3_7.toml")["defaults"].get(name)
    for since, value in changes.items():
        if version >= _first(since):
            chosen = value
    return chosen

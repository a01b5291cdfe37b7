"""Cipher names in exclusion lists and cipher strings: words that OpenSSL does not know, or knows no more.

OpenSSL says nothing about an unknown word behind a "!", so a misspelt exclusion excludes nothing, in silence.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from posixpath import commonprefix

from audits.postfix.lint.words import Severity

GRADES = ("high", "medium", "low", "export", "null")
"""The cipher grades of Postfix; case does not matter."""
_WORD = re.compile(r"[^, :\t\r\n]+")
_TELLING_PREFIX = 5
_SECURITY_LEVEL = re.compile(r"SECLEVEL=\d")


@cache
def _names(section: str) -> frozenset[str]:
    text = resources.files("audits.postfix.lint").joinpath("cipher_names.toml").read_text("utf-8")
    return frozenset(tomllib.loads(text)[section])


@cache
def _known() -> frozenset[str]:
    return _names("keywords") | _names("suites")


@cache
def _former() -> frozenset[str]:
    return _names("former_keywords") | _names("former_suites")


def is_grade(value: str) -> bool:
    """Whether a value of smtp_tls_ciphers and its relatives is a grade."""
    return value.lower() in GRADES


def cipher_findings(value: str) -> Iterator[tuple[str, Severity]]:
    """What is wrong with the words of an exclusion list, or of an OpenSSL cipher string."""
    for word in _WORD.findall(value):
        name = word.lstrip("!-+")
        if name.startswith("@") and (name[1:] == "STRENGTH" or _SECURITY_LEVEL.fullmatch(name[1:])):
            continue
        parts = (name,) if name in _known() | _former() else tuple(part for part in name.split("+") if part)
        for part in parts or (word,):
            yield from _finding(part)


def exclusion_findings(value: str) -> Iterator[tuple[str, Severity]]:
    """What is wrong with an exclusion list: beside unknown names a sign before a name (tls_misc.c, tls_set_ciphers)."""
    signed = [word for word in _WORD.findall(value) if word[0] in "!+-@"]
    for word in signed:
        yield f'"{word}" begins with a sign, with which every TLS session fails', Severity.ERROR
    yield from cipher_findings(" ".join(word for word in _WORD.findall(value) if word not in signed))


def _finding(name: str) -> Iterator[tuple[str, Severity]]:
    if name in _known():
        return
    if name in _names("tls13_suites"):
        yield f'"{name}" is a suite of TLS 1.3, which cannot be switched here', Severity.WARNING
    elif name in _former():
        yield f'"{name}" names nothing since OpenSSL 1.1.0 (2016)', Severity.INFO
    else:
        yield f'"{name}" is no cipher and no group of ciphers{_suggestion(name)}', Severity.ERROR


def _suggestion(name: str) -> str:
    candidates = sorted(_known() | _former())
    same = [candidate for candidate in candidates if candidate.lower() == name.lower()]
    contained = [candidate for candidate in candidates if candidate.endswith("-" + name) or candidate.startswith(name)]
    close = same or difflib.get_close_matches(name, candidates, n=1, cutoff=0.8) or contained[:1]
    if not close:
        alike = max(candidates, key=lambda candidate: len(commonprefix([candidate, name])))
        close = [alike] if len(commonprefix([alike, name])) >= _TELLING_PREFIX else []
    return f"; did you mean {close[0]}?" if close else ""

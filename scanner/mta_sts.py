"""MTA-STS as text: the TXT record and the policy (RFC 8461 sections 3.1 and 3.2). Pure."""

import re
from collections.abc import Iterable

from scanner.policy_facts import StsMode, StsPolicy, StsRecord
from scanner.text_records import BLANKS, RecordSyntaxError, begins, check_value, fields, the_one

RECORD_NAME = "_mta-sts"
POLICY_HOST = "mta-sts"
POLICY_PATH = "/.well-known/mta-sts.txt"
VERSION = "v=STSv1"
POLICY_VERSION = "STSv1"
MAX_AGE_LIMIT_S = 31_557_600
"""One year: the largest max_age (section 3.2)."""
MAX_PATTERNS = 1000
"""mx lines that are kept; 64 kB hold more, but no domain has more hosts than this."""

_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_MAX_AGE = re.compile(r"[0-9]{1,10}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PATTERN = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*{_LABEL}")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")
"""Control characters have no place in a policy (sts-policy-ext-value)."""


def sts_record(texts: Iterable[str]) -> StsRecord | None:
    """The one record among the TXT records at _mta-sts; None where there is none."""
    try:
        text = the_one(texts, VERSION)
    except RecordSyntaxError as error:
        return StsRecord("", problem=str(error))
    if text is None:
        return None
    try:
        given = fields(text, VERSION)
        for name, value in given:
            check_value(name, value)
    except RecordSyntaxError as error:
        return StsRecord(text, problem=str(error))
    ids = [value for name, value in given if name == "id"]
    if len(ids) != 1:
        return StsRecord(text, problem="the record needs exactly one id")
    if not _ID.fullmatch(ids[0]):
        return StsRecord(text, problem=f"id {ids[0]!r}: 1 to 32 letters and digits")
    return StsRecord(text, ids[0])


def looks_meant(texts: Iterable[str]) -> bool:
    """Whether a text was meant as a record and is none, so that the postmaster should hear of it."""
    return any("STSv1" in text and not begins(text, VERSION) for text in texts)


def sts_policy(body: str) -> StsPolicy:
    """Reads a policy. Lines end with LF or CRLF; unknown keys are ignored; the first of a repeated key counts."""
    remarks: list[str] = []
    pairs: list[tuple[str, str]] = []
    lines = body.split("\n")
    if lines[-1].strip(f"{BLANKS}\r") == "":
        lines.pop()
    for number, line in enumerate(lines, 1):
        text = line.removesuffix("\r")
        key, sign, value = text.partition(":")
        if key != key.strip(BLANKS):
            remarks.append(f"line {number}: no blanks may stand around the key")
        key, value = key.strip(BLANKS), value.strip(BLANKS)
        if not text.strip(BLANKS):
            remarks.append(f"line {number} is empty")
        elif not sign or not _KEY.fullmatch(key):
            return StsPolicy(problem=f"line {number} is no key: value pair: {text[:80]!r}", remarks=tuple(remarks))
        elif _FORBIDDEN.search(value):
            return StsPolicy(problem=f"line {number} has control characters", remarks=tuple(remarks))
        else:
            pairs.append((key, value))
    return _policy(pairs, remarks)


def _policy(pairs: list[tuple[str, str]], remarks: list[str]) -> StsPolicy:
    first: dict[str, str] = {}
    for key, value in pairs:
        if key in first and key in ("version", "mode", "max_age"):
            remarks.append(f"{key} is repeated; the first one counts")
        first.setdefault(key, value)
    problem = _fault(pairs, first)
    mode = StsMode(first["mode"]) if first.get("mode") in set(StsMode) else None
    patterns = tuple(value.lower() for key, value in pairs if key == "mx" and _PATTERN.fullmatch(value))
    age = first.get("max_age", "")
    max_age = int(age) if _MAX_AGE.fullmatch(age) else None
    return StsPolicy(mode, max_age, patterns[:MAX_PATTERNS], problem, tuple(dict.fromkeys(remarks)))


def _fault(pairs: list[tuple[str, str]], first: dict[str, str]) -> str:
    """What makes the policy void; "" for a valid one."""
    if not pairs:
        return "the policy is empty"
    if first.get("version") != POLICY_VERSION:
        return f"version must be {POLICY_VERSION}, it is {first.get('version', 'missing')[:40]!r}"
    if first.get("mode") not in set(StsMode):
        return f"mode must be enforce, testing or none, it is {first.get('mode', 'missing')[:40]!r}"
    age = first.get("max_age", "")
    if not _MAX_AGE.fullmatch(age) or int(age) > MAX_AGE_LIMIT_S:
        return f"max_age must be 0 to {MAX_AGE_LIMIT_S} seconds, it is {age[:40]!r}"
    patterns = [value for key, value in pairs if key == "mx"]
    wrong = [value for value in patterns if not _is_pattern(value)]
    if wrong:
        return f"mx {wrong[0][:80]!r} is neither a host name nor '*.' and a domain"
    if not patterns and first["mode"] != StsMode.NONE:
        return "no mx line, although the mode is not none"
    return ""


def _is_pattern(value: str) -> bool:
    return bool(_PATTERN.fullmatch(value)) and len(value) <= 255

"""Waivers: who answers for a finding, why, and until when. An expired one fails loudly.

A TOML file of `[[waiver]]` tables with `rule` (an id of a rule or of a requirement, or its prefix with *), `subject` (a
domain, an MX host, "host [address]:port", or a pattern with *), `owner`, `reason` and `expires` (a day, inclusive).
"""

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from audits.findings import Finding

_PORT = re.compile(r":[0-9]+\Z")
"""Of a subject such as "mx.example.org:25", whose TLSA records are meant."""


class WaiverError(Exception):
    """A file of waivers cannot be used, or one in it has expired: which, and what to do."""


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One waiver; see the head of this file."""

    rule: str
    subject: str
    owner: str
    reason: str
    expires: date

    def covers(self, finding: Finding, domain: str) -> bool:
        """Whether it speaks of this finding of that domain."""
        host = finding.subject.partition(" ")[0]
        subjects = (domain, finding.subject, host, _PORT.sub("", host))
        patterns = (self.subject, self.subject.replace("[", "[[]"))  # the brackets of an address are no pattern
        return any(fnmatchcase(id, self.rule) for id in (finding.rule, finding.requirement)) and any(
            fnmatchcase(subject, pattern) for subject in subjects for pattern in patterns
        )


class Waivers(msgspec.Struct, frozen=True):
    """The waivers of one judgement."""

    all: tuple[Waiver, ...]

    def covering(self, finding: Finding, domain: str, at: datetime | None) -> Waiver | None:
        """The first that covers a finding and was in force when it was seen; none where nobody knows when."""
        if at is None:
            return None
        return next((w for w in self.all if at.date() <= w.expires and w.covers(finding, domain)), None)

    def expired(self, today: date) -> Sequence[Waiver]:
        """Those that are over."""
        return [waiver for waiver in self.all if waiver.expires < today]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    waiver: tuple[Waiver, ...] = ()


def waivers_from_file(path: Path) -> Waivers:
    """Reads a file of waivers; `WaiverError` says where it is wrong."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        read = msgspec.convert(data, _File)
    except OSError as error:
        raise WaiverError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WaiverError(f"{path}: no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise WaiverError(f"{path}: {error}; a waiver has rule, subject, owner, reason, expires") from error
    for number, waiver in enumerate(read.waiver, 1):
        for name in ("rule", "subject", "owner", "reason"):
            if not getattr(waiver, name).strip():
                raise WaiverError(f"{path}: waiver {number}: {name} is empty; a waiver without it answers for nothing")
    return Waivers(read.waiver)

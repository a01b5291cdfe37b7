"""The parts of a settled view: an answer with the look that gave it, and the shapes that answers have."""

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from audits.cliffs import Cliff
from audits.mta_sts import StsState
from audits.records import CertificateRecord, DomainRecord
from audits.verdicts import Grade
from scanner.facts import Dnssec, DomainFacts, Fact

WINDOW = 3
"""Runs that are looked back: how long an answer is kept, and how long a silence must last to be told."""

T = TypeVar("T")
K = TypeVar("K")
ANSWERS = frozenset({Fact.YES, Fact.NO})
Place = tuple[str, str, int]
"""MX host, address, port."""
DNS: Place = ("", "", 53)
"""Where the DNS is heard, which tells the hosts of the domain."""


class Look(msgspec.Struct, frozen=True):
    """One domain in one run: the name of the run, when it began, the judged record and what was seen."""

    run: str
    at: datetime
    record: DomainRecord
    facts: DomainFacts


class Settled(msgspec.Struct, Generic[T], frozen=True):
    """An answer, and the look that gave it."""

    value: T
    run: str
    at: datetime
    evidence: str = ""


class GradeWords(msgspec.Struct, frozen=True):
    """The grade with what caps it. `missed`: a required level is not reached.

    `causes` are all the reasons that cap it at that level; of several, the order of hosts decides which is `reason`.
    """

    grade: Grade
    reason: str = ""
    detail: str = ""
    where: str = ""
    encrypts: bool = False
    missed: bool = False
    causes: frozenset[str] = frozenset()


class Hearing(msgspec.Struct, frozen=True):
    """How an address answered lately: whether it ever did, and for how many looks in a row it has been silent."""

    heard: bool = False
    silent: int = 0


class Leaf(msgspec.Struct, frozen=True):
    """A certificate at a place, and all that were seen there within the window."""

    certificate: CertificateRecord
    seen: frozenset[str]


class Sts(msgspec.Struct, frozen=True):
    """MTA-STS as it stands. `kept`: by every server that answered; None where that stayed open.

    `doubted` is the run since which the policy host had an error of its own (HTTP 5xx, say), "" where it had none.
    """

    state: StsState
    mode: str = ""
    id: str = ""
    mx: tuple[str, ...] = ()
    kept: bool | None = None
    doubted: str = ""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """All that is settled of one domain. What was never settled within the window is None, or not in its mapping."""

    grade: Settled[GradeWords] | None = None
    hosts: Settled[frozenset[str]] | None = None
    addresses: Mapping[str, Settled[frozenset[str]]] = {}
    hearing: Mapping[Place, Settled[Hearing]] = {}
    starttls: Mapping[Place, Settled[Fact]] = {}
    versions: Mapping[tuple[Place, str], Settled[Fact]] = {}
    leaves: Mapping[Place, Settled[Leaf]] = {}
    expiries: Mapping[str, Settled[CertificateRecord]] = {}
    cliffs: Mapping[tuple[str, str, str], Settled[Cliff]] = {}
    dane: Settled[Fact] | None = None
    dane_places: Mapping[Place, Settled[Fact]] = {}
    tlsa: Mapping[str, Settled[tuple[str, ...]]] = {}
    sts: Settled[Sts] | None = None
    tlsrpt: Settled[str] | None = None
    dnssec: Mapping[str, Settled[Dnssec]] = {}


def kept(look: Look, known: Mapping[K, Settled[T]], new: Mapping[K, T]) -> dict[K, Settled[T]]:
    """What was known with what is new. An answer that was given again counts as given now."""
    return {**known, **{key: Settled(value, look.run, look.at) for key, value in new.items()}}

"""What a night has to tell: the changes since what was told last, who misses the gate, and the numbers of the run."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from audits.diff import Change, Severity
from audits.diff_output import line
from audits.nightly.config import When
from scanner.domain_name import printable

SCHEMA = 1
"""Of the JSON that a webhook gets; within a number changes only add."""
CHANGES = 1000
"""Changes kept for messages, the worst; of more only the number is told."""
LINES = 200
"""Lines of a message for people."""


class TellError(Exception):
    """Somebody could not be told; says who and why."""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One night. `since` is the run that it is compared with, "" on the first night.

    `changes` are the worst, `counts` the number of all by severity. `gate` has the domains that miss the gate with why;
    `expired` the waivers that are over. `grades`: grade -> domains; `baselines`: id -> verdict -> domains.
    """

    run: str
    started: datetime
    finished: datetime | None
    since: str = ""
    changes: tuple[Change, ...] = ()
    counts: dict[str, int] = {}
    gate: dict[str, tuple[str, ...]] = {}
    gate_missed: int = 0
    expired: tuple[str, ...] = ()
    grades: dict[str, int] = {}
    baselines: dict[str, dict[str, int]] = {}
    first_expiry: datetime | None = None

    @property
    def changed(self) -> int:
        """How many changes there were."""
        return sum(self.counts.values())

    def reasons(self, wanted: Iterable[When]) -> bool:
        """Whether there is a reason to tell somebody who wants to hear of these."""
        said = {When.ALWAYS} | ({When.CHANGE} if self.changed else set())
        if self.gate_missed or self.expired:
            said.add(When.GATE)
        return bool(said & set(wanted))


def worst(changes: Iterable[Change]) -> tuple[tuple[Change, ...], dict[str, int]]:
    """The worst of any number of changes, in flat memory, and the number of all by severity."""
    kept: dict[Severity, list[Change]] = {severity: [] for severity in Severity}
    counts = Counter[str]()
    for change in changes:
        counts[change.severity.value] += 1
        if len(kept[change.severity]) < CHANGES:
            kept[change.severity].append(change)
    ordered = [change for severity in reversed(Severity) for change in kept[severity]]
    return tuple(ordered[:CHANGES]), dict(counts)


def subject(news: News) -> str:
    """One line: how many changes of which severity, and the gate."""
    counted = [f"{news.counts[s.value]} {s.value}" for s in reversed(Severity) if news.counts.get(s.value)]
    if news.gate_missed:
        counted.append(f"{news.gate_missed} miss the gate")
    if news.expired:
        counted.append(f"{len(news.expired)} waivers expired")
    return f"tlsaudit {news.run}: {', '.join(counted) or 'nothing changed'}"


def lines(news: News) -> list[str]:
    """What people read: waivers that are over, the changes from the worst on, who misses the gate.

    Who misses the gate does so every night: they leave half of the lines to the changes, if there are so many.
    """
    over = [f"waiver over: {printable(waiver, 200)}" for waiver in news.expired]
    missing = []
    for domain, reasons in news.gate.items():
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        missing.append(f"gate        {printable(domain)}: {printable(reasons[0], 300)}{more}")
    told = (over[: LINES // 4] + [line(change, change.domain, 1, news.since) for change in news.changes])[:LINES]
    last = missing[: max(LINES // 2, LINES - len(told))]
    told = told[: LINES - len(last)] + last
    every = len(news.expired) + news.gate_missed + news.changed
    return told + ([f"and {every - len(told)} more: tlsaudit diff, tlsaudit judge"] if every > len(told) else [])


def text(news: News) -> str:
    """A message: its subject, its lines, and the numbers of the run."""
    numbers = ", ".join(f"{count} {grade}" for grade, count in news.grades.items())
    since = f"compared with {news.since}" if news.since else "the first night: nothing to compare with"
    return "\n".join([subject(news), "", *lines(news), "", f"{numbers}; {since}", ""])


def as_json(news: News) -> bytes:
    """The message for programs."""
    said: dict[str, Any] = {"schema": SCHEMA, "subject": subject(news)} | msgspec.structs.asdict(news)
    return msgspec.json.encode(said)

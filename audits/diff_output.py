"""Changes as people and programs read them: lines with the worst first, JSON, CSV. Foreign text is escaped."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO

import msgspec

from audits.diff import Change, Kind, Severity
from audits.json_text import json_text
from audits.output import disarmed
from audits.run_changes import RunView, circumstances
from audits.store import RunStatus
from scanner.domain_name import printable

SCHEMA = 1
"""Of the JSON; within a number changes only add."""
COLUMNS = ("domain", "kind", "severity", "where", "before", "after", "detail", "evidence", "since")

TITLES = {
    Kind.GRADE_DOWN: "grade",
    Kind.GRADE_UP: "grade",
    Kind.CAUSE_CHANGED: "grade capped by another cause",
    Kind.MX_NEW: "new MX host",
    Kind.MX_GONE: "MX host gone",
    Kind.ADDRESS_NEW: "new address",
    Kind.ADDRESS_GONE: "address gone",
    Kind.HOST_SILENT: "silent",
    Kind.HOST_ANSWERS: "answers again",
    Kind.STARTTLS_LOST: "STARTTLS lost",
    Kind.STARTTLS_GAINED: "STARTTLS gained",
    Kind.PROTOCOL_LOST: "TLS version lost",
    Kind.PROTOCOL_GAINED: "TLS version gained",
    Kind.CERTIFICATE_RENEWED: "certificate renewed",
    Kind.CERTIFICATE_CHANGED: "certificate changed",
    Kind.CERTIFICATE_EXPIRING: "certificate expires soon",
    Kind.CLIFF_NEAR: "policy breaks soon",
    Kind.DANE_BROKEN: "DANE broken",
    Kind.DANE_MENDED: "DANE mended",
    Kind.TLSA_CHANGED: "TLSA records changed",
    Kind.STS_BROKEN: "MTA-STS broken",
    Kind.STS_MENDED: "MTA-STS mended",
    Kind.STS_CHANGED: "MTA-STS policy changed",
    Kind.TLSRPT_CHANGED: "TLSRPT record changed",
    Kind.DNSSEC_CHANGED: "DNSSEC changed",
    Kind.DOMAIN_NEW: "new in the list",
    Kind.DOMAIN_GONE: "gone from the list",
}
_EVIDENT = frozenset({Kind.GRADE_DOWN, Kind.GRADE_UP, Kind.CAUSE_CHANGED, Kind.DANE_BROKEN, Kind.STS_BROKEN})
"""Kinds whose evidence is a sentence, to be shown on the line."""
_SAID_BY_THE_TITLE = frozenset({"", "yes", "no"})
_FIELD = 160
"""Characters shown of one field."""


class Tally:
    """Counts changes, and keeps what the exit code depends on."""

    def __init__(self) -> None:
        self.severities: Counter[Severity] = Counter()

    @property
    def matters(self) -> bool:
        """Whether there was more than information."""
        return any(count for severity, count in self.severities.items() if severity is not Severity.INFORMATION)

    def counted(self, changes: Iterable[Change], least: Severity) -> Iterator[Change]:
        """The changes of at least this severity, counted as they pass."""
        for change in changes:
            if change.severity.rank >= least.rank:
                self.severities[change.severity] += 1
                yield change


def text_lines(changes: Iterable[Change], old: RunView) -> Iterator[str]:
    """One line a change, the worst first; also where it is the same for many domains, as a provider's certificate."""
    groups: dict[Change, tuple[str, int]] = {}
    for change in changes:
        key = msgspec.structs.replace(change, domain="")
        first, count = groups.get(key, (change.domain, 0))
        groups[key] = first, count + 1
    for change, (domain, count) in sorted(groups.items(), key=lambda item: -item[0].severity.rank):
        yield line(change, domain, count, old.run.name)


def line(change: Change, domain: str, domains: int, older: str) -> str:
    """A change in one line; `domains` share it, of which one is named."""
    more = f" and {domains - 1} more" if domains > 1 else ""
    values = [value for value in (change.before, change.after) if value not in _SAID_BY_THE_TITLE]
    evidence = change.evidence if change.kind in _EVIDENT and change.evidence != change.detail else ""
    details = "; ".join(_shown(each) for each in (change.detail, evidence) if each)
    words = [f"{change.severity.value:11} {_shown(domain)}{more}: {TITLES[change.kind]}"]
    words += [" -> ".join(map(_shown, values))] if values else []
    words += [f"at {_shown(change.where)}"] if change.where and change.where not in values else []
    words[-1] += f": {details}" if details else ""
    words += [f"(last known in {change.since})"] if change.since not in ("", older) else []
    return " ".join(words)


def _shown(text: str) -> str:
    return printable(text, _FIELD)


def summary(tally: Tally, old: RunView, new: RunView) -> str:
    """The last line for people: what was compared, and how much of what."""
    counted = ", ".join(f"{tally.severities[s]} {s.value}" for s in reversed(Severity) if tally.severities[s])
    return f"{old.run.name} -> {new.run.name}: {counted or 'nothing changed'}"


def remarks(old: RunView, new: RunView) -> Iterator[str]:
    """What people should know before they read the changes."""
    if ours := circumstances(old.run, new.run):
        yield f"the runs differ on our side, which may explain changes: {printable('; '.join(ours), 400)}"
    for view in (old, new):
        if view.run.status is not RunStatus.FINISHED:
            yield f"run {view.run.name} is unfinished: {view.run.done} of {view.run.targets} domains are done"


def json_lines(changes: Iterable[Change], old: RunView, new: RunView, tally: Tally) -> Iterator[str]:
    """One JSON object, a change a line, written as the changes come."""
    ours = circumstances(old.run, new.run)
    head = {"schema": SCHEMA, "old": _run(old), "new": _run(new), "circumstances": ours}
    yield json_text(msgspec.json.encode(head))[:-1] + ',"changes":['
    before = ""
    for change in changes:
        if before:
            yield before + ","
        before = json_text(msgspec.json.encode(change))
    if before:
        yield before
    yield f'],"counts":{msgspec.json.encode(tally.severities).decode()}' + "}"


def _run(view: RunView) -> dict[str, object]:
    return {
        "name": view.run.name,
        "started": view.run.started,
        "targets": view.run.targets,
        "before": [run.name for run in view.before],
    }


def write_csv(changes: Iterable[Change], stream: TextIO) -> None:
    """One row a change (RFC 4180), with a header."""
    rows = csv.writer(stream)
    rows.writerow(COLUMNS)
    rows.writerows([disarmed(str(getattr(change, column))) for column in COLUMNS] for change in changes)

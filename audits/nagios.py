"""A run as one line for monitoring, with the exit codes of Nagios plugins (Monitoring Plugins Development Guidelines).

CRITICAL where the gate (--fail-on, --require) is missed, or a requirement fails and no gate says what counts; WARNING
where one fails beside the gate, warns, or a waiver has expired; UNKNOWN where too much is inconclusive or the run did
not come to its end; else OK. No foreign text stands in the line: names of domains only as far as they are A-labels.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import click
import msgspec

from audits.output import Tally
from audits.verdicts import Grade
from scanner.domain_name import printable

NAMED = 5
_REASON = 300
_A_LABELS = re.compile(r"[a-z0-9._-]{1,253}")


class Status(IntEnum):
    """The exit codes of a plugin, which take the place of ours."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Outcome(msgspec.Struct, frozen=True):
    """What decides the status, beside the tally. `expired`: waivers that are over."""

    expired: int = 0
    complete: bool = True
    max_inconclusive: float = 10


def status_of(tally: Tally, outcome: Outcome) -> Status:
    """The status of a run."""
    if tally.not_passed or tally.missed or (tally.failed and not tally.is_gated):
        return Status.CRITICAL
    if not outcome.complete or tally.open_share * 100 > outcome.max_inconclusive:
        return Status.UNKNOWN
    return Status.WARNING if tally.failed or tally.warned or outcome.expired else Status.OK


def nagios_line(tally: Tally, outcome: Outcome) -> str:
    """ "TLSAUDIT OK - 10 domains: 8 MUST, 2 MAY | domains=10 must=8 ..."."""
    status = status_of(tally, outcome)
    domains = tally.grades.total()
    counted = ", ".join(f"{tally.grades[grade]} {grade.value}" for grade in Grade if tally.grades[grade])
    words = [f"{domains} domains: {counted or 'none'}"]
    if tally.not_passed or tally.missed:
        words.append(f"{len(tally.not_passed) or tally.missed} miss the gate{_named(tally)}")
    if tally.failed:
        words.append(f"{tally.failed} fail a baseline")
    if tally.warned:
        words.append(f"{tally.warned} with warnings")
    if outcome.expired:
        words.append(f"{outcome.expired} waivers expired")
    if not outcome.complete:
        words.append("the run was stopped")
    numbers = {"domains": domains, **{grade.value.lower(): tally.grades[grade] for grade in Grade}}
    numbers |= {"gate_missed": len(tally.not_passed) or tally.missed, "failed": tally.failed, "warned": tally.warned}
    performance = " ".join(f"{name}={number}" for name, number in numbers.items())
    return f"TLSAUDIT {status.name} - {'; '.join(words)} | {performance}"


def _named(tally: Tally) -> str:
    names = [name for name in tally.not_passed if _A_LABELS.fullmatch(name)][:NAMED]
    return f" ({', '.join(names)})" if names else ""


@contextmanager
def plugin_failures(is_plugin: bool) -> Iterator[None]:
    """In a plugin what cannot be answered is UNKNOWN, with its reason in the line; elsewhere an error is an error."""
    try:
        yield
    except click.ClickException as error:
        if not is_plugin:
            raise
        reason = printable(" ".join(error.format_message().split()), _REASON).replace("|", "/")
        click.echo(f"TLSAUDIT {Status.UNKNOWN.name} - {reason}")
        raise SystemExit(Status.UNKNOWN) from None

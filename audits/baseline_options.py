"""The options about baselines that `scan` and `judge` share, and what they choose."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from scanner.domain_name import printable

if TYPE_CHECKING:
    from audits.baseline import Baseline
    from audits.evaluate import Evaluator
    from audits.gate import Gate
    from audits.waivers import Waiver, Waivers

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def baseline_options(command: Any) -> Any:
    """Adds the options to a command."""
    for option in reversed(
        (
            click.option(
                "--baseline",
                "baseline_ids",
                multiple=True,
                metavar="ID",
                help="Judge by this baseline (`tlsaudit baselines` lists them); repeatable, never merged.",
            ),
            click.option(
                "--baseline-file",
                "baseline_files",
                multiple=True,
                type=_FILE,
                help='Judge by a baseline of your own; it may say extends = "ID". Repeatable.',
            ),
            click.option("--waivers", type=_FILE, help="Waived findings: rule, subject, owner, reason, expires."),
            click.option(
                "--fail-on",
                multiple=True,
                metavar="WORD",
                help="Exit 1 on a verdict (fail, warn, advice), a grade (or weaker), or a rule's prefix; repeatable.",
            ),
        )
    ):
        command = option(command)
    return command


class Chosen(msgspec.Struct, frozen=True):
    """The baselines, waivers and gate of one command.

    `digest` is of all that the judgement depends on, so that a resumed run is judged as it was begun; "" without any.
    """

    baselines: "tuple[Baseline, ...]"
    waivers: "Waivers"
    gate: "Gate"
    digest: str


def chosen(options: dict[str, Any]) -> Chosen:
    """What the options name; wrong ones are a usage error (exit 2)."""
    from audits.baseline import BaselineError, baseline_from_file, shipped_baseline
    from audits.gate import GateError, gate_from_words
    from audits.waivers import WaiverError, Waivers, waivers_from_file

    options = {"baseline_ids": (), "baseline_files": (), "waivers": None, "fail_on": ()} | options
    try:
        named = [shipped_baseline(id) for id in options["baseline_ids"]]
        own = [baseline_from_file(path) for path in options["baseline_files"]]
        baselines = tuple({baseline.head.id: baseline for baseline in (*named, *own)}.values())
        waivers = waivers_from_file(options["waivers"]) if options["waivers"] else Waivers(())
        requirements = (q.requirement.id for baseline in baselines for q in baseline.questions)
        gate = gate_from_words(options["fail_on"], requirements)
    except (BaselineError, WaiverError, GateError) as error:
        raise click.UsageError(str(error)) from None
    if len(baselines) < len(named) + len(own):
        raise click.UsageError("two baselines have the same id: give each its own, or name it once")
    if (waivers.all or gate.verdicts or gate.rules) and not baselines:
        raise click.UsageError("--waivers and --fail-on with a verdict or a rule need a --baseline")
    return Chosen(baselines, waivers, gate, _digest(baselines, waivers))


def evaluator_of(chosen: Chosen) -> "Evaluator | None":
    """The evaluator for what was chosen; None without a baseline, so that its modules are not even imported."""
    if not chosen.baselines:
        return None
    from audits.evaluate import Evaluator

    return Evaluator(chosen.baselines, chosen.waivers)


SHOWN = 20
"""Lines of a missed gate that are printed."""


def gate_lines(not_passed: Mapping[str, tuple[str, ...]], expired: "Sequence[Waiver]") -> Iterator[str]:
    """What people read when the gate is missed: the first domains with their reasons; and which waivers are over."""
    for waiver in expired:
        subject = f"{waiver.rule} for {waiver.subject} ({waiver.owner})"
        yield f"waiver expired on {waiver.expires}: {subject}: renew it, or mend what it covered"
    for domain, reasons in islice(not_passed.items(), SHOWN):
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        yield f"gate: {printable(domain)}: {printable(reasons[0], 300)}{more}"
    if len(not_passed) > SHOWN:
        yield f"gate: and {len(not_passed) - SHOWN} more domains"


def _digest(baselines: "tuple[Baseline, ...]", waivers: "Waivers") -> str:
    import hashlib

    if not baselines:
        return ""
    said = [(b.head, [(q.requirement, q.rule.id) for q in b.questions]) for b in baselines]
    return hashlib.sha256(msgspec.json.encode((said, waivers))).hexdigest()

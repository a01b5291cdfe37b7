"""`tlsaudit judge`: a stored run under baselines, offline; the same result as during the scan."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.baseline_options import baseline_options
from audits.scan_command import LEVEL_WORDS, trust_options
from audits.show_command import STORE_OPTION

if TYPE_CHECKING:
    from audits.judge import Judge
    from audits.records import DomainRecord
    from audits.store import Store

PAGE = 200
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OTHER_TRUST = "warning: these trusted CAs are not those of the run: grades may differ (--cafile, --no-system-trust)"


@click.command()
@click.argument("run_name", metavar="[RUN]", default="latest")
@STORE_OPTION
@click.option("--evidence", type=_FOLDER, help="Judge an evidence pack (`tlsaudit export --evidence`), not a store.")
@baseline_options
@trust_options
@click.option("--require", type=click.Choice(LEVEL_WORDS, case_sensitive=False), help="The level to be sustained.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl", "findings", "nagios"]),
    default="table",
    show_default=True,
    help="table: the verdicts; jsonl: whole records; findings: JSON lines, one a finding; nagios: one line.",
)
def judge(run_name: str, store: str, **options: Any) -> None:
    """Judge RUN (default: the newest) again from its stored facts: no packet is sent.

    The grade is judged again too, by the trust store given here. Exit code 1 when --fail-on is missed or a waiver has
    expired.
    """
    from audits.nagios import plugin_failures

    with plugin_failures(options["form"] == "nagios"):
        _judge(run_name, store, options)


def _judge(run_name: str, store: str, options: dict[str, Any]) -> None:
    from audits.baseline_options import chosen, evaluator_of, gate_lines
    from audits.cli import EXIT_GATE, CommandFailed
    from audits.evidence.manifest import EvidenceError
    from audits.findings_output import writer
    from audits.judge import Judge
    from audits.nagios import Outcome, nagios_line, status_of
    from audits.output import Tally
    from audits.store import NoSuchRunError, StoreError
    from audits.trust import TrustStoreError, load_trust_store
    from scanner.facts import Level

    judging = chosen(options)
    try:
        trust = load_trust_store(options["cafile"], options["capath"], system=not options["no_system_trust"])
        required = Level(options["require"].upper()) if options["require"] else None
        judge = Judge(trust, options["verify_depth"], required, evaluator_of(judging))
        tally = Tally(judging.gate)
        with opened_runs(store, options["evidence"]) as opened:
            run = opened.run(run_name)
            if run.finished is None:
                click.echo(f"warning: run {run.name} is not finished: {run.done} of {run.targets} domains", err=True)
            if trust.digest != run.trust_digest:
                click.echo(OTHER_TRUST, err=True)
            write = writer(options["form"], judging.baselines)
            for records in judged_records(opened, run.id, judge):
                tally.take(records)
                write(records)
    except (NoSuchRunError, TrustStoreError, EvidenceError) as error:
        raise click.UsageError(str(error)) from None
    except StoreError as error:
        raise CommandFailed(str(error)) from None
    expired = judging.waivers.expired(run.started.date())
    if options["form"] == "nagios":
        outcome = Outcome(len(expired), complete=run.finished is not None)
        click.echo(nagios_line(tally, outcome))
        raise SystemExit(status_of(tally, outcome))
    for line in gate_lines(tally.not_passed, expired):
        click.echo(line, err=True)
    if tally.missed or tally.not_passed or expired:
        raise SystemExit(EXIT_GATE)


@contextmanager
def opened_runs(store: str, evidence: Path | None) -> "Iterator[Store]":
    """The store; or that of an evidence pack, which is checked and read into a store of its own for as long."""
    from audits.evidence.read import load_pack
    from audits.store import Store

    if evidence is None:
        with Store.open(store) as opened:
            yield opened
        return
    with (
        tempfile.TemporaryDirectory(prefix="tlsaudit-") as folder,
        Store.open(Path(folder) / "pack.db", writing=True) as opened,
    ):
        load_pack(evidence, opened)
        yield opened


def judged_records(store: "Store", run: int, judge: "Judge") -> "Iterator[list[DomainRecord]]":
    """The records of a run, judged anew, in pages and in the order of the input."""
    results = store.domains(run)
    while page := list(islice(results, PAGE)):
        records = []
        for result in page:
            seen = store.endpoints_of(run, result.facts.endpoints)
            records.append(judge.record(result.facts, tuple(seen.values())))
        yield records

"""`tlsaudit report`: what people keep of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.baseline_options import baseline_options
from audits.scan_command import trust_options
from audits.show_command import STORE_OPTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audits.baseline_options import Chosen
    from audits.judge import Judge
    from audits.output import Tally
    from audits.reports.judged import JudgedDomain
    from audits.store import RunInfo, Store

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("run_name", metavar="[RUN]", default="latest")
@click.option("--html", type=_FILE, help="One self-contained HTML file.")
@click.option(
    "--notebook",
    metavar="NAME|FILE",
    help="Execute a notebook (nightly_report, trends, domain_deep_dive, or your own) and write its page to --html.",
)
@click.option("--domain", help="The domain for --notebook domain_deep_dive.")
@click.option("--csv", "csv_file", type=_FILE, help="One row a domain, with the columns of BOD 18-01 pipelines.")
@click.option("--markdown", type=_FILE, help="Tickets, by operator.")
@STORE_OPTION
@baseline_options
@trust_options
def report(run_name: str, store: str, **options: Any) -> None:
    """Write reports of RUN (default: the newest). Files appear whole or not at all.

    With --baseline the run is judged again from its stored facts, by the trust store given here; without, it is shown
    as the scan judged it. Exit code 1 when --fail-on is missed or a waiver has expired; the files are there all the
    same.
    """
    from audits.cli import EXIT_GATE, CommandFailed
    from audits.output import OutputError, OutputLostError
    from audits.store import NoSuchRunError, Store, StoreError
    from audits.trust import TrustStoreError

    if options["notebook"] or options["domain"]:
        _write_notebook(run_name, store, options)
        return
    if not (options["html"] or options["csv_file"] or options["markdown"]):
        raise click.UsageError("say what to write: --html FILE, --csv FILE, --markdown FILE")
    try:
        with Store.open(store) as opened:
            missed = _write_reports(opened, opened.run(run_name), options)
    except (NoSuchRunError, TrustStoreError, OutputError) as error:
        raise click.UsageError(str(error)) from None
    except (StoreError, OutputLostError) as error:
        raise CommandFailed(str(error)) from None
    for line in missed:
        click.echo(line, err=True)
    if missed:
        raise SystemExit(EXIT_GATE)


def _write_notebook(run_name: str, store: str, options: dict[str, Any]) -> None:
    from audits.cli import CommandFailed
    from audits.extras import ExtraMissingError
    from audits.notebook_report import NotebookError, NotebookFailed, parameters_of, write_notebook_report
    from audits.output import OutputError
    from audits.store import NoSuchRunError, StoreError

    if not (options["notebook"] and options["html"]):
        raise click.UsageError("a notebook needs both: --notebook NAME --html FILE")
    judging = (options[name] for name in ("baseline_ids", "baseline_files", "waivers", "fail_on"))
    if options["csv_file"] or options["markdown"] or any(judging):
        raise click.UsageError(
            "--notebook shows the run as it was judged, as HTML: leave other reports and baselines out"
        )
    try:
        parameters = parameters_of(store, run_name, options["domain"])
        write_notebook_report(options["html"], options["notebook"], parameters)
    except (NoSuchRunError, NotebookError, OutputError) as error:
        raise click.UsageError(str(error)) from None
    except (ExtraMissingError, NotebookFailed, StoreError) as error:
        raise CommandFailed(str(error)) from None


def _write_reports(store: "Store", run: "RunInfo", options: dict[str, Any]) -> list[str]:
    """Writes them; gives the lines that tell why the gate is missed."""
    from audits.baseline_options import chosen, gate_lines
    from audits.output import Tally, opened_output
    from audits.reports.csv_report import write_csv
    from audits.reports.judged import OTHER_CAS
    from audits.reports.markdown import write_markdown

    if run.finished is None:
        click.echo(f"warning: run {run.name} is not finished: {run.done} of {run.targets} domains", err=True)
    judging = chosen(options)
    judge, trust_digest = _judge(judging, run, options)
    warning = OTHER_CAS if trust_digest != run.trust_digest else ""
    tally = Tally(judging.gate)
    if options["html"]:
        from audits.reports.html import Head, write_html

        head = Head(run.name, run.started, run.finished, run.tool_version, trust_digest, judging.baselines, warning)
        with opened_output(options["html"]) as stream:
            write_html(stream, head, _domains(store, run, judge, tally))
    if options["csv_file"]:
        with opened_output(options["csv_file"]) as stream:
            write_csv(stream, judging.baselines, _domains(store, run, judge, tally))
    if options["markdown"]:
        with opened_output(options["markdown"]) as stream:
            write_markdown(stream, run.name, _domains(store, run, judge, tally), warning)
    return [*gate_lines(tally.not_passed, judging.waivers.expired(run.started.date()))]


def _domains(store: "Store", run: "RunInfo", judge: "Judge | None", tally: "Tally") -> "Iterator[JudgedDomain]":
    """The domains; what misses the gate is told by their names, and so once however many reports are written."""
    from audits.reports.judged import judged_domains

    for domain in judged_domains(store, run.id, judge):
        tally.take([domain.record])
        yield domain


def _judge(judging: "Chosen", run: "RunInfo", options: dict[str, Any]) -> "tuple[Judge | None, str]":
    """Who judges, and by which trust store: nobody anew without a baseline, and then it is that of the run."""
    from audits.baseline_options import evaluator_of
    from audits.judge import Judge
    from audits.judge_command import OTHER_TRUST
    from audits.trust import load_trust_store

    if not judging.baselines:
        return None, run.trust_digest
    trust = load_trust_store(options["cafile"], options["capath"], system=not options["no_system_trust"])
    if trust.digest != run.trust_digest:
        click.echo(OTHER_TRUST, err=True)
    return Judge(trust, options["verify_depth"], None, evaluator_of(judging)), trust.digest

"""`tlsaudit show`, `runs` and `schema`: what the store knows, for people and for programs."""

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from audits.store import RunInfo

STORE_OPTION = click.option("--store", default="tlsaudit.db", show_default=True, metavar="FILE|URL", help="The store.")


@click.command()
@click.argument("domain")
@click.option(
    "--run", "run_name", default="latest", show_default=True, help="The run's name; `tlsaudit runs` lists them."
)
@click.option("--json", "as_json", is_flag=True, help="The record and all facts as JSON.")
@STORE_OPTION
def show(domain: str, run_name: str, as_json: bool, store: str) -> None:
    """Show one domain of a run: the grade, why not more, and the evidence: levels, certificates, transcripts."""
    from audits.show import domain_json, domain_lines, stored_domain
    from audits.store import NoSuchRunError, Store, StoreError

    try:
        with Store.open(store) as opened:
            found = stored_domain(opened, run_name, domain)
    except NoSuchRunError as error:
        raise click.UsageError(str(error)) from None
    except StoreError as error:
        raise _failed(error) from None
    if found is None:
        where = "the newest run" if run_name == "latest" else f"run {run_name}"
        raise click.UsageError(f"{where} has no result for {domain!r}; --run names another run")
    if as_json:
        click.echo(domain_json(found))
        return
    for line in domain_lines(found):
        click.echo(line)


@click.command()
@click.option("--grades", is_flag=True, help="Also how many domains have which grade; every result is counted.")
@STORE_OPTION
def runs(grades: bool, store: str) -> None:
    """List the runs of a store, newest first: name, state, domains done, duration."""
    from audits.store import Store, StoreError

    try:
        with Store.open(store) as opened:
            for run in reversed(opened.runs()):
                click.echo(_run_line(run, opened.grades(run.id) if grades else {}))
    except StoreError as error:
        raise _failed(error) from None


def _run_line(run: "RunInfo", grades: dict[str, int]) -> str:
    from audits.tables import duration
    from audits.verdicts import Grade

    took = duration((run.finished - run.started).total_seconds()) if run.finished else ""
    line = f"{run.name:22} {run.status.value:11} {run.done:8} of {run.targets:<8} {took:12}"
    return " ".join((line, *(f"{grades[grade]} {grade.value}" for grade in Grade if grade in grades))).rstrip()


@click.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of one line of `tlsaudit scan --format jsonl`."""
    from audits.records import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


def _failed(error: Exception) -> Any:
    from audits.cli import CommandFailed

    return CommandFailed(str(error))

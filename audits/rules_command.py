"""`tlsaudit rules` and `tlsaudit baselines`: the questions, and the standards that answer them."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audits.baseline import Baseline


@click.command()
@click.argument("id", required=False)
def rules(id: str | None) -> None:
    """List the rules, one a line; or show the page of one: what is checked, why it matters, how to mend it."""
    from audits.rules import all_rules
    from audits.rules_page import rule_page

    known = all_rules()
    if id is None:
        for rule in known.values():
            click.echo(f"{rule.id:12} {rule.title}")
        return
    if id not in known:
        raise click.BadParameter(f"there is no rule {id}; `tlsaudit rules` lists them", param_hint="ID")
    click.echo(rule_page(known[id]))


@click.command()
@click.argument("id", required=False)
def baselines(id: str | None) -> None:
    """List the baselines, one a line; or show one: its requirements, their clauses and how well these are confirmed."""
    from audits.baseline import BaselineError, shipped, shipped_baseline

    if id is None:
        for known in shipped():
            click.echo(f"{known:26} {shipped_baseline(known).head.title}")
        return
    try:
        found = shipped_baseline(id)
    except BaselineError as error:
        raise click.BadParameter(str(error), param_hint="ID") from None
    for line in _lines(found):
        click.echo(line)


def _lines(baseline: "Baseline") -> "Iterator[str]":
    head = baseline.head
    yield f"{head.id}: {head.title}"
    yield f"version {head.version}, published {head.published}, {head.status}\n{head.url}"
    yield "ports: " + ", ".join(f"{port} {scale}" for port, scale in head.ports.items())
    for note in head.notes:
        yield f"note: {note}"
    for question in baseline.questions:
        asked = question.requirement
        doubt = "" if asked.confidence == "confirmed" else f" [clause {asked.confidence}: it only advises]"
        yield f"\n{asked.id} ({asked.level}; {asked.clause}; {asked.rule}){doubt}\n  {asked.text}"
    if baseline.organisational:
        yield "\nOrganisational evidence needed; no remote auditor can see it, and it is never passed:"
    for row in baseline.organisational:
        yield f"  {row.id} ({row.clause}): {row.text}"

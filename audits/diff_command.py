"""`tlsaudit diff`: what changed for the domains between two runs."""

import sys

import click

from audits.show_command import STORE_OPTION

SEVERITIES = ("information", "notice", "warning", "alarm")

DEFAULT = ("previous", "latest")


def _kinds(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Prints what each kind of change means, and ends."""
    if wanted and not context.resilient_parsing:
        from audits.diff import SENTENCES

        for kind, sentence in SENTENCES.items():
            click.echo(f"{kind.value:21} {sentence}")
        context.exit()


@click.command(
    epilog="Exit code: 0 nothing but information, 1 something that matters changed, 2 wrong use, 4 the store failed."
)
@click.argument("runs", nargs=-1, metavar="[OLDER [NEWER]]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="Lines for people with the worst first, one JSON object, or a row a change.",
)
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default=SEVERITIES[0],
    show_default=True,
    help="The least that is shown, and that counts for the exit code.",
)
@click.option(
    "--window",
    type=click.IntRange(1, 30),
    default=3,
    show_default=True,
    help="Runs that are looked back for an answer that the older run did not get.",
)
@click.option(
    "--kinds", is_flag=True, is_eager=True, expose_value=False, callback=_kinds, help="Explain every kind of change."
)
@STORE_OPTION
def diff(runs: tuple[str, ...], form: str, severity: str, window: int, store: str) -> None:
    """Show what changed for the domains between two runs: grades, hosts, certificates, published policy.

    OLDER may be "previous", the newest finished run before NEWER with a list like its own; NEWER may be "latest".
    What a server did not answer, or what was not asked, is no change: the last answer of the last few runs stands.
    """
    from audits.cli import CommandFailed
    from audits.diff import Severity
    from audits.diff_output import Tally, json_lines, remarks, summary, text_lines, write_csv
    from audits.run_changes import changes, chosen_runs
    from audits.store import NoSuchRunError, Store, StoreError

    if len(runs) > len(DEFAULT):
        raise click.UsageError("two runs are compared: name them, or leave them out for the two newest")
    older, newer = (*runs, *DEFAULT[len(runs) :])
    tally = Tally()
    try:
        with Store.open(store) as opened:
            old, new = chosen_runs(opened, older, newer, window)
            found = tally.counted(changes(opened, old, new, window), Severity(severity))
            if form == "csv":
                write_csv(found, sys.stdout)
            else:
                lines = text_lines(found, old) if form == "text" else json_lines(found, old, new, tally)
                for line in lines:
                    click.echo(line)
    except NoSuchRunError as error:
        raise click.UsageError(str(error)) from None
    except StoreError as error:
        raise CommandFailed(str(error)) from None
    if form == "text":
        for remark in remarks(old, new):
            click.echo(remark, err=True)
        click.echo(summary(tally, old, new), err=True)
    raise SystemExit(1 if tally.matters else 0)

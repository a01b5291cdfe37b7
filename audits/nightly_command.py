"""`tlsaudit nightly`: the cron job. It prints nothing unless something changed, the gate is missed, or it failed.

A night that did not come to its end, and one in which too much stayed open, did fail.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datetime import datetime

    from audits.nightly.config import Night
    from audits.nightly.news import News


@click.command(
    epilog="Exit codes: those of `tlsaudit scan`: 0, 1 gate missed, 2 mistakes in CONFIG, 3 too much inconclusive, 4"
    " failed, 130 stopped."
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Only check CONFIG and its lists: every mistake with its line and what to write."
)
@click.option("--dry-run", is_flag=True, help="No scan: show what would be told of the newest run, and tell nobody.")
@click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write metrics for Prometheus there, in place of the file that CONFIG names.",
)
def nightly(config: Path, check: bool, dry_run: bool, metrics: Path | None) -> None:
    """Scan, compare with what was told last, report, notify and prune, as the TOML file CONFIG says."""
    from audits.cli import CommandFailed
    from audits.nightly.config import ConfigError
    from audits.nightly.read_config import read_config
    from audits.output import OutputError, OutputLostError
    from audits.store import NoSuchRunError, StoreError

    try:
        night = read_config(config, lists_too=check)
        night = night.with_metrics(metrics) if metrics else night
        if check:
            click.echo(f"{config}: no mistake found")
            return
        code = _dry(night) if dry_run else _run(night, config)
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    except (NoSuchRunError, OutputError) as error:
        raise click.UsageError(str(error)) from None
    except (StoreError, OutputLostError) as error:
        raise CommandFailed(str(error)) from None
    raise SystemExit(code)


def _run(night: "Night", config: Path) -> int:
    from audits.cli import EXIT_FAILURE, EXIT_INCONCLUSIVE
    from audits.nightly import night as steps
    from audits.nightly.read_config import read_config

    began = steps.now()
    try:
        code = steps.scanned(night, began)
    except steps.NightOver as over:
        click.echo("stopped before its end, by a signal or max-runtime: nothing was compared and nobody told", err=True)
        return over.code
    except click.UsageError:
        read_config(config, lists_too=True)  # where bad lines are why, they are named: the log may be nowhere
        raise
    with steps.opened_store(night) as store:
        news = steps.news_of(store, night)
        unwritten = steps.reports_failed(store, night, store.run(news.run))
    _print(news)
    if code == EXIT_INCONCLUSIVE:
        open_ = news.grades.get("INCONCLUSIVE", 0)
        click.echo(f"run {news.run}: {open_} domains are inconclusive, more than max-inconclusive allows", err=True)
    failed = steps.tell(night, news)
    for line in unwritten:
        click.echo(f"not written: {line}", err=True)
    for line in failed:
        click.echo(f"not told: {line}; it is told again next time", err=True)
    noted = _noted(night, (news.since or news.run) if failed else news.run, began)
    return EXIT_FAILURE if failed or unwritten or not noted else code


def _noted(night: "Night", told: str, began: "datetime") -> bool:
    """Remembers what was told, then prunes; false where another run has begun meanwhile, or there is no room."""
    from audits.nightly import night as steps
    from audits.store import StoreError

    noted = False
    try:
        with steps.opened_store(night, writing=True) as store:
            steps.remember(store, night, told)
            noted = True
            steps.prune_old(store, night, began)
    except StoreError as error:
        if noted:
            raise
        click.echo(f"not noted: {error}; what was told is told again next time", err=True)
    return noted


def _print(news: "News") -> None:
    """For the mail that cron sends: nothing on a quiet night."""
    from audits.nightly.config import When
    from audits.nightly.news import text

    if news.reasons((When.CHANGE, When.GATE)):
        click.echo(text(news), nl=False)


def _dry(night: "Night") -> int:
    from audits.json_text import json_text
    from audits.nightly import night as steps
    from audits.nightly.mail import message
    from audits.nightly.metrics import metrics_text
    from audits.nightly.news import as_json

    with steps.opened_store(night) as store:
        news = steps.news_of(store, night)
    config = night.config
    mail, webhook = config.mail, config.webhook
    if mail:
        why = "would be sent" if news.reasons(mail.on) else "would not be sent, for there is no reason"
        click.echo(f"--- mail to {', '.join(mail.to)} by {mail.server}:{mail.port} ({mail.security}) {why}")
        click.echo(message(news, mail).as_string())
    if webhook:
        why = "would be called" if news.reasons(webhook.on) else "would not be called, for there is no reason"
        click.echo(f"--- webhook {webhook.url} {why}")
        click.echo(json_text(as_json(news)))
    if config.report.metrics:
        click.echo(f"--- {night.path(config.report.metrics, news.run)} would be")
        click.echo(metrics_text(news), nl=False)
    if not (mail or webhook or config.report.metrics):
        _print(news)
    return 0

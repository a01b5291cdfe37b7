"""`tlsaudit policy simulate`: what happens to the mail of a Postfix sender, today and under a change, offline.

It is a question, so it ends with 0 whatever the answer; 2 for wrong use and for a file that cannot be used.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from audits.postfix.main_cf import MainCf
    from audits.postfix.resolution import Engine
    from audits.postfix.tables import TableList
    from audits.simulate.log_check import LogCheck
    from audits.simulate.mail_log import MailLog
    from audits.simulate.simulation import Setup
    from audits.simulate.summary import DomainReport
    from audits.simulate_run import StoredRun

ENGINES = ("2.2.8", "2.2.9", "3")
LEVELS = ("NONE", "MAY", "MUST_NOPEERMATCH", "MUST", "none", "may", "encrypt", "dane", "dane-only", "verify", "secure")
FORMATS = click.Choice(["text", "json", "csv"])


class BadInput(click.ClickException):
    """A file that cannot be used: exit code 2, as for wrong options."""

    exit_code = 2


@click.command()
@click.argument("domains", nargs=-1, metavar="[FILE|DOMAIN]...")
@click.option("--main-cf", "main_cf_path", required=True, metavar="FILE", help="main.cf, or postconf -n's output.")
@click.option("--transport", metavar="FILE", help="A table in place of transport_maps (TYPE:FILE; else hash:).")
@click.option("--per-site", metavar="FILE", help="A table in place of smtp_tls_per_site (TYPE:FILE; else hash:).")
@click.option("--policy-maps", metavar="FILE", help="A table in place of smtp_tls_policy_maps.")
@click.option("--what-if", "what_if", multiple=True, metavar="NAME=VALUE", help="A changed setting; repeatable.")
@click.option(
    "--what-if-level", "what_if_level", type=click.Choice(LEVELS), help="A level for all mail, without tables."
)
@click.option("-o", "overrides", multiple=True, metavar="NAME=VALUE", help="A setting of today, as in master.cf.")
@click.option("--engine", type=click.Choice(ENGINES), default="3", show_default=True, help="The Postfix that sends.")
@click.option("--mail-log", metavar="FILE", help="A Postfix mail log, plain or gzip: weights, and words to compare.")
@click.option("--changed", "changed_only", is_flag=True, help="Show only the domains that the change concerns.")
@click.option("--store", default="tlsaudit.db", show_default=True, metavar="FILE|URL", help="The store.")
@click.option("--run", "run_name", default="latest", show_default=True, help="The run's name.")
@click.option("--format", "output", type=FORMATS, default="text", show_default=True, help="For people or programs.")
def simulate(domains: tuple[str, ...], **options: Any) -> None:
    """What happens to mail: in clear, over TLS (and how the log calls it), deferred or bounced; from stored facts.

    For each domain (default: all of the run) and each MX host the effective level and what a delivery does there, under
    main.cf as it is and, with --what-if or --what-if-level, as it would be. No packet is sent. "unknown" says which
    fact is missing.
    """
    from audits.policy_table.run_age import run_notes
    from audits.postfix.errors import ConfigError
    from audits.simulate_run import StoredRun
    from audits.store import NoSuchRunError, Store, StoreError

    try:
        today, changed = _setups(options)
        log = _mail_log(options["mail_log"])
        with closing(Store.open(options["store"])) as store:
            run = store.run(options["run_name"])
            reports = _Reports(StoredRun(store, run.id), today, changed, log)
            reports.run_notes += run_notes(run, datetime.now(UTC))
            _report(reports, domains, options)
    except ConfigError as error:
        raise BadInput(str(error)) from error
    except NoSuchRunError as error:
        raise click.UsageError(str(error)) from None
    except StoreError as error:
        raise _failed(error) from None


def _failed(error: Exception) -> Exception:
    from audits.cli import CommandFailed

    return CommandFailed(str(error))


# --- the configurations --------------------------------------------------------------------------------------------


def _setups(options: dict[str, Any]) -> "tuple[Setup, Setup | None]":
    """Today's configuration, and the changed one where a change was asked for."""
    from audits.postfix.main_cf import read_main_cf
    from audits.postfix.parameters import DEFAULT_VERSION, parse_version
    from audits.postfix.resolution import Engine

    engine = Engine(options["engine"])
    version = DEFAULT_VERSION if engine is Engine.MODERN else parse_version(options["engine"])
    main_cf = read_main_cf(options["main_cf_path"], version).with_settings(_settings("-o", options["overrides"]))
    today = _setup(main_cf, engine, options)
    changes = _settings("--what-if", options["what_if"])
    if not changes and not options["what_if_level"]:
        return today, None
    tables = dict(options)
    for option, name in (("transport", "transport_maps"), ("per_site", PER_SITE), ("policy_maps", POLICY_MAPS)):
        if name in changes:
            tables[option] = None
    if options["what_if_level"]:
        changes |= {**_level_settings(options["what_if_level"], engine), PER_SITE: "", POLICY_MAPS: ""}
        tables |= {"per_site": None, "policy_maps": None}
    return today, _setup(main_cf.with_settings(changes), engine, tables)


PER_SITE, POLICY_MAPS = "smtp_tls_per_site", "smtp_tls_policy_maps"


OLD_SWITCHES = {"none": "no no no", "may": "yes no no", "encrypt": "yes yes no", "verify": "yes yes yes"}
"""What Postfix 2.2 has in place of levels: smtp_use_tls, smtp_enforce_tls, smtp_tls_enforce_peername."""


def _level_settings(word: str, engine: "Engine") -> dict[str, str]:
    """The settings that make a level global; `word` of smtp_tls_per_site (upper case) or of Postfix 3."""
    from audits.postfix.resolution import Engine
    from audits.postfix.tls_levels import TLS_LEVEL_OF, per_site_value

    level = per_site_value(word) if word.isupper() else None
    name = str(TLS_LEVEL_OF[level]) if level else word
    if engine is Engine.MODERN:
        return {"smtp_tls_security_level": name}
    if name not in OLD_SWITCHES:
        raise click.UsageError(f"--what-if-level: Postfix {engine} has no level {name}")
    switches = ("smtp_use_tls", "smtp_enforce_tls", "smtp_tls_enforce_peername")
    return dict(zip(switches, OLD_SWITCHES[name].split(), strict=True))


def _settings(option: str, words: tuple[str, ...]) -> dict[str, str]:
    from audits.postfix.braces import BraceError, name_and_value
    from audits.postfix.parameters import all_names

    try:
        changes = dict(name_and_value(word) for word in words)
    except BraceError as error:
        raise click.UsageError(f"{option}: {error}") from error
    for name in changes:
        if name not in all_names():
            click.echo(f"note: {option}: no version of Postfix has a parameter {name}", err=True)
    return changes


def _at_level(setup: "Setup", word: str) -> "Setup":
    """The same configuration with one level for all mail."""
    from audits.postfix.resolve import configuration
    from audits.simulate.sender import sender_of
    from audits.simulate.simulation import Setup

    config = setup.sender.config
    main_cf = config.main_cf.with_settings({"smtp_tls_security_level": word, PER_SITE: "", POLICY_MAPS: ""})
    return Setup(sender_of(configuration(main_cf)), setup.routing)


def _setup(main_cf: "MainCf", engine: "Engine", options: dict[str, Any]) -> "Setup":
    import msgspec

    from audits.postfix.resolve import configuration
    from audits.simulate.routing import routing_of
    from audits.simulate.sender import sender_of
    from audits.simulate.simulation import Setup

    tables = {name: _table(options[name], main_cf) for name in ("per_site", "policy_maps", "transport")}
    config = configuration(main_cf, engine, per_site=tables["per_site"], policy_maps=tables["policy_maps"])
    sender = msgspec.structs.replace(sender_of(config), now=datetime.now(UTC))
    return Setup(sender, routing_of(main_cf, table=tables["transport"]))


def _table(spec: str | None, main_cf: "MainCf") -> "TableList | None":
    """The table of an option: "TYPE:FILE" with a type that we read, else a hash: table."""
    from audits.postfix.open_tables import SUPPORTED, open_table
    from audits.postfix.resolve import uses_utf8
    from audits.postfix.source_text import read_source
    from audits.postfix.tables import TableList

    if spec is None:
        return None
    full = spec if spec.partition(":")[0] in SUPPORTED else f"hash:{spec}"
    return TableList((open_table(full, read_source, ("option", 0), uses_utf8(main_cf)),))


def _mail_log(path: str | None) -> "MailLog | None":
    from audits.simulate.mail_log import read_mail_log

    return read_mail_log(path) if path else None


# --- the report ----------------------------------------------------------------------------------------------------


class _Reports:
    """The domains one by one, counted as they pass; a class because the summary is there when they have passed."""

    def __init__(self, run: "StoredRun", today: "Setup", changed: "Setup | None", log: "MailLog | None") -> None:
        from audits.simulate.log_check import Expected
        from audits.simulate.summary import Tally

        self.run, self.today, self.changed, self.log = run, today, changed, log
        self.tally = Tally(changed is not None)
        self.expected = Expected()
        self.other_levels = [_at_level(today, word) for word in ("may", "encrypt", "verify")] if log else []
        self.not_in_run: list[str] = []
        self.run_notes: list[str] = []

    @property
    def notes(self) -> list[str]:
        """That the run is old or not whole, and what of the configuration is not followed."""
        setups = [setup for setup in (self.today, self.changed) if setup is not None]
        told = (note for setup in setups for note in (*setup.sender.notes, *setup.routing.notes))
        return list(dict.fromkeys((*self.run_notes, *told)))

    def each(self, words: tuple[str, ...]) -> "Iterator[DomainReport]":
        from audits.simulate.simulation import simulate as simulated
        from audits.simulate.summary import DomainReport

        for facts in self._domains(words):
            before = simulated(self.today, self.run, facts)
            after = simulated(self.changed, self.run, facts) if self.changed else None
            weight = self.log.deliveries.get(facts.target.name, 0) if self.log else None
            report = DomainReport(facts.target.entry, before, after, weight)
            self.tally.add(report)
            self.expected.add(before, (simulated(setup, self.run, facts) for setup in self.other_levels))
            yield report

    def _domains(self, words: tuple[str, ...]) -> Iterator[Any]:
        if not words:
            yield from self.run.all_domains()
            return
        for entry, facts in self.run.these_domains(_entries(words)):
            if facts is None:
                self.not_in_run.append(entry)
            else:
                yield facts

    def log_checks(self) -> "tuple[LogCheck, ...]":
        return self.expected.check(self.log.connections.items()) if self.log else ()


def _entries(words: tuple[str, ...]) -> Iterator[str]:
    """The entries of files and arguments; every bad line is told, and is wrong use."""
    from audits.scan_input import InputError, ScanInput
    from scanner.facts import BadLine

    try:
        with ScanInput(words, lambda: sys.stdin.buffer) as given:
            bad = [line for line in given.lines() if isinstance(line, BadLine)]
            for line in bad:
                click.echo(f"{line.source}:{line.number}: {line.text}: {line.why}", err=True)
            if bad:
                raise click.UsageError(f"{len(bad)} bad lines in the list of domains")
            yield from dict.fromkeys(target.entry for target in given.targets())
    except InputError as error:
        raise click.UsageError(str(error)) from None


def _report(reports: _Reports, words: tuple[str, ...], options: dict[str, Any]) -> None:
    for note in reports.notes:
        click.echo(f"note: {note}", err=True)
    wanted = (each for each in reports.each(words) if each.differs or not options["changed_only"])
    match options["output"]:
        case "csv":
            _csv(reports, wanted)
        case "json":
            _json(reports, wanted)
        case _:
            _text(reports, wanted)
    for entry in reports.not_in_run:
        click.echo(f"note: {entry} is not in the run, so nothing is known about it", err=True)
    if not reports.tally.summary.domains and words:
        raise click.UsageError("none of these domains is in the run: nothing was simulated")
    if not reports.tally.summary.domains:
        click.echo("note: no domain was simulated", err=True)


def _text(reports: _Reports, wanted: "Iterable[DomainReport]") -> None:
    from audits.simulate_output import log_lines, summary_lines, text_lines

    for report in wanted:
        for line in text_lines(report):
            click.echo(line)
    click.echo()
    for line in (*summary_lines(reports.tally.summary), *log_lines(reports.log_checks())):
        click.echo(line)


def _csv(reports: _Reports, wanted: "Iterable[DomainReport]") -> None:
    """The rows; what the rows come to is for people, and goes to stderr."""
    from audits.simulate_output import csv_header, csv_rows, log_lines, summary_lines

    click.echo(csv_header())
    for report in wanted:
        for row in csv_rows(report):
            click.echo(row)
    for line in (*summary_lines(reports.tally.summary), *log_lines(reports.log_checks())):
        click.echo(line, err=True)


def _json(reports: _Reports, wanted: "Iterable[DomainReport]") -> None:
    """One object: domains, summary, log, notes; written as it is made."""
    import msgspec

    from audits.json_text import json_text

    separator = '{"domains": ['
    for report in wanted:
        click.echo(separator)
        click.echo(json_text(msgspec.json.encode(report)), nl=False)
        separator = ","
    click.echo("]," if separator == "," else '{"domains": [],')
    rest = {"summary": reports.tally.summary, "mail_log": reports.log_checks(), "not_in_run": reports.not_in_run}
    parts = [f'"{name}": {json_text(msgspec.json.encode(value))}' for name, value in rest.items()]
    click.echo(",\n".join([*parts, f'"notes": {json.dumps(reports.notes)}']) + "}")

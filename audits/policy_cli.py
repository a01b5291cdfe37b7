"""`tlsaudit policy`: what a Postfix configuration says about TLS, read offline (postconf(5), TLS_README).

Exit codes of the group: 0 done; 1 the linter found errors; 2 wrong use or a file that cannot be used.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from audits.policy_offers_command import offers
from audits.policy_write_command import write
from audits.simulate_command import simulate

if TYPE_CHECKING:
    from audits.postfix.lint import LintMessage
    from audits.postfix.main_cf import MainCf
    from audits.postfix.parameters import Version
    from audits.postfix.resolution import Engine, KeyLookup, Resolution
    from audits.postfix.tables import TableList

ENGINES = ("2.2.8", "2.2.9", "3")
FORMATS = click.Choice(["text", "json"])
KINDS = click.Choice(["auto", "main.cf", "per-site", "policy-maps"])


class BadInput(click.ClickException):
    """A file that cannot be used: exit code 2, as for wrong options."""

    exit_code = 2


@click.group()
def policy() -> None:
    """Postfix TLS policies: which level applies, and what is wrong with a table or a main.cf."""


policy.add_command(write)
policy.add_command(offers)
policy.add_command(simulate)
write.short_help = "Write a table from the newest runs that loses no mail."
offers.short_help = "List hosts whose offer of STARTTLS the policy does not use."
simulate.short_help = "What becomes of mail under a main.cf, today and changed."


@policy.command(short_help="The effective level for a next-hop and a host, and why.")
@click.option("--main-cf", "main_cf_path", required=True, metavar="FILE", help="main.cf, or postconf -n's output.")
@click.option("--per-site", metavar="FILE", help="A table in place of smtp_tls_per_site (TYPE:FILE; else hash:).")
@click.option("--policy-maps", metavar="FILE", help="A table in place of smtp_tls_policy_maps.")
@click.option("--next-hop", required=True, metavar="X", help="Recipient domain, or next-hop as in transport(5).")
@click.option("--host", metavar="Y", help="The server's name: an MX host. Needed unless the next-hop has brackets.")
@click.option("--engine", type=click.Choice(ENGINES), default="3", show_default=True, help="The Postfix that decides.")
@click.option("-o", "overrides", multiple=True, metavar="NAME=VALUE", help="A setting on top, as in master.cf.")
@click.option("--format", "output", type=FORMATS, default="text", show_default=True, help="For people or programs.")
def resolve(main_cf_path: str, next_hop: str, host: str | None, engine: str, **options: Any) -> None:
    """The level for mail to a next-hop over a host: on the first line, then the rules that decided it.

    "invalid" means that Postfix skips the host and, where no other host is left, defers the mail.
    """
    from audits.postfix.errors import ConfigError
    from audits.postfix.resolve import configuration, host_of
    from audits.postfix.resolve import resolve as resolve_level
    from audits.postfix.source_text import shown

    if not next_hop or any(char in next_hop for char in ", \t"):
        raise click.BadParameter("one next-hop; of a list each element is resolved by itself", param_hint="--next-hop")
    try:
        generation = _engine(engine)
        main_cf = _main_cf(main_cf_path, generation, options["overrides"])
        tables = [_table(options[name], main_cf) for name in ("per_site", "policy_maps")]
        config = configuration(main_cf, generation, per_site=tables[0], policy_maps=tables[1])
        resolution = resolve_level(config, next_hop, host if host is not None else host_of(next_hop))
    except ConfigError as error:
        raise BadInput(str(error)) from error
    if options["output"] == "json":
        _print_json(resolution)
    else:
        click.echo("\n".join(map(shown, _told(resolution))))


def _engine(word: str) -> "Engine":
    from audits.postfix.resolution import Engine

    return Engine(word)


def _main_cf(path: str, engine: "Engine", overrides: tuple[str, ...]) -> "MainCf":
    from audits.postfix.braces import BraceError, name_and_value
    from audits.postfix.main_cf import read_main_cf
    from audits.postfix.parameters import DEFAULT_VERSION, parse_version
    from audits.postfix.resolution import Engine

    version = DEFAULT_VERSION if engine is Engine.MODERN else parse_version(engine)
    try:
        changes = dict(name_and_value(override) for override in overrides)
    except BraceError as error:
        raise click.UsageError(f"-o: {error}") from error
    return read_main_cf(path, version).with_settings(changes)


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


def _told(resolution: "Resolution") -> Iterable[str]:
    yield resolution.level
    for reason in resolution.why:
        yield reason.sentence
    if resolution.status:
        yield f"Postfix does not use this host; where no other is left, the mail is deferred ({resolution.status})."
    for attribute in resolution.attributes:
        yield f"attribute {attribute.name}={attribute.value}"
    for lookup in resolution.lookups:
        yield f"looked up {lookup.role} {lookup.key}: {_found(lookup)}"
    for warning in resolution.warnings:
        yield f"warning: {warning}"


def _found(lookup: "KeyLookup") -> str:
    from audits.postfix.source_text import shown
    from audits.postfix.tables import Hit, LookupFailure

    match lookup.found:
        case Hit(value=value, place=place):
            return f"{shown(value)} ({shown(place)})"
        case LookupFailure(reason=reason):
            return f"error, {reason}"
        case _:
            return "not found"


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


@policy.command(short_help="What is wrong with a main.cf or a TLS policy table.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--postfix", "version", default="3.7", show_default=True, metavar="VERSION", help="Who will read the file."
)
@click.option("--kind", type=KINDS, default="auto", show_default=True, help="What the file is.")
@click.option("--store", metavar="FILE|URL", help="Also compare with the facts of a stored run.")
@click.option("--run", "run_name", default="latest", show_default=True, help="The run's name, with --store.")
@click.option("--format", "output", type=FORMATS, default="text", show_default=True, help="For people or programs.")
def lint(files: tuple[str, ...], version: str, **options: Any) -> None:
    """What is wrong with a main.cf or with a TLS policy table (FILE, or TYPE:FILE such as regexp:tls_policy).

    The tables that a main.cf names are read, too. One line a finding: FILE:LINE: severity: reason [id] remedy.
    With --store also what the lines do to the servers as they were seen. Exit code 1 when there are errors.
    """
    from audits.postfix.errors import ConfigError
    from audits.postfix.parameters import parse_version

    messages: list[LintMessage] = []
    try:
        parsed = parse_version(version)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--postfix") from error
    try:
        for file in files:
            messages += _lint_file(file, parsed, options["kind"], (options["store"], options["run_name"]))
    except ConfigError as error:
        raise BadInput(str(error)) from error
    if options["store"]:
        _tell_run(options["store"], options["run_name"])
    _report(messages, options["output"])


def _tell_run(where: str, run_name: str) -> None:
    """What the messages over facts rest on, where that is old or not whole."""
    from audits.policy_lint_facts import stored_run_notes

    for note in stored_run_notes(where, run_name):
        click.echo(f"note: {note}", err=True)


def _lint_file(file: str, version: "Version", kind: str, run: tuple[str | None, str]) -> "Iterable[LintMessage]":
    """The messages about one file; `run` names a store, or None, and its run."""
    from audits.postfix.lint import Kind, lint_main_cf, lint_table
    from audits.postfix.lint.recognise import recognised
    from audits.postfix.pattern_tables import PATTERN_TYPES
    from audits.postfix.source_text import read_source
    from audits.postfix.text_tables import TEXT_TYPES

    type, colon, path = file.partition(":")
    if not colon or type not in (*TEXT_TYPES, *PATTERN_TYPES):
        type, path = "", file
    text = read_source(path)
    what: Kind | None = recognised(text, path) if kind == "auto" else Kind(kind)
    if what is None:
        raise click.UsageError(f"{path}: is it a per-site or a policy-maps table? Say so with --kind.")
    if what is Kind.MAIN_CF:
        found = lint_main_cf(text, path, version, read_source)
    else:
        found = lint_table(text, path, what, version, type or "hash")
    where, run_name = run
    if where is None:
        return found
    return sorted((*found, *_fact_messages(text, (type or "hash", path), what, version, (where, run_name))))


def _fact_messages(*arguments: Any) -> "Iterable[LintMessage]":
    """The messages over the facts of a run; only here something heavy is imported."""
    from audits.cli import CommandFailed
    from audits.policy_lint_facts import stored_fact_messages
    from audits.store import NoSuchRunError, StoreError

    try:
        return stored_fact_messages(*arguments)
    except NoSuchRunError as error:
        raise click.UsageError(str(error)) from None
    except StoreError as error:
        raise CommandFailed(str(error)) from None


def _report(messages: "list[LintMessage]", output: str) -> None:
    from audits.postfix.lint import Severity
    from audits.postfix.source_text import shown

    if output == "json":
        _print_json(messages)
    else:
        for message in messages:
            click.echo(shown(str(message)))
    counts = [sum(message.severity is severity for message in messages) for severity in Severity]
    words = ("errors", "warnings", "notes")
    click.echo(", ".join(f"{word}: {count}" for count, word in zip(counts, words, strict=True)), err=True)
    if counts[0]:
        raise SystemExit(1)


@policy.command(short_help="List the checks of `lint`, or show the page of one.")
@click.argument("id", required=False)
def checks(id: str | None) -> None:
    """List the checks of `lint`, or show the page of one: why it matters, a failing and a passing example."""
    from audits.postfix.lint import CHECKS
    from audits.postfix.source_text import shown

    if id is None:
        for check in sorted(CHECKS.values(), key=lambda check: check.id):
            click.echo(f"{check.id:24} {check.severity:8} {', '.join(check.kinds)}")
        return
    if id not in CHECKS:
        raise click.BadParameter(f"there is no check {id}; `tlsaudit policy checks` lists them", param_hint="ID")
    check = CHECKS[id]
    click.echo(f"{check.id} ({check.severity}; {', '.join(check.kinds)})\n\n{check.page}\n")
    if check.facts:
        rows = "".join(f"\n    {row}" for row in check.facts.splitlines())
        click.echo(f"Facts (domain, MX host, the strongest level that it sustains):{rows}\n")
    for title, example in (("Fails:", check.fails), ("Passes:", check.passes)):
        click.echo(title + "".join(f"\n    {shown(line)}" for line in example.splitlines()) + "\n")
    click.echo(f"Remedy: {check.remedy}")

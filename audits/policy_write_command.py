"""`tlsaudit policy write`: a Postfix table from stored runs that loses no mail, beside what stands there now."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.show_command import STORE_OPTION

if TYPE_CHECKING:
    from audits.policy_table.evidence import Evidence
    from audits.policy_table.lines import Wish
    from audits.policy_table.table import Table
    from audits.postfix.text_tables import Entry

FORMATS = click.Choice(["per-site", "policy-maps", "transport"])
TOLD = 50
"""Domains without a line that are named; the others are counted."""

FEW = 3
"""So many lines may always vanish."""
KEYS_SHOWN = 5

BETWEEN = "# " + "=" * 30 + " here begins another file, for transport_maps " + "=" * 30
"""Between the two tables on stdout."""

Files = list[tuple[str | None, str]]
"""Texts with the file that each belongs into; None stands for stdout."""


@click.command()
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--format", "form", type=FORMATS, required=True, help="Which table; transport also routes to the hosts.")
@click.option(
    "--postfix", "version", default="3.7", show_default=True, metavar="VERSION", help="Who will read the table."
)
@click.option("--output", metavar="FILE", help="Where the table is kept; without it it goes to stdout.")
@click.option("--policy-output", metavar="FILE", help="With transport: where the policies of the routes are kept.")
@STORE_OPTION
@click.option("--runs", "count", type=click.IntRange(1, 100), default=3, show_default=True, help="How many must agree.")
@click.option("--strict", is_flag=True, help="No line that trusts names from unsigned MX records.")
@click.option("--ipv4-only", is_flag=True, help="The sender has inet_protocols = ipv4: IPv6 addresses do not count.")
@click.option("--force", is_flag=True, help="Replace files that exist and differ.")
@click.option(
    "--max-vanish",
    type=click.IntRange(0, 100),
    default=25,
    show_default=True,
    metavar="PERCENT",
    help="Stop, even with --force, where for lack of answers more lines of a file would vanish (and more than three).",
)
def write(domains: tuple[str, ...], form: str, version: str, **options: Any) -> None:
    """Write a TLS policy table from the newest runs: only what every address of every MX host sustained in all of them.

    A "no" in the newest run lowers a line at once; an unanswered question lowers nothing. With fewer runs than --runs
    only `may` and `none` are written, and only where encryption fails. What has no line follows main.cf.
    """
    from audits.postfix.errors import ConfigError
    from audits.store import StoreError

    try:
        wish = _wish(form, version, options["strict"])
        _check_outputs(form, options)
        files, table = _made(entries_of(domains), wish, options)
        _deliver(files, table, wish, options)
        _tell(table)
        _tell_needs(table)
        if options["output"]:
            _tell_rehearsal(files, wish, options["store"])
    except ConfigError as error:
        raise _refused(str(error)) from None
    except StoreError as error:
        raise _failed(str(error)) from None
    except OSError as error:
        raise _failed(f"{error.filename or 'the table'} cannot be written: {error.strerror}") from None


def _wish(form: str, text: str, strict: bool) -> "Wish":
    from audits.policy_table.lines import POLICY_MAPS_SINCE, TableFormat, Wish
    from audits.postfix.parameters import parse_version

    try:
        version = parse_version(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--postfix") from None
    if form == "policy-maps" and version < POLICY_MAPS_SINCE:
        raise click.UsageError(f"Postfix {version} has no smtp_tls_policy_maps: write --format per-site")
    return Wish(TableFormat(form), version, datetime.now(UTC), strict)


def _check_outputs(form: str, options: dict[str, Any]) -> None:
    """Two tables need two files: nothing reads both from one."""
    first, second = options["output"], options["policy_output"]
    if form != "transport" and second:
        raise click.UsageError("--policy-output belongs to --format transport")
    if form == "transport" and bool(first) != bool(second):
        raise click.UsageError("transport makes two tables: give --output (routes) and --policy-output, or neither")
    if first and second and Path(first).resolve() == Path(second).resolve():
        raise click.UsageError("--output and --policy-output are the same file")


def entries_of(domains: Iterable[str]) -> list[str]:
    """The entries that the store knows them by."""
    from scanner.facts import BadLine
    from scanner.targets import target_from_text

    entries = []
    for word in domains:
        target = target_from_text(word)
        if target is None or isinstance(target, BadLine):
            why = target.why if target else "there is no domain name"
            raise click.BadParameter(f"{click.format_filename(word)}: {why}", param_hint="DOMAIN")
        entries.append(target.entry)
    return list(dict.fromkeys(entries))


def _made(entries: list[str], wish: "Wish", options: dict[str, Any]) -> "tuple[Files, Table]":
    from audits.policy_table.lines import TableFormat
    from audits.policy_table.table import table_of
    from audits.policy_table.text import policy_text, routes_text

    own, beside = _evidence(entries, options, wish.format is TableFormat.PER_SITE)
    table = table_of(own, wish, beside)
    policies = policy_text(table, wish)
    if wish.format is not TableFormat.TRANSPORT:
        return [(options["output"], policies)], table
    return [(options["policy_output"], policies), (options["output"], routes_text(table, wish))], table


def _evidence(
    entries: list[str], options: dict[str, Any], by_host: bool
) -> "tuple[Iterator[Evidence], list[Evidence]]":
    """Of the domains; and where keys are found `by_host`, of those without a line that share a host with them."""
    from audits.policy_table.evidence import evidence_of
    from audits.policy_table.history import finished_runs, histories, sharing
    from audits.policy_table.run_age import trust_notes
    from audits.store import Store

    count = options["count"]
    with Store.open(options["store"]) as store:
        runs = finished_runs(store)
        if not runs:
            raise _refused(f"{options['store']} holds no finished run: scan first")
        found = histories(store, runs, entries, count)
        others = sharing(store, runs[:count], entries) if by_host and entries else {}
    unseen = [entry for entry, looks in found.items() if not looks]
    if unseen:
        raise _refused(f"no finished run has {', '.join(unseen[:5])}: scan first")
    if len(runs) < count:
        held = f"{len(runs)} finished run{'s' if len(runs) > 1 else ''}"
        click.echo(f"{options['store']} holds {held}, {count} are wanted: no line demands TLS yet (--runs)", err=True)
    for note in trust_notes(runs[:count], _trusted_here()):
        click.echo(f"note: {note}", err=True)
    beside = [evidence_of(looks, len(looks), options["ipv4_only"]) for looks in others.values()]
    return (evidence_of(looks, count, options["ipv4_only"]) for looks in found.values()), beside


def _trusted_here() -> str:
    """The digest of this system's trust anchors; "" where it has none."""
    from audits.trust import TrustStoreError, load_trust_store

    try:
        return load_trust_store().digest
    except TrustStoreError:
        return ""


def _deliver(files: Files, table: "Table", wish: "Wish", options: dict[str, Any]) -> None:
    """To stdout, or into the files: all are looked at before the first is touched."""
    from audits.policy_table.files import difference, present_text, replace_file

    _check(files, wish)
    present = {path: present_text(Path(path)) for path, _ in files if path}
    for number, (path, text) in enumerate(files):
        if path is None:
            click.echo(f"\n{BETWEEN}\n\n{text}" if number else text, nl=False)
        else:
            for line in difference(present[path] or "", text, Path(path)):
                click.echo(line, err=True)
    changed = [(path, text) for path, text in files if path and present[path] != text]
    standing = [path for path, _ in changed if present[path] is not None]
    if standing and not options["force"]:
        raise _refused(f"{', '.join(standing)} exists and differs: nothing was written; --force replaces it")
    for path, text in changed:
        _keep_most(path, (present[path] or "", text), table, options["max_vanish"])
    for path, text in changed:
        replace_file(Path(path), text)
        click.echo(f"written: {path}; now run: postmap {path}", err=True)


def _keep_most(path: str, texts: tuple[str, str], table: "Table", max_vanish: int) -> None:
    """Nights in which nobody answered, or another list, empty no table: exit code 1.

    A line that fails by a "no" is not counted; and where one stands, mail is lost until the table is replaced, which
    weighs more than lines that lapse.
    """
    from audits.policy_table.files import standing

    held, gone = standing(*texts)
    failing = [entry for entry in held if table.refutes(entry.key, entry.value)]
    lapsed = [entry for entry in gone if entry not in failing]
    if len(lapsed) <= FEW or 100 * len(lapsed) <= max_vanish * len(held):
        return
    words = f"{path}: {len(lapsed)} of {len(held)} lines would vanish for lack of answers ({_keys(lapsed)})"
    if not failing:
        raise click.ClickException(f"{words}: nothing was written; if that is meant, --max-vanish 100")
    click.echo(f"warning: {words}; replaced all the same, for {_keys(failing)} would lose mail", err=True)


def _keys(entries: "list[Entry]") -> str:
    from scanner.domain_name import printable

    more = ", ..." if len(entries) > KEYS_SHOWN else ""
    return ", ".join(printable(entry.key) for entry in entries[:KEYS_SHOWN]) + more


def _tell_rehearsal(files: Files, wish: "Wish", store: str) -> None:
    """How to see, before Postfix reads them, what main.cf makes of these tables."""
    import shlex

    from audits.policy_table.text import policy_parameter

    parameters = [policy_parameter(wish), "transport_maps"][: len(files)]
    words = [] if store == "tlsaudit.db" or "://" in store else ["--store", store]  # a URL may hold a password
    for parameter, (path, _) in zip(parameters, files, strict=True):
        words += ["--what-if", f"{parameter}=texthash:{path}"]
    command = shlex.join(["tlsaudit", "policy", "simulate", "--main-cf", "FILE", *words])
    click.echo(f"what your main.cf makes of it: {command}", err=True)


def _check(files: Files, wish: "Wish") -> None:
    """No table leaves that our own linter would warn about."""
    from audits.policy_table.text import policy_kind
    from audits.postfix.lint import Severity, lint_table

    messages = lint_table(files[0][1], files[0][0] or "table", policy_kind(wish), wish.version)
    faults = [str(message) for message in messages if message.severity is not Severity.INFO]
    if faults:
        raise _failed(f"a fault of this program, nothing was written: {faults[0]}")


def _tell(table: "Table") -> None:
    """How many lines of which kind, and who has none."""
    from collections import Counter

    from scanner.domain_name import printable

    counts = Counter(line.value.split()[0] for line in table.lines)
    routes = [f"routes {len(table.routes)}"] if table.routes else []
    shown = ", ".join([*routes, *(f"{level} {count}" for level, count in counts.items())])
    click.echo(f"lines: {shown or '0'}; domains without a line: {len(table.skips)}", err=True)
    for skip in table.skips[:TOLD]:
        click.echo(f"  {printable(skip.entry)}: {printable(skip.why, 400)}", err=True)
    if len(table.skips) > TOLD:
        click.echo(f"  and {len(table.skips) - TOLD} more", err=True)


def _tell_needs(table: "Table") -> None:
    """What must be so beside the table, or mail is lost."""
    from audits.policy_table.text import HOSTS_GO, OWN_DOMAINS, main_cf_needs

    for need in (*main_cf_needs(table), *([OWN_DOMAINS] if table.routes else [])):
        click.echo(f"main.cf: {need}", err=True)
    if table.routes:
        click.echo(f"note: {HOSTS_GO}", err=True)
    open_ = sum(line.evidence.dane_is_open and not line.value.startswith("dane") for line in table.lines)
    if open_:
        words = "was not looked for (--no-policy), or not settled; their lines go before a global level dane"
        click.echo(f"note: DANE of {open_} domain{'s' if open_ > 1 else ''} {words}", err=True)


def _refused(sentence: str) -> click.ClickException:
    """Wrong use, or a file that is not to be used: exit code 2."""
    from audits.policy_cli import BadInput

    return BadInput(sentence)


def _failed(sentence: str) -> click.ClickException:
    from audits.cli import CommandFailed

    return CommandFailed(sentence)

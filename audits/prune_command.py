"""`tlsaudit prune`: old runs leave the store, with all that only they use."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from audits.show_command import STORE_OPTION

if TYPE_CHECKING:
    from audits.store import RunInfo, Store
    from audits.store_prune import Choice, Pruned

_AGE = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
WORTH_COMPACTING = 4
"""The file is written anew when at least one in so many of its bytes is free."""


def _age(_context: click.Context, _parameter: click.Parameter, words: str) -> timedelta:
    """An age as people write it: 90d, 12w, 36h."""
    found = _AGE.fullmatch(words.strip().lower())
    if found is None:
        raise click.BadParameter(f"{words!r}: write a number of days, weeks or hours, as 90d, 12w or 36h")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


@click.command()
@click.option(
    "--keep", required=True, metavar="AGE", callback=_age, help="Remove runs that are older: 90d, 12w, or 36h."
)
@click.option(
    "--keep-runs",
    type=click.IntRange(2, 100_000),
    default=4,
    show_default=True,
    help="The newest finished runs stay, however old; `tlsaudit diff` needs four. What nightly told last stays, too.",
)
@click.option("--unfinished", is_flag=True, help="Also remove old runs that never ended; the newest run always stays.")
@click.option("--no-compact", is_flag=True, help="Leave free space in the file: the next runs fill it.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@STORE_OPTION
def prune(**options: Any) -> None:
    """Remove old finished runs, and the facts and certificates that no other run uses.

    The file shrinks when a quarter of it is free; that needs as much room again while it lasts.
    """
    from audits.cli import CommandFailed
    from audits.store import Store, StoreError
    from audits.store_prune import TOLD, chosen

    dry = options["dry_run"]
    try:
        Store.open(options["store"]).close()  # which must exist: opened for writing it would be made
        with Store.open(options["store"], writing=not dry) as store:
            before = datetime.now(UTC) - options["keep"]
            told = store.all_remembered(TOLD).values()
            choice = chosen(store.runs(), before, options["keep_runs"], unfinished=options["unfinished"], told=told)
            _say_choice(choice, len(store.runs()), dry=dry)
            ids = [run.id for run in choice.doomed]
            _say_pruned(store.prune_estimate(ids) if dry else store.prune(ids), dry=dry)
            if not dry:
                _compact(store, wanted=not options["no_compact"])
    except StoreError as error:
        raise CommandFailed(str(error)) from None


def _say_choice(choice: "Choice", runs: int, *, dry: bool) -> None:
    click.echo(f"{'would remove' if dry else 'removing'} {len(choice.doomed)} of {runs} runs{_span(choice.doomed)}")
    if choice.for_diff:
        click.echo(f"old, but kept for `tlsaudit diff` and `tlsaudit nightly`: {_names(choice.for_diff)}")
    if choice.unfinished:
        click.echo(f"old, but unfinished and kept (--unfinished removes them): {_names(choice.unfinished)}")


def _span(runs: "tuple[RunInfo, ...]") -> str:
    if not runs:
        return ""
    return f": {runs[0].name}" + (f" to {runs[-1].name}" if len(runs) > 1 else "")


def _names(runs: "tuple[RunInfo, ...]") -> str:
    more = f" and {len(runs) - 10} more" if len(runs) > 10 else ""
    return ", ".join(run.name for run in runs[:10]) + more


def _say_pruned(gone: "Pruned", *, dry: bool) -> None:
    counted = (
        f"{gone.domain_results} domain results",
        f"{gone.endpoint_results} endpoint results",
        f"{gone.facts} facts ({megabytes(gone.facts_bytes)})",
        f"{gone.certificates} certificates ({megabytes(gone.certificates_bytes)})",
    )
    click.echo(f"{'would remove' if dry else 'removed'} {', '.join(counted)}")


def _compact(store: "Store", *, wanted: bool) -> None:
    from audits.store import StoreError

    space = store.space()
    if not space.known:
        click.echo(f"database: {megabytes(space.whole_bytes)}; what was removed is free for new runs after its vacuum")
    elif wanted and space.free_bytes * WORTH_COMPACTING >= space.whole_bytes:
        try:
            store.compact()
        except StoreError as error:
            raise StoreError(f"the runs are removed, but the file could not be made smaller: {error}") from None
        click.echo(f"file: {megabytes(space.whole_bytes)} -> {megabytes(store.space().whole_bytes)}")
    else:
        click.echo(
            f"file: {megabytes(space.whole_bytes)}, of which {megabytes(space.free_bytes)} are free for new runs"
        )


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"

"""`tlsaudit export`: a run for others: an evidence pack for auditors."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.scan_command import trust_options
from audits.show_command import STORE_OPTION

if TYPE_CHECKING:
    from audits.store import RunInfo, Store

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("run_name", metavar="RUN", default="latest")
@click.option("--evidence", type=_FOLDER, metavar="DIR", help="A new folder for facts, chains, records and their sums.")
@STORE_OPTION
@trust_options
def export(run_name: str, store: str, **options: Any) -> None:
    """Export RUN (default: the newest). `tlsaudit judge --evidence DIR` judges an evidence pack again."""
    from audits.cli import CommandFailed
    from audits.output import OutputError
    from audits.store import NoSuchRunError, Store, StoreError
    from audits.trust import TrustStoreError

    if not options["evidence"]:
        raise click.UsageError("say what to write: --evidence DIR")
    try:
        with Store.open(store) as opened:
            _write_evidence(opened, opened.run(run_name), options)
    except (NoSuchRunError, OutputError, TrustStoreError) as error:
        raise click.UsageError(str(error)) from None
    except (StoreError, OSError) as error:
        raise CommandFailed(str(error)) from None


def _write_evidence(store: "Store", run: "RunInfo", options: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    from audits.evidence.write import write_pack
    from audits.trust import load_trust_store

    trust = load_trust_store(options["cafile"], options["capath"], system=not options["no_system_trust"])
    write_pack(store, run, trust, options["evidence"], datetime.now(UTC))
    click.echo(f"{options['evidence']}: {run.done} domains of run {run.name}", err=True)
    if trust.digest != run.trust_digest:
        click.echo("warning: these trust anchors are not those of the run; run.json tells both digests", err=True)

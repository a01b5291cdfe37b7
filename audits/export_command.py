"""`tlsaudit export`: a run for others: an evidence pack for auditors, Parquet files for other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.scan_command import trust_options
from audits.show_command import STORE_OPTION

if TYPE_CHECKING:
    from audits.store import RunInfo, Store

_FOLDER = click.Path(path_type=Path)
OTHER_ANCHORS = (
    "warning: the CAs in trust.pem are not those of the run (run.json tells both digests): judged by them, grades may"
    " differ from records.jsonl; to pack those of the run, name them with --cafile, --capath, --no-system-trust"
)


@click.command()
@click.argument("run_name", metavar="[RUN]", default="latest")
@click.option("--evidence", type=_FOLDER, metavar="DIR", help="A new folder for facts, chains, records and their sums.")
@click.option(
    "--parquet", type=_FOLDER, metavar="DIR", help="A new folder of Parquet files, one for each frame (FRAMES.md)."
)
@click.option("--force", is_flag=True, help="Let --parquet replace the folder of an earlier export.")
@STORE_OPTION
@trust_options
def export(run_name: str, store: str, **options: Any) -> None:
    """Export RUN (default: the newest). `tlsaudit judge --evidence DIR` judges an evidence pack again.

    With --parquet alone RUN may also be "all", for every finished run.
    """
    from audits.cli import CommandFailed
    from audits.extras import ExtraMissingError
    from audits.output import OutputError, OutputLostError
    from audits.store import NoSuchRunError, Store, StoreError
    from audits.trust import TrustStoreError

    if not (options["evidence"] or options["parquet"]):
        raise click.UsageError("say what to write: --evidence DIR, --parquet DIR")
    try:
        if options["evidence"]:
            with Store.open(store) as opened:
                _write_evidence(opened, opened.run(run_name), options)
        if options["parquet"]:
            _write_parquet(store, run_name, options["parquet"], options["force"])
    except (NoSuchRunError, OutputError, TrustStoreError) as error:
        raise click.UsageError(str(error)) from None
    except (ExtraMissingError, StoreError, OutputLostError, OSError) as error:
        raise CommandFailed(str(error)) from None


def _write_evidence(store: "Store", run: "RunInfo", options: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    from audits.evidence.write import write_pack
    from audits.trust import load_trust_store

    trust = load_trust_store(options["cafile"], options["capath"], system=not options["no_system_trust"])
    write_pack(store, run, trust, options["evidence"], datetime.now(UTC))
    click.echo(f"{options['evidence']}: {run.done} domains of run {run.name}", err=True)
    if trust.digest != run.trust_digest:
        click.echo(OTHER_ANCHORS, err=True)


def _write_parquet(store: str, run_name: str, folder: Path, force: bool) -> None:
    from audits.extras import require

    require("frames")
    from audits.frames import all_frames, open_history
    from audits.frames.parquet import write_parquet

    with open_history(store) as history:
        history.chosen(run_name)
        rows = write_parquet(folder, all_frames(history, run_name), replace=force)
    for name, count in rows.items():
        click.echo(f"{folder / name}.parquet: {count} rows", err=True)

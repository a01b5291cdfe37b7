"""`tlsaudit tlsrpt`: received TLS reports beside our own findings."""

from pathlib import Path

import click
import msgspec

STORE_OPTION = click.option("--store", default="tlsaudit.db", show_default=True, metavar="FILE|URL", help="The store.")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--run", "run_name", default="latest", show_default=True, help="The run to compare with.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a failure.")
@STORE_OPTION
def tlsrpt(files: tuple[Path, ...], run_name: str, as_json: bool, store: str) -> None:
    """Read TLS reports (RFC 8460) and say of each failure whether our own run confirms it.

    FILE is a report in JSON, the same in gzip, or a mail or mailbox with such attachments.
    """
    from audits.cli import CommandFailed
    from audits.json_text import json_text
    from audits.records import DomainRecord
    from audits.report_comparison import Compared, compared
    from audits.store import NoSuchRunError, Store, StoreError
    from audits.tls_reports import ReportError, TlsReport, reports_in
    from scanner.domain_name import printable

    reports: list[TlsReport] = []
    for file in files:
        try:
            reports += reports_in(file.read_bytes())
        except ReportError as error:
            raise click.UsageError(f"{file}: {error}") from None

    def line(found: Compared) -> str:
        where = f" at {found.mx_host}" if found.mx_host else ""
        count = f"{found.sessions} session" + ("s" if found.sessions != 1 else "")
        words = f"{found.domain}: {found.result_type}{where}, {count}, by {found.organization or 'nobody named'}"
        return printable(f"{words}: {found.standing}" + (f" ({found.ours})" if found.ours else ""), 600)

    try:
        with Store.open(store) as opened:
            run = opened.run(run_name)

            def record_of(domain: str) -> DomainRecord | None:
                found = opened.domain(run.id, domain)
                return msgspec.json.decode(found.judgement, type=DomainRecord) if found else None

            for found in compared(reports, record_of):
                click.echo(json_text(msgspec.json.encode(found)) if as_json else line(found))
    except NoSuchRunError as error:
        raise click.UsageError(str(error)) from None
    except StoreError as error:
        raise CommandFailed(str(error)) from None

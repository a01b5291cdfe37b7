"""`tlsaudit trace`: connect to one host as the scan would, and show the session as Postfix's smtp_tls_loglevel does."""

from typing import Any

import click

from audits.scan_command import network_options


@click.command()
@click.argument("host", metavar="HOST[:PORT]")
@click.option(
    "--loglevel",
    type=click.IntRange(0, 4),
    default=2,
    show_default=True,
    help="0 nothing, 1 handshake, 2 negotiation, 3 and its bytes, 4 and all bytes behind STARTTLS.",
)
@network_options
def trace(host: str, loglevel: int, **options: Any) -> None:
    """Connect to one host (no MX look-up) and show what happens; ADDRESS and [HOST]:PORT work too. Nothing is stored.

    Exit code 0 when a session inside TLS worked, else 1.
    """
    from audits.trace import trace_host

    raise SystemExit(trace_host(host, loglevel, options))

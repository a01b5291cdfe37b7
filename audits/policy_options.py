"""The options of `tlsaudit scan` about published policy: whether it is looked for, and whose DNSSEC is believed."""

from typing import Any

import click

from scanner.settings import POLICY_PORT

GOOD, BAD = "isc.org", "dnssec-failed.org"
"""A name that is signed, and one that is signed wrongly on purpose, as its owner says."""


def policy_options(command: Any) -> Any:
    """Adds the options to a command."""
    for option in reversed(
        (
            click.option(
                "--no-policy",
                is_flag=True,
                help="Do not look for what a domain publishes: DANE, MTA-STS, TLSRPT.",
            ),
            click.option(
                "--trust-ad",
                is_flag=True,
                help="Believe the DNSSEC verdicts of a resolver on another machine; those of a local one are believed.",
            ),
            click.option(
                "--dnssec-canary",
                default=f"{GOOD},{BAD}",
                show_default=True,
                metavar="GOOD,BAD",
                help="Names that show whether the resolver validates: one signed well, one signed wrongly.",
            ),
            click.option(
                "--policy-port",
                type=click.IntRange(1, 65535),
                default=POLICY_PORT,
                hidden=True,
                help="Where policies are fetched; for tests.",
            ),
        )
    ):
        command = option(command)
    return command


def canaries(text: str) -> tuple[str, str]:
    """The two names of --dnssec-canary."""
    good, comma, bad = text.partition(",")
    if not (good.strip() and comma and bad.strip()) or "," in bad:
        raise click.BadParameter("write two names, GOOD,BAD", param_hint="--dnssec-canary")
    return good.strip(), bad.strip()

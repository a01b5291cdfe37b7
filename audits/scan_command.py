"""`tlsaudit scan`: the options, and what they mean for a run."""

import gc
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from audits.baseline_options import baseline_options
from audits.durations import duration_s
from audits.policy_options import policy_options
from scanner.settings import Depth, ScanSettings

LEVEL_WORDS = ("NONE", "MAY", "MUST_NOPEERMATCH", "MUST")


class _FiniteRange(click.FloatRange):
    """A range of numbers; "nan" compares with nothing and would pass every bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def trust_options(command: Any) -> Any:
    """The options that say which certificates are trusted."""
    for option in reversed(
        (
            click.option(
                "--cafile",
                multiple=True,
                type=click.Path(path_type=Path),
                help="Trust the CAs in this PEM file; repeatable.",
            ),
            click.option(
                "--capath",
                multiple=True,
                type=click.Path(path_type=Path),
                help="Trust the CAs in this folder; repeatable.",
            ),
            click.option("--no-system-trust", is_flag=True, help="Trust only what --cafile and --capath name."),
            click.option(
                "--verify-depth",
                type=click.IntRange(0, 100),
                default=9,
                show_default=True,
                help="smtp_tls_scert_verifydepth, as Postfix 3 counts it.",
            ),
        )
    ):
        command = option(command)
    return command


def _sayable(_context: click.Context, _parameter: click.Parameter, ehlo: str | None) -> str:
    """The EHLO name, as it may stand in a command; "" for this host's."""
    if ehlo and (not ehlo.isascii() or not ehlo.isprintable() or " " in ehlo or len(ehlo) > 255):
        raise click.BadParameter("write a host name without spaces")
    return ehlo or ""


def network_options(command: Any) -> Any:
    """The options that say how servers are reached, and how gently."""
    for option in reversed(
        (
            click.option(
                "--resolver",
                "resolvers",
                multiple=True,
                metavar="ADDR[:PORT]",
                help="Ask this resolver instead of the system's; repeatable.",
            ),
            click.option(
                "--ehlo",
                metavar="NAME",
                callback=_sayable,
                help="The name said in EHLO. Default: this host's name.",
            ),
            click.option(
                "--envelope", is_flag=True, help="Also send MAIL FROM:<> and RSET, in clear and inside TLS; never RCPT."
            ),
            click.option(
                "--allow-private", is_flag=True, help="Also contact addresses that are not globally reachable."
            ),
            click.option("-4", "only_v4", is_flag=True, help="Ask IPv4 addresses only."),
            click.option("-6", "only_v6", is_flag=True, help="Ask IPv6 addresses only."),
            click.option(
                "--interval",
                type=_FiniteRange(0, 3600),
                default=1.0,
                show_default=True,
                help="Seconds between two connections to one address.",
            ),
        )
    ):
        command = option(command)
    return command


@click.command(
    epilog="Entries: example.org | example.org MUST | [mx.example.org]:587 | [192.0.2.1]:2525 | - for stdin."
)
@click.argument("inputs", nargs=-1, required=True, metavar="FILE... | - | DOMAIN...")
@network_options
@trust_options
@policy_options
@baseline_options
@click.option(
    "--ports", default="25,465,587", show_default=True, help="25 gives the grade; 465 and 587 are shown beside it."
)
@click.option(
    "--depth",
    type=click.Choice([depth.value for depth in Depth]),
    default=Depth.STANDARD.value,
    show_default=True,
    help="policy: the grade; standard: also versions and weak suites; full: every suite and group.",
)
@click.option(
    "--patience",
    default="0",
    metavar="DURATION",
    help="How long to go on with a server that throttles, 90s, 30m or 2h; what is missing else is inconclusive.",
)
@click.option(
    "--injection",
    is_flag=True,
    help="Also test for STARTTLS command injection. Only for servers you may test.",
)
@click.option(
    "--vulnerabilities",
    is_flag=True,
    help="Also run sslyze's ROBOT, Heartbleed, CCS, renegotiation. Only for servers you may test.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 10_000),
    default=500,
    show_default=True,
    help="Connections open at once, over all servers.",
)
@click.option(
    "--provider-jobs",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Connections open at once to one provider.",
)
@click.option(
    "--exclude",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file of domains, hosts and networks never to be contacted; repeatable.",
)
@click.option(
    "--require",
    type=click.Choice(LEVEL_WORDS, case_sensitive=False),
    help="The level every domain must sustain; missed: exit 1.",
)
@click.option(
    "--max-inconclusive",
    type=_FiniteRange(0, 100),
    default=10,
    show_default=True,
    help="Percent of the domains; beyond it: exit 3.",
)
@click.option("--skip-bad", is_flag=True, help="Go on without the lines that are no entries.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl", "csv", "nagios"]),
    default="table",
    show_default=True,
    help="How results are printed; nagios: one line, and the exit codes of a plugin.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write results to this file instead of stdout, when they are whole.",
)
@click.option("--store", default="tlsaudit.db", show_default=True, metavar="FILE|URL", help="Where runs are kept.")
@click.option("--resume", is_flag=True, help="Go on with the newest unfinished run of this input.")
@click.option(
    "--full-every",
    type=click.IntRange(1, 366),
    default=1,
    show_default=True,
    metavar="NIGHTS",
    help="Ask a server that is as last time in full every so many nights only; between, 3 connections confirm it.",
)
@click.option(
    "--max-runtime",
    default="0",
    metavar="DURATION",
    callback=lambda _context, _parameter, text: duration_s(text, "--max-runtime"),
    help="Stop after 90s, 30m or 2h with what is there (exit 130); --resume goes on. 0: never.",
)
@click.option("--log-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the log there, not on stderr.")
@click.option("--log-json", is_flag=True, help="Write the log as JSON lines.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.option("-v", "--verbose", count=True, help="Sessions on stderr, up to -vvvv, as smtp_tls_loglevel 1 to 4.")
def scan(**options: Any) -> None:
    """Scan mail domains and grade each by the strongest Postfix TLS policy it can sustain without losing mail.

    Grades: MUST (trusted certificate with the MX host's name), MUST_NOPEERMATCH (encryption), MAY (TLS where it works,
    else clear text), NONE, INCONCLUSIVE (not answered: never guessed), NO_MAIL.
    """
    from audits.nagios import plugin_failures
    from audits.scan import run_scan_command

    # What is in memory now stays to the end. The garbage collector need not go through it again and again, nor stop by
    # after every few hundred objects: together that is a tenth of the time of a long scan.
    gc.freeze()
    gc.set_threshold(10_000)
    with plugin_failures(options["form"] == "nagios"):
        raise SystemExit(run_scan_command(scan_settings(options), options))


def scan_settings(options: dict[str, Any]) -> ScanSettings:
    """The settings that the options ask for; a usage error where they contradict each other."""
    if options["vulnerabilities"] and find_spec("sslyze") is None:
        raise click.UsageError("--vulnerabilities needs sslyze: pip install 'tlsaudit[vulnerabilities]'")
    if options["only_v4"] and options["only_v6"]:
        raise click.UsageError("-4 and -6 exclude each other")
    try:
        ports = tuple(dict.fromkeys(int(port) for port in options["ports"].split(",")))
    except ValueError:
        raise click.BadParameter("write numbers with commas, 25,465,587", param_hint="--ports") from None
    if 25 not in ports or not all(0 < port < 65536 for port in ports):
        raise click.BadParameter(
            "25 must be among them, for it gives the grade; others are 1 to 65535", param_hint="--ports"
        )
    return ScanSettings(
        ports=ports,
        envelope=options["envelope"],
        ehlo=options["ehlo"],
        resolvers=options["resolvers"],
        allow_private=options["allow_private"],
        ipv4=not options["only_v6"],
        ipv6=not options["only_v4"],
        interval_s=options["interval"],
        depth=Depth(options["depth"]),
        patience_s=duration_s(options["patience"], "--patience"),
        injection=options["injection"],
        vulnerabilities=options["vulnerabilities"],
        jobs=options["jobs"],
        provider_jobs=options["provider_jobs"],
        published=not options["no_policy"],
        policy_port=options["policy_port"],
    )

"""The command `tlsaudit`: the root where the two halves meet. Each command is imported only when it is called."""

import errno
import importlib
import os
import sys
import traceback
from typing import Any

import click

import audits
import scanner

EXIT_GATE = 1
EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_FAILURE = 4
EXIT_INTERRUPTED = 130

COMMANDS = {
    "scan": ("audits.scan_command:scan", "Scan mail domains and grade each by the TLS policy it sustains."),
    "demo": ("audits.demo_command:demo", "Scan an embedded lab of mail servers: no root, no internet."),
    "show": ("audits.show_command:show", "Show one domain of a run: its grade, the evidence, the transcripts."),
    "runs": ("audits.show_command:runs", "List the runs of a store."),
    "diff": ("audits.diff_command:diff", "Show what changed for the domains between two runs."),
    "prune": ("audits.prune_command:prune", "Remove old runs from a store, and what only they use."),
    "trace": ("audits.trace_command:trace", "Connect to one host and show the session as smtp_tls_loglevel does."),
    "policy": (
        "audits.policy_cli:policy",
        "Postfix TLS policy: what it does to mail; write a table, lint one.",
    ),
    "tlsrpt": ("audits.tlsrpt_command:tlsrpt", "Compare received TLS reports (RFC 8460) with a run of ours."),
    "judge": ("audits.judge_command:judge", "Judge a stored run by baselines, offline."),
    "nightly": ("audits.nightly_command:nightly", "The cron job: scan, compare, report, notify, prune by one file."),
    "report": ("audits.report_command:report", "Write reports of a run: HTML, CSV, Markdown."),
    "export": ("audits.export_command:export", "Export a run: an evidence pack for auditors, Parquet for other tools."),
    "baselines": ("audits.rules_command:baselines", "List the baselines, or show one with its clauses."),
    "rules": ("audits.rules_command:rules", "List the rules, or show the page of one."),
    "schema": ("audits.show_command:schema", "Print the JSON Schema of `scan --format jsonl`."),
}
"""Command -> where it stands, and its line in the help, so that `--help` imports none of them."""


class CommandFailed(click.ClickException):
    """Something other than the user's words went wrong: the store, the trust store, our own network (exit 4)."""

    exit_code = EXIT_FAILURE


class _Commands(click.Group):
    """Knows the commands by name; imports one when it is called."""

    def invoke(self, ctx: click.Context) -> Any:
        """Ends that click would call exit 1, a missed gate here: Ctrl-C, a reader that left, a full disk."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            raise SystemExit(EXIT_INTERRUPTED) from None
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT):
                raise
            # What Python still holds back must not fail a second time, and loudly, when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if error.errno == errno.EPIPE:
                raise SystemExit(EXIT_FAILURE) from None
            raise CommandFailed(f"the results cannot be written: {error.strerror}") from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=audits.DISTRIBUTION, prog_name="tlsaudit")
def cli() -> None:
    """Which TLS policy can a Postfix sender enforce for a mail domain without losing mail?

    \b
    First:   tlsaudit demo
    Then:    tlsaudit scan domains.txt
    And:     tlsaudit show example.org

    Exit codes: 0 done and gate met; 1 gate not met; 2 wrong use; 3 too much is inconclusive; 4 we failed;
    130 stopped.
    """


def main(*args: Any) -> None:
    """The entry point of the console script."""
    if {scanner.DISTRIBUTION, audits.DISTRIBUTION} != {"tlsaudit"}:
        sys.exit("another Python distribution has overwritten the packages `scanner` or `audits`: use `pipx install`")
    try:
        cli(prog_name="tlsaudit")
    except SystemExit:
        raise
    except BaseException:  # noqa: BLE001 - our own bug: told in full, but Python's exit code 1 is that of a missed gate
        traceback.print_exc()
        raise SystemExit(EXIT_FAILURE) from None


if __name__ == "__main__":
    main()

"""`tlsaudit demo`: the real scanner on the embedded lab; the run is stored like any other."""

import shlex
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from audits.demo.lab import Lab


@click.command()
@click.option("--store", default="tlsaudit.db", show_default=True, metavar="FILE|URL", help="Where the run is kept.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl", "csv"]),
    default="table",
    show_default=True,
    help="How results are printed.",
)
@click.option("-v", "--verbose", count=True, help="Sessions on stderr, up to -vvvv.")
def demo(store: str, form: str, verbose: int) -> None:
    """Scan an embedded lab: an authoritative DNS and small mail servers on loopback, each in another TLS state.

    Needs no root and no internet. Only the connector is special: it maps the lab's addresses to loopback ports.
    """
    from audits.demo.states import CANARIES
    from audits.scan import run_scan_command
    from audits.scan_command import scan, scan_settings

    with _running_lab() as lab:
        arguments = ["--allow-private", "--interval", "0.05", "--max-inconclusive", "100", "--no-system-trust"]
        arguments += ["--cafile", str(lab.cafile), "--resolver", lab.resolver_text, "--store", store, "--format", form]
        arguments += ["--dnssec-canary", ",".join(CANARIES)]
        arguments += [
            "--ehlo",
            "scanner.example",
            "--envelope",
            *["-v"] * verbose,
            *(domain.name for domain in lab.domains),
        ]
        options = scan.make_context("demo", arguments).params
        code = run_scan_command(scan_settings(options), options, lab.connect)
    if form == "table":
        click.echo(f"\nThe evidence for one of them:  {_show_words(lab.domains[0].name, store)}", err=True)
    raise SystemExit(code)


def _show_words(domain: str, store: str) -> str:
    """What shows the evidence, as it can be typed here: in a fresh environment the command is not in PATH."""
    called = sys.argv[0] if "/" in sys.argv[0] and not shutil.which("tlsaudit") else "tlsaudit"
    words = [called, "show", domain]
    shown = "URL" if "://" in store else store  # a URL may hold a password
    return shlex.join(words if store == "tlsaudit.db" else [*words, "--store", shown])


@contextmanager
def _running_lab() -> "Iterator[Lab]":
    """The lab in a thread with an event loop of its own, as if it were another machine."""
    import trio

    from audits.demo.lab import demo_lab

    started: SimpleQueue[tuple[Lab, trio.lowlevel.TrioToken, trio.Event] | BaseException] = SimpleQueue()

    async def serve() -> None:
        async with demo_lab() as lab:
            stop = trio.Event()
            started.put((lab, trio.lowlevel.current_trio_token(), stop))
            await stop.wait()

    def run() -> None:
        try:
            trio.run(serve)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits, which raises it
            started.put(error)

    thread = threading.Thread(target=run, name="demo-lab")
    thread.start()
    found = started.get()
    if isinstance(found, BaseException):
        raise found
    lab, token, stop = found
    try:
        yield lab
    finally:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(stop.set)
        thread.join()
        if not started.empty() and isinstance(failed := started.get(), BaseException):
            raise failed

"""How far a scan has come, on stderr: a bar on a terminal, a plain line now and then elsewhere, nothing with -q."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from audits.tables import duration

PLAIN_EVERY_S = 30.0
"""Between two plain lines: enough for a log, too few to fill it."""


class Meter:
    """Counts finished domains; told by the scan, shown by `shown_progress`."""

    def __init__(self, done: int, total: int) -> None:
        self.done = self.before = done
        self.total = total
        self.started = trio.current_time()

    def add(self, count: int) -> None:
        self.done += count

    @property
    def elapsed_s(self) -> float:
        return trio.current_time() - self.started

    @property
    def rate(self) -> float:
        """Domains a second, those of an earlier sitting left out."""
        return (self.done - self.before) / max(self.elapsed_s, 0.001)

    def line(self) -> str:
        """One plain line: how many, how fast, how long still."""
        left = f", {duration((self.total - self.done) / self.rate)} left" if self.rate else ""
        return f"{self.done} of {self.total} domains, {self.rate:.1f} a second{left}"


async def plain_progress(meter: Meter) -> None:
    """Writes a line every half minute until it is cancelled."""
    while True:
        await trio.sleep(PLAIN_EVERY_S)
        print(meter.line(), file=sys.stderr, flush=True)


async def bar_progress(meter: Meter, progress: Progress) -> None:
    """Moves the bar until it is cancelled."""
    task = progress.add_task("domains", total=meter.total, completed=meter.done, rate=0.0)
    while True:
        await trio.sleep(0.2)
        progress.update(task, completed=meter.done, rate=meter.rate)


@contextmanager
def shown_progress(nursery: trio.Nursery, meter: Meter, quiet: bool) -> Iterator[None]:
    """Shows the meter while the block runs, in the way that fits stderr."""
    if quiet:
        yield
    elif sys.stderr.isatty():
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = (TextColumn("{task.fields[rate]:.1f}/s"), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, *times, console=console, transient=True) as progress:
            nursery.start_soon(bar_progress, meter, progress)
            yield
    else:
        nursery.start_soon(plain_progress, meter)
        yield

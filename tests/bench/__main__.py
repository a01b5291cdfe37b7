"""`make bench`: how fast and how large a scan of a long list is. A table on stdout, with --write also in data/."""

import argparse
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from tests.bench.scan_lines import HOSTS, Bench, Measured, bench
from tests.loopback_world import ROOT

TABLE = ROOT / "data" / "bench-scan-million.md"
LIBRARIES = ("trio", "dnspython", "pyOpenSSL", "cryptography", "msgspec", "SQLAlchemy")
COLUMNS = (
    "lines", "domains/s and core", "CPU s (user + system)", "wall s", "peak MB", "MB at each quarter", "store MB",
    "DNS queries", "connections",
)  # fmt: skip


class Task(Struct, frozen=True):
    """What is asked of each domain, and for lists of which lengths that is measured."""

    title: str
    options: tuple[str, ...]
    lines: tuple[int, ...]


GRADE = Task("The grade alone", ("--ports", "25", "--no-policy"), (10_000, 100_000, 1_000_000))
ALL = Task("Submission ports and published policy too", (), (10_000, 100_000))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--most", type=int, default=100_000, help="lines of the longest list (%(default)s)")
    parser.add_argument(
        "--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}; goes with --most 1000000"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tlsaudit-bench-") as folder, bench(Path(folder)) as running:
        parts = [part(running, task, chosen.most) for task in (GRADE, ALL)]
    text = "\n".join([*head(), *parts])
    print(text)
    if chosen.write:
        TABLE.write_text(text)


def head() -> Sequence[str]:
    """Under which circumstances was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        "# How fast and how large a scan is",
        "",
        f"`tlsaudit scan --depth policy` of domains that share {HOSTS} healthy hosts, each probed once; every domain",
        "has an MX record of its own. Servers and DNS run on loopback in other processes; CPU time and memory are",
        "those of the scan alone. Made by `python -m tests.bench --most 1000000 --write`.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}, {versions}.",
        "",
    )


def part(running: Bench, task: Task, most: int) -> str:
    """The table of one task."""
    rows = []
    for lines in task.lines:
        if lines <= most:
            rows.append(row(running.scan(lines, *task.options)))
            print(rows[-1], file=sys.stderr, flush=True)
    options = f" (`{' '.join(task.options)}`)" if task.options else ""
    return "\n".join(
        [f"## {task.title}{options}", "", f"| {' | '.join(COLUMNS)} |", "|---:" * len(COLUMNS) + "|", *rows, ""]
    )


def row(found: Measured) -> str:
    levels = ", ".join(f"{level:.0f}" for level in found.memory_at)
    return (
        f"| {found.lines:,} | {found.rate:,.0f} | {found.cpu_s:.0f} ({found.user_s:.0f} + {found.system_s:.0f}) "
        f"| {found.wall_s:.0f} | {found.memory_mb:.0f} | {levels} | {found.store_mb:.0f} | {found.queries:,} "
        f"| {found.connections:,} |"
    )


if __name__ == "__main__":
    main()

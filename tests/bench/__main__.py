"""`make bench`: how fast and how large a scan of a long list is. A table on stdout, with --write also in data/."""

import argparse
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.scan_lines import HOSTS, Measured, bench
from tests.loopback_world import ROOT

TABLE = ROOT / "data" / "bench-scan-million.md"
LIBRARIES = ("trio", "dnspython", "pyOpenSSL", "cryptography", "msgspec", "SQLAlchemy")

COLUMNS = (
    "lines", "domains/s and core", "CPU s (user + system)", "wall s", "peak MB", "MB at each quarter", "store MB",
    "connections",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--lines", default="10000,100000", help="sizes of the input, with commas (%(default)s)")
    parser.add_argument("--ports", default="25,465,587", help="--ports of the scan (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"also a million lines; write {TABLE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.lines.split(",")] + ([1_000_000] if chosen.write else [])
    with tempfile.TemporaryDirectory(prefix="tlsaudit-bench-") as folder, bench(Path(folder)) as running:
        found = []
        for size in sizes:
            found.append(running.scan(size, "--ports", chosen.ports))
            print(row(found[-1]), file=sys.stderr, flush=True)
    text = report(found, chosen.ports)
    print(text)
    if chosen.write:
        TABLE.write_text(text)


def report(found: Sequence[Measured], ports: str) -> str:
    """The table, and under which circumstances it was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    head = f"| {' | '.join(COLUMNS)} |"
    return "\n".join(
        [
            "# How fast and how large a scan is",
            "",
            f"`tlsaudit scan --depth policy --ports {ports}` of domains that share {HOSTS} healthy hosts, each probed",
            "once. Servers and DNS run on loopback in other processes; CPU time and memory are of the scan alone.",
            f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}, {versions}.",
            "",
            head,
            "|---:" * len(COLUMNS) + "|",
            *map(row, found),
            "",
        ]
    )


def row(found: Measured) -> str:
    levels = ", ".join(f"{level:.0f}" for level in found.memory_at)
    return (
        f"| {found.lines:,} | {found.rate:,.0f} | {found.cpu_s:.0f} ({found.user_s:.0f} + {found.system_s:.0f}) "
        f"| {found.wall_s:.0f} | {found.memory_mb:.0f} | {levels} | {found.store_mb:.0f} | {found.connections} |"
    )


if __name__ == "__main__":
    main()

"""`python -m tests.bench.amortised`: what a night with --full-every costs beside one that asks every server in full.

    python -m tests.bench.amortised [--servers 200] [--write]

Each of 200 healthy servers has a domain of its own. The first night is a full one; the next ask one server of seven in
full. Connections are what the servers counted. With --write the table goes to data/.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.scan_lines import Measured, bench
from tests.loopback_world import ROOT

TABLE = ROOT / "data" / "bench-amortised.md"
NIGHTS = 7
COLUMNS = ("night", "connections a server", "wall s", "CPU s (user + system)", "connections by the full night's")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.amortised", description=__doc__)
    parser.add_argument("--servers", type=int, default=200, help="servers, with a domain each (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    text = "\n".join([*head(chosen.servers), *map(row, *zip(*nights(chosen.servers), strict=True)), ""])
    print(text)
    if chosen.write:
        TABLE.write_text(text)


def nights(servers: int) -> list[tuple[str, Measured, Measured]]:
    """Each night with its name, and the full night that it is compared with."""
    options = ("--ports", "25", "--no-policy", "--provider-jobs", "50", "--full-every", str(NIGHTS))
    measured = []
    with tempfile.TemporaryDirectory(prefix="tlsaudit-bench-") as folder, bench(Path(folder), servers) as running:
        for depth in ("standard", "full"):
            asked = (*options, "--depth", depth)
            first = running.scan(servers, *asked)
            second = running.scan(servers, *asked, another_night=True)
            measured += [(f"{depth}, all in full", first, first), (f"{depth}, --full-every {NIGHTS}", second, first)]
    return measured


def row(name: str, measured: Measured, full: Measured) -> str:
    """One line of the table."""
    share = measured.connections / full.connections
    each = measured.connections / measured.lines
    return f"| {name} | {each:.1f} | {measured.wall_s:.1f} | {measured.cpu_s:.1f} | {share:.0%} |"


def head(servers: int) -> Sequence[str]:
    """Under which circumstances was measured."""
    return (
        "# What an amortised night costs",
        "",
        f"`tlsaudit scan` of {servers} healthy servers on loopback (TLS 1.2 and 1.3, one certificate), `--interval 0`.",
        f"In the amortised night one server of {NIGHTS} is asked in full, the others are confirmed. Processor time is",
        "that of the scan alone. Made by `python -m tests.bench.amortised --write`.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, tlsaudit {version('tlsaudit')}, Python {platform.python_version()}, "
        f"{platform.machine()}, load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors when it ended.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + " --- |" * len(COLUMNS),
    )


if __name__ == "__main__":
    main()

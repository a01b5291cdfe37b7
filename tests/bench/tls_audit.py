"""`python -m tests.bench.tls_audit`: our full audit beside nmap, sslscan and sslyze on the same real mail servers.

    python -m tests.bench.tls_audit [--servers 50] [--many 500] [--round-trips 0 50] [--tools nmap sslyze] [--write]

The servers are one Postfix with an address for each, in namespaces of their own (root on Linux); connections are
counted by a forwarder, which in a second round adds 25 ms to each way. For many servers ten addresses lead to each: a
Postfix with 500 listeners is slow to come up, and for our memory an address is a server. With --write the table goes
to data/.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.lab.enumeration_lab import EnumerationLab, endpoints, enumeration_lab
from tests.lab.namespace import NotApart, require_own_namespaces
from tests.lab.postfix_states import tls
from tests.loopback_world import ROOT

from .audit_tools import Used, nmap, sslscan, sslyze, version_of

TABLE = ROOT / "data" / "bench-tls-audit.md"
TOOLS: dict[str, Callable[[Sequence[str], Path], Used]] = {"nmap": nmap, "sslscan": sslscan, "sslyze": sslyze}
ROUND_TRIPS_MS = (0, 50)
MANY = 500
MEMORY_GOAL_MB = 120
FURTHER_QUESTIONS = 6
"""Versions that the floor has one refusal for."""
OUTSIDE = "TLSAUDIT_BENCH_NAMESPACES"

INTRODUCTION = """\
Every tool was sent to the same addresses of a stock Postfix with one RSA certificate, through a forwarder on
loopback that counts connections and, in the second round, adds half of the round trip to each way. CPU time (user
and system) and memory are of the tool alone, as the kernel tells (wait4). `pairs` are the pairs of version and suite
that it reported; depth standard does not look for all of them. tlsaudit ran with `--interval 0`, one connection at
a time to each address, the others as they do by themselves: nmap opens several. sslscan takes one address after the
other, so it ran ten times at once, and its memory is that of ten. sslyze was asked for certificates, suites, curves,
resumption, renegotiation, compression, fallback and extended master secret. `tlsaudit start` is a scan of one
server at depth policy: nearly all of it is the start of the program. Of 500 servers ten addresses each lead to the
same Postfix."""


class Row(Struct, frozen=True):
    """One tool in one round: what it needed for each server, and in all."""

    tool: str
    servers: int
    round_trip_ms: int
    connections: int
    used: Used

    def cells(self) -> list[str]:
        used = self.used
        return [
            self.tool,
            f"{self.servers}",
            f"{self.round_trip_ms}",
            f"{self.connections / self.servers:.1f}",
            f"{used.answers / self.servers:.1f}",
            f"{1000 * used.cpu_s / self.servers:.0f}",
            f"{used.wall_s:.1f}",
            f"{used.memory_mb:.0f}",
        ]


COLUMNS = (
    "tool", "servers", "round trip ms", "connections a server", "pairs a server", "CPU ms a server", "wall s", "peak MB"
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.tls_audit", description=__doc__)
    parser.add_argument("--servers", type=int, default=50, help="servers that all tools are sent to (%(default)s)")
    parser.add_argument("--many", type=int, default=500, help="servers for our memory, 0 for none (%(default)s)")
    parser.add_argument("--round-trips", type=int, nargs="+", default=ROUND_TRIPS_MS, help="in ms (%(default)s)")
    parser.add_argument("--tools", nargs="*", default=list(TOOLS), choices=list(TOOLS), help="beside ours (all)")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    enter_namespaces()
    found = [row for trip_ms in chosen.round_trips for row in compared(chosen.servers, trip_ms, chosen.tools)]
    if chosen.many:
        found.append(alone(chosen.many))
    text = report(found)
    print(text)
    if chosen.write:
        TABLE.write_text(text)


def enter_namespaces() -> None:
    """Start again inside namespaces of our own, unless we are there; the outer process waits, as the lab demands.

    Python programs compile themselves once, as when they are installed.
    """
    try:
        require_own_namespaces()
    except NotApart:
        if os.geteuid() != 0 or OUTSIDE in os.environ:
            sys.exit("left out: the TLS audits (they need root on Linux, for namespaces of their own)")
        command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-m", __spec__.name]
        with tempfile.TemporaryDirectory() as cache:
            compiled = {OUTSIDE: "yes", "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
            done = subprocess.run([*command, *sys.argv[1:]], env={**os.environ, **compiled}, check=False, cwd=ROOT)
        sys.exit(done.returncode)


def compared(servers: int, round_trip_ms: int, tools: Sequence[str]) -> list[Row]:
    """All tools on the same servers, one after the other."""
    states = [tls(f"mx{number}") for number in range(1, servers + 1)]
    with enumeration_lab(states, delay_s=round_trip_ms / 2000) as lab:
        lab.scan(list(lab.servers)[:1], "--depth", "full")
        rows = [] if round_trip_ms else [ours(lab, 0, "policy", 1)]
        rows += [ours(lab, round_trip_ms, depth, servers) for depth in ("full", "standard")]
        addresses = [server.address for server in lab.servers.values()]
        for name, tool in ((name, TOOLS[name]) for name in tools):
            if not version_of(name):
                print(f"{name} is not installed: left out", file=sys.stderr)
                continue
            before = lab.connections().total()
            used = tool(addresses, lab.folder)
            rows.append(Row(name, servers, round_trip_ms, lab.connections().total() - before, used))
            print(*rows[-1].cells(), sep=" | ", file=sys.stderr, flush=True)
    return rows


def alone(servers: int) -> Row:
    """Ours with many addresses, for its memory; ten of them lead to each server."""
    with enumeration_lab([tls(f"mx{number}") for number in range(1, servers // 10 + 1)], names=10) as lab:
        return ours(lab, 0, "full", len(lab.servers))


def ours(lab: EnumerationLab, round_trip_ms: int, depth: str, servers: int) -> Row:
    before = lab.connections().total()
    with lab.scanning(list(lab.servers)[:servers], "--depth", depth, "-q") as scan:
        pass
    reports = endpoints(scan)
    asked = [] if depth == "policy" else reports.values()
    pairs = sum(len(suites) for report in asked for suites in report["suites"].values())
    used = Used(scan.processor_seconds, scan.seconds, scan.megabytes, pairs)
    seen = lab.connections().total() - before
    row = Row(f"tlsaudit {'start' if depth == 'policy' else depth}", servers, round_trip_ms, seen, used)
    print(*row.cells(), sep=" | ", file=sys.stderr, flush=True)
    if depth == "full":
        print(hello_budget(reports), file=sys.stderr)
        incomplete = [name for name, report in reports.items() if not report["tls"]["complete"]]
        assert not incomplete, incomplete
    return row


def hello_budget(reports: dict[str, dict[str, Any]]) -> str:
    """Our hellos for each server beside the floor: pairs, and one refusal for each version; then the groups."""
    tls_facts = [report["tls"] for report in reports.values()]
    versions = [version for facts in tls_facts for version in facts["versions"]]
    pairs = sum(len(version["suites"]) for version in versions)
    groups = sum(len(version["groups"]) for version in versions)
    hellos = sum(facts["connections"] for facts in tls_facts)
    count = len(reports)
    floor = pairs / count + FURTHER_QUESTIONS
    return f"hellos {hellos / count:.1f} a server, floor {floor:.1f}, groups {groups / count:.1f}"


def report(found: Sequence[Row]) -> str:
    """The table, and under which circumstances it was measured."""
    versions = ", ".join(f"{tool} {version_of(tool) or 'missing'}" for tool in ("tlsaudit", *TOOLS))
    return "\n".join(
        [
            "# What a TLS audit of mail servers costs",
            "",
            INTRODUCTION,
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python",
            f"{platform.python_version()}, {versions}. Load at the end: {os.getloadavg()[1]:.1f} in five minutes; on a",
            "machine that does other work CPU time grows for all tools, and wall time says little.",
            "",
            f"| {' | '.join(COLUMNS)} |",
            "|---" + "|---:" * (len(COLUMNS) - 1) + "|",
            *(f"| {' | '.join(row.cells())} |" for row in found),
            "",
            "Goals for the full audit:",
            "",
            *(f"- {goal}" for goal in goals(found)),
            "",
        ]
    )


def goals(found: Sequence[Row]) -> list[str]:
    """What we aim at, and what came of it; a tool that is missing cannot be compared with."""
    rows = {(row.tool, row.round_trip_ms): row for row in found if row.servers < MANY}
    near, far = ROUND_TRIPS_MS
    ours_near, ours_far = rows.get(("tlsaudit full", near)), rows.get(("tlsaudit full", far))
    said = []
    if ours_near and (sslyze_row := rows.get(("sslyze", near))):
        ratio = sslyze_row.used.cpu_s / ours_near.used.cpu_s
        said.append(f"CPU 20 times below sslyze: {met(ratio >= 20)}, {ratio:.1f} times")
    if ours_near and (nmap_near := rows.get(("nmap", near))):
        ratio = ours_near.used.cpu_s / nmap_near.used.cpu_s
        said.append(f"CPU below nmap: {met(ratio < 1)}, {ratio:.2f} of it")
    if ours_far and (nmap_far := rows.get(("nmap", far))):
        ratio = ours_far.used.wall_s / nmap_far.used.wall_s
        said.append(f"wall time with a round trip of 50 ms below nmap: {met(ratio < 1)}, {ratio:.2f} of it")
    if found[-1].servers >= MANY:
        memory = found[-1].used.memory_mb
        said.append(f"at most {MEMORY_GOAL_MB} MB for {MANY} servers: {met(memory <= MEMORY_GOAL_MB)}, {memory:.0f} MB")
    return said


def met(yes: bool) -> str:
    return "met" if yes else "missed"


if __name__ == "__main__":
    main()

"""`python -m tests.bench.run_diff`: what `tlsaudit diff` of two long runs costs, and what a night adds to a store.

    python -m tests.bench.run_diff [--most 100000] [--write]

A real scan at depth standard gives the records; a store is filled with as many domains of that shape, four nights of
them, of which the last changes none, some, or all. The diff runs in a process of its own, as a user starts it. With
--write the table goes to data/.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from audits.store import DomainResult, RunStart, Store
from scanner.facts import Target
from tests.bench.scan_lines import Bench, bench, watched
from tests.loopback_world import ROOT

TABLE = ROOT / "data" / "bench-diff.md"
NIGHTS = 4
"""The two that are compared, and those before them that the diff looks back to."""
BATCH = 500
POLL_S = 0.02
SHARES = {"no domain": 0.0, "3 % of the domains": 0.03, "every domain": 1.0}
COLUMNS = (
    "domains",
    "changed",
    "wall s",
    "CPU s",
    "peak MB",
    "changes told",
    "bytes a domain and night",
    "prune CPU s",
)


class Used(Struct, frozen=True):
    """What one diff took."""

    wall_s: float
    cpu_s: float
    memory_mb: float
    told: int


def template(running: Bench) -> DomainResult:
    """One domain as a scan at depth standard leaves it."""
    running.scan(1, "--ports", "25", "--depth", "standard")
    with Store.open(running.world.folder / "bench.db") as store:
        return next(store.domains(store.run("latest").id))


def night(store: Store, number: int, shape: DomainResult, domains: int, share: float = 0.0) -> int:
    """One run of so many domains of one shape, of which that share has a new certificate."""
    names = [f"d{place:07}.example" for place in range(domains)]
    start = RunStart(started=datetime.now(UTC) + timedelta(days=number - NIGHTS), input_digest="bench")
    run = store.begin_run(start, (Target(name, name) for name in names))
    results = of_night(shape, names, int(domains * share))
    while batch := list(islice(results, BATCH)):
        store.save(run.id, batch)
    return store.finish_run(run.id, start.started + timedelta(hours=1)).id


def used_bytes(store: Store) -> int:
    space = store.space()
    return space.whole_bytes - space.free_bytes


def of_night(shape: DomainResult, names: Sequence[str], renewed: int) -> Iterator[DomainResult]:
    """The results of one night; evenly spread over the list, so many domains have a new certificate."""
    name = shape.facts.target.name
    leaf = msgspec.json.decode(shape.judgement)["endpoints"][0]["leaf"]["sha256"]
    exchanged = shape.judgement.replace(leaf.encode(), b"ab" * 32)
    step = len(names) / renewed if renewed else 0
    new = {int(place * step) for place in range(renewed)}
    for seq, entry in enumerate(names, 1):
        judgement = exchanged if seq - 1 in new else shape.judgement
        facts = msgspec.structs.replace(shape.facts, target=Target(entry, entry))
        yield DomainResult(seq, facts, shape.grade, judgement.replace(name.encode(), entry.encode()))


def diffed(store: Path) -> Used:
    """One `tlsaudit diff` of the last two nights."""
    command = [sys.executable, "-m", "audits.cli", "diff", "--format", "csv", "--store", str(store)]
    output = store.with_suffix(".csv")
    began = time.monotonic()
    with output.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream)
        _, peak_mb = watched(process.pid, POLL_S)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"diff ended with {process.returncode}")
    wall = time.monotonic() - began
    told = len(output.read_bytes().splitlines()) - 1
    return Used(wall, used.ru_utime + used.ru_stime, peak_mb, told)


def rows(path: Path, shape: DomainResult, domains: int) -> Iterator[str]:
    """Three quiet nights; then for each share a fourth, which is compared with the third and taken out again."""
    with Store.open(path, writing=True) as store:
        for number in range(NIGHTS - 1):
            night(store, number, shape, domains)
        for title, share in SHARES.items():
            before = used_bytes(store)
            run = night(store, NIGHTS - 1, shape, domains, share)
            a_domain = (used_bytes(store) - before) / domains
            used = diffed(path)
            began = time.process_time()
            store.prune([run])
            yield row(domains, title, used, a_domain, time.process_time() - began)


def row(domains: int, title: str, used: Used, a_domain: float, prune_s: float) -> str:
    return (
        f"| {domains:,} | {title} | {used.wall_s:.1f} | {used.cpu_s:.1f} | {used.memory_mb:.0f} "
        f"| {used.told:,} | {a_domain:,.0f} | {prune_s:.1f} |"
    )


def head(shape: DomainResult) -> Sequence[str]:
    return (
        "# What a diff of two runs costs",
        "",
        "`tlsaudit diff --format csv` of two runs, with two earlier ones in the store. Each domain has one endpoint,",
        f"seen at depth standard: a judgement of {len(shape.judgement):,} bytes. What changed is its certificate. Then",
        "what the last night added to the store, for each domain (endpoints are shared), and the processor time in",
        "which that night was pruned. Made by `python -m tests.bench.run_diff --write`.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---:" * len(COLUMNS) + "|",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run_diff", description=__doc__)
    parser.add_argument("--most", type=int, default=100_000, help="domains of the longest run (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tlsaudit-bench-") as name:
        with bench(Path(name), 1) as running:
            shape = template(running)
        lines = list(head(shape))
        for domains in sorted({min(10_000, chosen.most), chosen.most}):
            for line in rows(Path(name) / f"{domains}.db", shape, domains):
                print(line, file=sys.stderr, flush=True)
                lines.append(line)
    text = "\n".join([*lines, ""])
    print(text)
    if chosen.write:
        TABLE.write_text(text)


if __name__ == "__main__":
    main()

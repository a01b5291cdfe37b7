"""tlsaudit as a user starts it, in a process of its own, with what it said and what it used."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .laboratory import Laboratory
from .processes import DIES_WITH_US

ROOT = Path(__file__).parents[2]


class Scan:
    """A scan that runs beside the test; a class because its results come when it has ended."""

    def __init__(self, command: Sequence[str], output: Path, errors: Path) -> None:
        self.output, self.errors = output, errors
        self.began = time.monotonic()
        with errors.open("wb") as log:
            whole = [*DIES_WITH_US, *command]
            self.process = subprocess.Popen(whole, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT)
        self.reports: dict[str, dict[str, Any]] = {}
        self.seconds = self.megabytes = self.processor_seconds = 0.0

    def finish(self) -> None:
        """Wait for the end; read the results and the resources used (wait4)."""
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        assert self.process.returncode == 0, self.errors.read_text(errors="replace")[-2000:]
        self.seconds = time.monotonic() - self.began
        self.megabytes = used.ru_maxrss / 1024
        self.processor_seconds = used.ru_utime + used.ru_stime
        self.reports = {report["domain"]: report for report in map(json.loads, self.output.read_text().splitlines())}


@contextmanager
def scanning(lab: Laboratory, name: str, domains: Sequence[str], *more: str) -> Iterator[Scan]:
    """Scan the domains while the block runs; the results are there when it has ended."""
    targets, output = lab.folder / f"{name}.txt", lab.folder / f"{name}.jsonl"
    targets.write_text("".join(f"{domain}\n" for domain in domains))
    options = f"--envelope --depth policy --format jsonl --ports 25 --interval 0 --resolver {lab.resolver}:53"
    options += " --allow-private --no-system-trust --max-inconclusive 100"
    command = [sys.executable, "-m", "audits.cli", "scan", *options.split()]
    command += ["--cafile", str(lab.trust_anchor), "--store", str(targets.with_suffix(".db"))]
    command += ["--ehlo", "scanner.sender.test", "--output", str(output), *more, str(targets)]
    scan = Scan(command, output, targets.with_suffix(".err"))
    try:
        yield scan
    except BaseException:
        scan.process.kill()
        scan.process.wait()
        raise
    scan.finish()

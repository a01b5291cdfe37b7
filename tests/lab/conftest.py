"""The lab for the tests: started once, asked once by the real Postfix and once by tlsaudit."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from .comparison import Case
from .laboratory import Laboratory, laboratory
from .outcomes import Key, Outcome, receipts
from .sender import send_to_all

ROOT = Path(__file__).parents[2]
SCAN_LIMIT_S = 300


class Asked(Struct, frozen=True):
    """What both said about every domain, and how each message arrived."""

    deliveries: dict[str, dict[str, Outcome]]
    reports: dict[str, dict[str, Any]]
    arrivals: dict[Key, str]

    def case(self, domain: str) -> Case:
        return Case(domain, self.reports[domain], self.deliveries[domain])


@pytest.fixture(scope="session")
def lab() -> Iterator[Laboratory]:
    with laboratory() as running:
        yield running


@pytest.fixture(scope="session")
def asked(lab: Laboratory) -> Asked:
    """Both at the same time: each waits for the other's servers far more than it works."""
    targets = lab.folder / "domains.txt"
    targets.write_text("".join(f"{domain}\n" for domain in lab.domains))
    output, errors = lab.folder / "scan.jsonl", lab.folder / "scan.err"
    with errors.open("w") as log, subprocess.Popen(scan_command(lab, targets, output), stderr=log, cwd=ROOT) as scan:
        deliveries = send_to_all(lab.domains, lab.sender_log)
        scan.wait(SCAN_LIMIT_S)
    assert scan.returncode == 0, errors.read_text(errors="replace")[-4000:]
    reports = {report["domain"]: report for report in map(json.loads, output.read_text().splitlines())}
    return Asked(deliveries, reports, receipts(lab.receiver_logs))


def scan_command(lab: Laboratory, targets: Path, output: Path) -> list[str]:
    """tlsaudit as a user starts it; the lab's root is all it trusts."""
    options = f"--format jsonl --allow-private --ports 25 --interval 0 --resolver {lab.resolver}:53 --no-system-trust"
    command = [sys.executable, "-m", "audits.cli", "scan", "--envelope", *options.split(), "--max-inconclusive", "100"]
    command += ["--cafile", str(lab.trust_anchor), "--store", str(targets.with_suffix(".db"))]
    return [*command, "--ehlo", "scanner.sender.test", "--output", str(output), str(targets)]

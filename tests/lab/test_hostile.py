"""Hostile servers: right or open, never a false no, in bounded time and memory."""

from typing import Any

import pytest

from .hostile_states import BREAKS_TLS, CANNOT_BE_KNOWN, SUSTAINS_ALL
from .laboratory import Laboratory
from .scanning import Scan, scanning
from .sender import LEVELS

pytestmark = pytest.mark.lab
TIME_LIMIT_S = 200.0
"""Three connections that each use up the 30 s of a step, with room for a slow machine; one is cut at 120 s."""
MEMORY_LIMIT_MB = 180.0
"""The program alone needs about 60; each of these servers may fill the buffers of one connection."""


@pytest.fixture(scope="module")
def scan(lab: Laboratory) -> Scan:
    domains = [state.domain for state in (*SUSTAINS_ALL, *CANNOT_BE_KNOWN, *BREAKS_TLS)]
    with scanning(lab, "hostile", domains) as running:
        pass
    print(
        f"hostile servers: {len(domains)} in {running.seconds:.0f} s, {running.processor_seconds:.1f} s of processor, "
        f"{running.megabytes:.0f} MB at most"
    )
    return running


@pytest.mark.parametrize("domain", [state.domain for state in SUSTAINS_ALL])
def test_right_or_open(scan: Scan, domain: str) -> None:
    report = scan.reports[domain]
    print(domain, report["grade"], report["sustained"], report["unknown"], report["binding"])
    assert report["grade"] in {"MUST", "INCONCLUSIVE"}
    assert nothing_denied(report) == []


@pytest.mark.parametrize("domain", [state.domain for state in CANNOT_BE_KNOWN])
def test_open(scan: Scan, domain: str) -> None:
    report = scan.reports[domain]
    print(domain, report["grade"], report["sustained"], report["unknown"], report["binding"])
    assert report["grade"] == "INCONCLUSIVE"
    assert nothing_denied(report) == []
    assert [each["starttls"] for each in report["endpoints"]] != ["no"]


@pytest.mark.parametrize("domain", [state.domain for state in BREAKS_TLS])
def test_no_tls(scan: Scan, domain: str) -> None:
    report = scan.reports[domain]
    assert report["grade"] in {"MAY", "INCONCLUSIVE"}
    assert {"NONE", "MAY"} <= {*report["sustained"], *report["unknown"]}


def nothing_denied(report: dict[str, Any]) -> list[str]:
    """The levels that are said not to be sustained, by a server that took part in the dialogue at all."""
    if not report["coverage"]["answered"]:
        return []
    known = {*report["sustained"], *report["unknown"]}
    return [level for level in LEVELS if level not in known]


def test_bounded(scan: Scan) -> None:
    assert scan.seconds < TIME_LIMIT_S
    assert scan.megabytes < MEMORY_LIMIT_MB

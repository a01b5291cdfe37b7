"""Servers that throttle: nothing false at any depth, the grade right; and with patience everything."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from msgspec import Struct

from .enumeration_lab import endpoints, enumeration_lab
from .soundness import false_statements, open_answers
from .throttled_states import MAIN, THROTTLED, TWINS, WAYS

pytestmark = pytest.mark.lab
CASES = [(kind, way) for kind in TWINS for way in WAYS]
PATIENT = [(kind, way) for kind, way in CASES if way.startswith("patient")]


class Throttled(Struct, frozen=True):
    """What each way of asking says of each server, the truth about the twins, and what the forwarder saw."""

    reports: dict[str, dict[str, Any]]
    truth: dict[str, dict[str, Any]]
    seen: Counter[str]

    def pair(self, kind: str, way: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A report, and the truth for it: as deep as it was asked."""
        twin = TWINS[kind] + ("-standard" if way.endswith("standard") else "")
        return self.reports[f"{kind}-{way}"], self.truth[twin]


@pytest.fixture(scope="module")
def throttled() -> Iterator[Throttled]:
    """The twins are asked first; then all the others at the same time, each with connections of its own to count."""
    with enumeration_lab(THROTTLED, MAIN) as lab:
        twins = sorted(set(TWINS.values()))
        truth = lab.scan(twins, "--depth", "full")
        truth |= {f"{name}-standard": report for name, report in lab.scan(twins, "--depth", "standard").items()}
        before = lab.connections()
        with ExitStack() as stack:
            ways = WAYS.items()
            scans = [stack.enter_context(lab.scanning([f"{kind}-{way}" for kind in TWINS], *how)) for way, how in ways]
        reports = {name: report for scan in scans for name, report in endpoints(scan).items()}
        yield Throttled(reports, truth, lab.connections() - before)


@pytest.mark.parametrize("name", sorted(set(TWINS.values())))
def test_twins_are_known(throttled: Throttled, name: str) -> None:
    truth = throttled.truth[name]
    assert truth["grade"] == "MUST"
    assert truth["tls"]["complete"]
    assert false_statements(throttled.truth[f"{name}-standard"], truth) == []


@pytest.mark.parametrize(("kind", "way"), CASES)
def test_nothing_false(throttled: Throttled, kind: str, way: str) -> None:
    report, _ = throttled.pair(kind, way)
    tls = report["tls"]
    answered = f"{tls['connections']} hellos, complete: {tls['complete']}, {tls['failures'][-1:]}" if tls else ""
    print(f"{kind}-{way}: {report['grade']}, {report['connections']} connections, {answered}")
    assert false_statements(report, throttled.truth[TWINS[kind]]) == []


@pytest.mark.parametrize(("kind", "way"), CASES)
def test_grade_and_count(throttled: Throttled, kind: str, way: str) -> None:
    report, truth = throttled.pair(kind, way)
    assert report["grade"] == truth["grade"]
    assert report["connections"] == throttled.seen[f"{kind}-{way}"]


@pytest.mark.parametrize(("kind", "way"), PATIENT)
def test_patience_answers_everything(throttled: Throttled, kind: str, way: str) -> None:
    report, truth = throttled.pair(kind, way)
    assert list(open_answers(report["tls"], truth["tls"])) == []
    if way == "patient-full":
        assert {v: set(s) for v, s in report["suites"].items()} == {v: set(s) for v, s in truth["suites"].items()}
        assert report["suites_complete"] == truth["suites_complete"]


@pytest.mark.parametrize("way", ["standard", "full"])
def test_the_limit_was_felt(throttled: Throttled, way: str) -> None:
    """Else the tests above would say nothing: without patience the limited server leaves questions open."""
    report, _ = throttled.pair("anvil", way)
    assert not report["tls"]["complete"]
    assert report["tls"]["failures"]

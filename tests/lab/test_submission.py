"""Submission ports of real servers: judged for themselves, found by SRV records too, without influence on the grade."""

from typing import Any

import pytest

from .laboratory import Laboratory
from .scanning import Scan, scanning

pytestmark = pytest.mark.lab
DOMAINS = (
    "submission-good.test",
    "submission-expired.test",
    "submission-587-only.test",
    "good-rsa.test",
    "dns-submission-by-srv.test",
)


@pytest.fixture(scope="module")
def scan(lab: Laboratory) -> Scan:
    with scanning(lab, "submission", DOMAINS, "--ports", "25,465,587") as running:
        pass
    return running


def services(report: dict[str, Any]) -> dict[tuple[str, int], Any]:
    """The submission services of a report, by host and port."""
    submission = [each for each in report["endpoints"] if each["use"] == "submission"]
    return {(each["mx_host"], each["port"]): each for each in submission}


@pytest.mark.parametrize(
    ("name", "implicit", "starttls"),
    [
        ("submission-good", ["MAY", "MUST_NOPEERMATCH", "MUST"], ["NONE", "MAY", "MUST_NOPEERMATCH", "MUST"]),
        ("submission-expired", ["MAY", "MUST_NOPEERMATCH"], ["NONE", "MAY", "MUST_NOPEERMATCH"]),
    ],
)
def test_both_ports(scan: Scan, name: str, implicit: list[str], starttls: list[str]) -> None:
    found = services(scan.reports[f"{name}.test"])
    host = f"mx.{name}.test"
    assert (found[host, 465]["state"], found[host, 587]["state"]) == ("ok", "ok")
    assert (found[host, 465]["sustained"], found[host, 587]["sustained"]) == (implicit, starttls)
    assert {each["connections"] for each in found.values()} == {1}


def test_closed_ports_leave_the_grade_alone(scan: Scan) -> None:
    half, none = scan.reports["submission-587-only.test"], scan.reports["good-rsa.test"]
    assert (half["grade"], none["grade"]) == ("MUST", "MUST")
    assert [each["state"] for each in services(half).values()] == ["closed", "ok"]
    assert [each["state"] for each in services(none).values()] == ["closed", "closed"]
    assert none["coverage"] == {**none["coverage"], "asked": 1, "answered": 1}


def test_named_by_srv(scan: Scan) -> None:
    found = services(scan.reports["dns-submission-by-srv.test"])
    assert found["mx.submission-good.test", 465]["state"] == "ok"
    assert scan.reports["dns-submission-by-srv.test"]["grade"] == "MUST"

"""Depth full against real servers: the exact pairs of version and suite, with hardly more connections than the floor.

The floor: each answer names one suite, so a version costs its suites and one refusal, and a version that is not there
one refusal. Beside it each group of a version costs one connection.
"""

from collections import Counter
from typing import Any

import pytest
from msgspec import Struct

from scanner.wire.registry import suite_name

from .enumeration_lab import EnumerationLab
from .enumeration_states import ENUMERATED, EXACT, NO_MAIL_SERVER, PREFERENCES
from .sslyze_oracle import sslyze_opinion

pytestmark = pytest.mark.lab
BEYOND_THE_FLOOR = 3
PLANNED_VERSIONS = 6


class Audited(Struct, frozen=True):
    """What one scan at depth full says of each server, and the connections that the forwarder saw meanwhile."""

    reports: dict[str, dict[str, Any]]
    seen: Counter[str]


@pytest.fixture(scope="module")
def audited(enumeration: EnumerationLab) -> Audited:
    before = enumeration.connections()
    reports = enumeration.scan([state.name for state in ENUMERATED], "--depth", "full")
    return Audited(reports, enumeration.connections() - before)


def pairs_of(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(version, suite) for version, suites in report["suites"].items() for suite in suites}


def true_pairs(enumeration: EnumerationLab, name: str) -> set[tuple[str, str]]:
    return {(version, suite_name(code)) for version, code in enumeration.servers[name].true_pairs}


@pytest.mark.parametrize("name", EXACT)
def test_pairs_are_the_truth(enumeration: EnumerationLab, audited: Audited, name: str) -> None:
    report = audited.reports[name]
    truth = true_pairs(enumeration, name)
    assert pairs_of(report) == truth
    assert set(report["suites_complete"].values()) == {True}
    assert report["tls"]["complete"]
    assert {version for version, fact in report["protocols"].items() if fact == "yes"} == {v for v, _ in truth}
    assert set(report["protocols"].values()) <= {"yes", "no"}


@pytest.mark.parametrize("name", [state.name for state in ENUMERATED])
def test_connections(audited: Audited, name: str) -> None:
    report = audited.reports[name]
    tls = report["tls"]
    accepted = [len(suites) for suites in report["suites"].values()]
    floor = sum(accepted) + PLANNED_VERSIONS
    groups = sum(len(version["groups"]) for version in tls["versions"])
    print(f"{name}: {sum(accepted)} pairs, floor {floor}, {groups} groups, {tls['connections']} hellos")
    assert tls["connections"] <= floor + groups + BEYOND_THE_FLOOR
    assert report["connections"] == audited.seen[name]


def test_connections_are_counted_at_every_depth(enumeration: EnumerationLab) -> None:
    for depth in ("policy", "standard"):
        before = enumeration.connections()
        reports = enumeration.scan(EXACT, "--depth", depth)
        seen = enumeration.connections() - before
        assert {name: report["connections"] for name, report in reports.items()} == dict(seen)
        print(depth, dict(seen))


@pytest.mark.parametrize("name", PREFERENCES)
def test_preference(audited: Audited, name: str) -> None:
    versions = {version["version"]: version for version in audited.reports[name]["tls"]["versions"]}
    assert versions["TLSv1.2"]["preference"] == PREFERENCES[name]


@pytest.mark.parametrize("name", EXACT)
def test_grade(audited: Audited, name: str) -> None:
    """`openssl s_server` takes no mail: what is open about it stays open."""
    assert audited.reports[name]["grade"] == ("INCONCLUSIVE" if name in NO_MAIL_SERVER else "MUST")


def test_hybrid_group(audited: Audited) -> None:
    hybrid = {name: report["tls"]["hybrid_group"] for name, report in audited.reports.items()}
    assert hybrid == {name: "yes" if name == "pyopenssl" else "no" for name in hybrid}


def test_both_chains(audited: Audited) -> None:
    for name in ("postfix-everything", "s-server"):
        chains = audited.reports[name]["tls"]["chains"]
        assert {chain["authentication"] for chain in chains} == {"RSA", "ECDSA"}


@pytest.mark.parametrize("name", EXACT)
def test_all_that_sslyze_finds_is_ours(enumeration: EnumerationLab, audited: Audited, name: str) -> None:
    """A suite that sslyze has tried in vain and we have seen accepted must be accepted by the independent truth."""
    server = enumeration.servers[name]
    theirs, ours = sslyze_opinion(server.state.host, server.behind), pairs_of(audited.reports[name])
    print(f"{name}: {len(theirs.accepted)} pairs by sslyze, {len(ours)} by us")
    for pair in sorted(ours - theirs.accepted):
        print(*pair, "refused to sslyze" if pair in theirs.refused else "not in the list of sslyze", sep=", ")
    assert theirs.accepted - ours == set()
    assert (ours & theirs.refused) <= true_pairs(enumeration, name)

"""A stored run as the facts of a simulation."""

from pathlib import Path

import msgspec
import pytest

from audits import simulate_run
from audits.simulate_run import StoredRun
from audits.store import DomainResult, Store
from scanner.facts import Endpoint, Target
from tests import stored_samples
from tests.audits.session_factory import MX
from tests.audits.simulate.scripted_world import domain, facts_at, server

FIRST, SECOND = facts_at(server()), facts_at(server(), address="192.0.2.2")
DOMAINS = [domain("one.example", (10, MX, FIRST)), domain("two.example", (10, MX, FIRST), (20, "mx2.example", SECOND))]


@pytest.fixture
def run(tmp_path: Path):
    with Store.open(tmp_path / "runs.db", writing=True) as store:
        begun = store.begin_run(stored_samples.start(), [facts.target for facts in DOMAINS])
        results = [DomainResult(at, facts, "MUST", b"{}") for at, facts in enumerate(DOMAINS, 1)]
        store.save(begun.id, results, [FIRST, SECOND])
        yield StoredRun(store, begun.id)


def test_domains_hosts_and_endpoints(run: StoredRun) -> None:
    assert [facts.target.name for facts in run.all_domains()] == ["one.example", "two.example"]
    found = run.domain("two.example")
    assert found is not None
    assert found.target == Target("two.example", "two.example")
    assert run.domain("gone.example") is None
    assert run.host("mx2.example") == DOMAINS[1].route.hosts[1]
    assert run.host("gone.example") is None
    nobody = Endpoint("192.0.2.9", 25)
    assert run.endpoints([FIRST.endpoint, nobody]).keys() == {FIRST.endpoint}
    assert msgspec.structs.replace(run.endpoints([FIRST.endpoint])[FIRST.endpoint], certificates=()) == (
        msgspec.structs.replace(FIRST, certificates=())
    )


def test_entries_in_their_order(run: StoredRun) -> None:
    found = list(run.these_domains(["two.example", "gone.example", "one.example"]))
    assert [(entry, facts is not None) for entry, facts in found] == [
        *(("two.example", True), ("gone.example", False), ("one.example", True))
    ]


def test_a_small_memory_changes_nothing(run: StoredRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate_run, "KEPT", 0)
    monkeypatch.setattr(simulate_run, "BATCH", 1)
    assert len(list(run.all_domains())) == 2
    assert len(run.endpoints([FIRST.endpoint, SECOND.endpoint])) == 2

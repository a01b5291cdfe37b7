"""The demo history: the same content each time, and exactly the events that its table of nights tells."""

from collections import Counter
from datetime import timedelta

import pytest

from audits.frames import open_history
from audits.store import Store
from tests.demo_history import demo_history, made

NIGHTS = 14
OWN = ("certificate-renewed",)
"""Renewals of self-hosted servers, which happen on most nights."""
EVENTS = {
    3: {"mx-new": 1},
    4: {"grade-down": 1},
    5: {"protocol-lost": 116},
    6: {"domain-new": 4},
    7: {"dane-broken": 40, "certificate-changed": 80},
    8: {"grade-up": 15, "mx-gone": 15, "mx-new": 30},
    9: {"dane-mended": 40, "tlsa-changed": 40, "mta-sts-changed": 6},
    10: {"grade-up": 1, "certificate-changed": 1, "domain-gone": 1},
    12: {"domain-new": 3},
    13: {"starttls-gained": 14, "grade-up": 14, "starttls-lost": 1, "grade-down": 1},
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return demo_history(tmp_path_factory)


def content(file):
    """All that a store says, whatever its pages look like."""
    with Store.open(file) as store:
        runs = store.runs()
        return runs, [(list(store.domains(run.id)), list(store.endpoints(run.id))) for run in runs]


def test_the_content_is_the_same_each_time(file, tmp_path):
    made(tmp_path / "again.db")
    assert content(tmp_path / "again.db") == content(file)


def test_the_diff_tells_exactly_the_events(file):
    with open_history(file) as history:
        names = list(history.runs()["run"])
        found = history.changes("all")
    assert len(names) == NIGHTS
    for night, name in enumerate(names):
        kinds = Counter(found["kind"][found["run"] == name])
        assert {kind: count for kind, count in kinds.items() if kind not in OWN} == EVENTS.get(night, {}), night


def test_operators_renew_for_all_their_customers(file):
    with open_history(file) as history:
        names = list(history.runs()["run"])
        renewed = [history.changes(name)["kind"].eq("certificate-renewed").sum() for name in names]
    assert [night for night, count in enumerate(renewed) if count > 50] == [4, 9]
    assert sum(0 < count <= 5 for count in renewed) >= 3


def test_lifetimes_shrink(file):
    with open_history(file) as history:
        names = list(history.runs()["run"])
        first, last = (
            history.certificates(name).query("role == 'leaf'")["lifetime_days"] for name in (names[0], names[-1])
        )
    assert {90, 365} <= set(first)
    assert {47, 199} <= set(last)
    assert set(first).isdisjoint({199})


def test_hybrid_groups_come_with_the_operator(file):
    with open_history(file) as history:
        names = list(history.runs()["run"])
        share = [history.endpoints(name).query("use == 'mail'")["hybrid_group"].eq("yes").mean() for name in names]
    assert share[5] < 0.1
    assert share[8] > 0.4


def test_names_are_fictitious_and_times_are_fixed(file):
    with open_history(file) as history:
        domains, runs = history.domains("all"), history.runs()
    assert domains["domain"].str.endswith(".example").all()
    assert set(runs["started"].diff().dropna()) == {timedelta(days=1)}


def test_a_list_of_partners_demands_must(file):
    with open_history(file) as history:
        tonight = history.domains()
    demanded = tonight[tonight["required"] == "MUST"]
    assert len(demanded) == 20
    assert set(demanded["compliant"].dropna()) == {True, False}

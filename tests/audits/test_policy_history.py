"""Two looks at one policy: the id must change with what senders act on."""

from datetime import UTC, datetime

import msgspec
import pytest

from audits.policy_history import drift
from audits.show import stored_domain
from audits.store import DomainResult, RunStart, Store
from scanner.facts import DomainFacts, MailRoute, RouteStatus, Target
from scanner.policy_facts import MtaStsFacts, PolicyFacts, StsMode, StsPolicy, StsRecord
from tests.audits.sample_records import record
from tests.audits.session_factory import GOOD, asked

POLICY = StsPolicy(StsMode.TESTING, 86400, ("mx.example.org", "mx2.example.org"))
ENFORCED = msgspec.structs.replace(POLICY, mode=StsMode.ENFORCE)


def look(policy: StsPolicy | None, number: str = "1") -> DomainFacts:
    sts = MtaStsFacts(StsRecord("", number), policy=policy)
    return DomainFacts(Target("example.org", "example.org"), MailRoute(RouteStatus.MX), policy=PolicyFacts((), sts))


@pytest.mark.parametrize(
    ("before", "now", "faults"),
    [
        (look(POLICY), look(POLICY), 0),
        (look(POLICY), look(ENFORCED), 1),
        (look(POLICY), look(msgspec.structs.replace(POLICY, mx=("mx.example.org",))), 1),
        (look(POLICY), look(msgspec.structs.replace(POLICY, max_age_s=1)), 1),
        (look(POLICY), look(msgspec.structs.replace(POLICY, mx=POLICY.mx[::-1], remarks=("x",))), 0),
        (look(POLICY), look(ENFORCED, "2"), 0),
        (look(None), look(POLICY), 0),
        (look(POLICY), look(StsPolicy(problem="bad")), 0),
        (DomainFacts(Target("a", "a"), MailRoute(RouteStatus.MX)), look(POLICY), 0),
    ],
)
def test_drift(before, now, faults):
    assert len(drift(before, now)) == faults


def test_show_compares_with_the_run_before(tmp_path):
    shown = record(asked(GOOD))
    with Store.open(tmp_path / "runs.db", writing=True) as store:
        for day, facts in enumerate((look(POLICY), look(ENFORCED)), 1):
            start = RunStart(started=datetime(2026, 11, day, tzinfo=UTC), input_digest="x", options=b"{}")
            run = store.begin_run(start, [facts.target])
            store.save(run.id, [DomainResult(1, facts, "MUST", msgspec.json.encode(shown))])
        found = stored_domain(store, "latest", "example.org")
    assert found
    assert "id 1 did not" in found.remarks[0]

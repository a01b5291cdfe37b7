"""Domains of a stored run: as they were judged, and judged anew."""

from datetime import UTC, datetime

import msgspec

from audits.judge import Judge
from audits.reports.judged import judged_domains
from audits.store import DomainResult, RunStart, Store
from audits.trust import TrustStore
from tests.audits.reports.report_factory import healthy, judged, world
from tests.certificate_factory import root


def test_a_stored_run_comes_back_as_it_was_and_is_judged_the_same_anew(tmp_path):
    given = [*judged({"a.example": healthy(0), "b.example": healthy(1)})]
    start = RunStart(
        started=datetime(2026, 11, 21, tzinfo=UTC), input_digest="d", options=b"{}", tool_version="1", trust_digest="t"
    )
    with Store.open(tmp_path / "s.db", writing=True) as store:
        run = store.begin_run(start, (domain.facts.target for domain in given))
        for domain in given:
            judgement = msgspec.json.encode(domain.record)
            pending = {p.target.entry: p.seq for p in store.pending_targets(run.id)}
            result = DomainResult(pending[domain.record.domain], domain.facts, domain.record.grade.value, judgement)
            store.save(run.id, (result,), domain.endpoints)
        assert [*judged_domains(store, run.id)] == given
        fresh = [*judged_domains(store, run.id, Judge(world()[0], 9, None))]
        assert [d.record.grade for d in fresh] == [d.record.grade for d in given]
        assert all(d.record.findings == () for d in fresh)
        distrust = [*judged_domains(store, run.id, Judge(TrustStore([root("Another CA").der]), 9, None))]
        assert {d.record.grade.value for d in distrust} == {"MUST_NOPEERMATCH"}

"""A store with one run of a few servers, and an evidence pack of it."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from audits.evidence.write import write_pack
from audits.store import DomainResult, RunInfo, RunStart, Store
from tests.audits.reports.report_factory import healthy, judged, world

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def filled_store(file: Path) -> tuple[Store, RunInfo]:
    """Two domains with a server each, and one that shares the first's."""
    given = [*judged({"a.example": healthy(0), "b.example": healthy(1), "c.example": healthy(0)})]
    trust = world()[0]
    begun = datetime(2026, 11, 21, tzinfo=UTC)
    start = RunStart(
        started=begun, input_digest="d", options=b'{"depth":"full"}', tool_version="1", trust_digest=trust.digest
    )
    store = Store.open(file, writing=True)
    run = store.begin_run(start, (domain.facts.target for domain in given))
    results = [
        DomainResult(pending.seq, domain.facts, domain.record.grade.value, msgspec.json.encode(domain.record))
        for pending, domain in zip([*store.pending_targets(run.id)], given, strict=True)
    ]
    store.save(run.id, results, [seen for domain in given for seen in domain.endpoints])
    return store, store.finish_run(run.id, NOW)


def pack(folder: Path) -> Path:
    store, run = filled_store(folder / "s.db")
    with store:
        write_pack(store, run, world()[0], folder / "pack", NOW)
    return folder / "pack"

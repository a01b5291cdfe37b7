"""Stores with runs, written as a scan writes them: what each domain's server answered in each run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from audits.grade import domain_verdict
from audits.records import domain_record
from audits.store import DomainResult, RunStart, Store
from scanner.facts import DomainFacts, EndpointRef, MailRoute, MxHost, RouteStatus, Target
from tests.audits.session_factory import GOOD, MX, Server, asked, distrusting, trusting

EXPIRED = "expired"
"""A good server whose certificate nobody trusts any more."""
Answer = Server | str


def started(number: int, of: int) -> datetime:
    """Runs a day apart, the newest an hour old."""
    return (datetime.now(UTC) - timedelta(days=of - 1 - number, hours=1)).replace(microsecond=0)


def write_runs(path: Path, runs: Sequence[Mapping[str, Answer]], finished: bool = True) -> Path:
    """A store with these runs, oldest first; each maps domains to what their one server answered."""
    with Store.open(path, writing=True) as store:
        for number, answers in enumerate(runs):
            begin = RunStart(started=started(number, len(runs)), input_digest=f"{number:064}")
            run = store.begin_run(begin, [Target(entry, entry) for entry in answers])
            for seq, (entry, answer) in enumerate(answers.items(), 1):
                result, seen = judged(seq, entry, answer, begin.started)
                store.save(run.id, [result], [seen])
            if finished or number + 1 < len(runs):
                store.finish_run(run.id, begin.started + timedelta(minutes=5))
    return path


def judged(seq, entry, answer, at):  # type: ignore[no-untyped-def]
    """One domain with one server at an address of its own, seen at that time."""
    server = GOOD if isinstance(answer, str) else answer
    seen = msgspec.structs.replace(asked(server, address=f"192.0.2.{seq}"), seen_at=at)
    leaf = msgspec.structs.replace(seen.certificates[0], not_after=at + timedelta(days=90))
    seen = msgspec.structs.replace(seen, certificates=(leaf, *seen.certificates[1:]))
    ref = EndpointRef(MX, 10, seen.endpoint)
    route = MailRoute(RouteStatus.MX, (MxHost(MX, 10, (seen.endpoint.address,)),))
    facts = DomainFacts(Target(entry, entry), route, (ref,))
    known = {seen.endpoint: seen}
    verdict = domain_verdict(facts, known, distrusting if answer == EXPIRED else trusting)
    record = domain_record(facts, known, verdict, entry)
    return DomainResult(seq, facts, verdict.grade, msgspec.json.encode(record)), seen

"""One domain of a run as reports take it: the record, and the facts of its endpoints."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from audits.records import DomainRecord
from scanner.facts import DomainFacts, EndpointFacts

if TYPE_CHECKING:
    from audits.judge import Judge
    from audits.store import Store

PAGE = 200
OTHER_CAS = (
    "The grades, reasons and remedies here were judged anew with other trusted CAs than those of the run, and may"
    " differ from what the scan found; to judge by its CAs, report with its --cafile, --capath and --no-system-trust."
)
"""What a page says of a run that was judged anew by another trust store."""


class JudgedDomain(msgspec.Struct, frozen=True):
    """A record with what it rests on."""

    record: DomainRecord
    facts: DomainFacts
    endpoints: tuple[EndpointFacts, ...]


def judged_domains(store: "Store", run: int, judge: "Judge | None" = None) -> Iterator[JudgedDomain]:
    """The domains of a run in the order of the input: as they were judged then, or anew by a judge."""
    results = store.domains(run)
    while page := list(islice(results, PAGE)):
        for result in page:
            seen = tuple(store.endpoints_of(run, result.facts.endpoints).values())
            if judge is None:
                record = msgspec.json.decode(result.judgement, type=DomainRecord)
            else:
                record = judge.record(result.facts, seen)
            yield JudgedDomain(record, result.facts, seen)

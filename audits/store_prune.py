"""Takes old runs out of a store, then the facts and certificates that no run uses any more; each step a transaction.

Killed at any moment the store holds whole runs with all their facts: a run goes in one transaction, and what nobody
uses any more goes afterwards, so that at worst it stays until the next time.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Select, delete, except_, func, select

from audits import stored_facts
from audits.store_results import in_parts
from audits.store_runs import RunInfo, RunStatus
from audits.store_schema import certificates, domain_results, endpoint_results, facts, runs, targets

DIFF_NEEDS = 4
"""Finished runs that always stay: the newest, and the three that `tlsaudit diff` looks back to."""
TOLD = "nightly-told"
"""The keys under which a store remembers the names of the runs that were told last begin so."""
_FACTS_AT_ONCE = 50_000
"""Contents taken out in one transaction: the log grows by about their size."""
_BY_PAGES = {"yield_per": 2_000}
"""Rows that are held in memory while many are read."""

Transaction = Callable[[], AbstractContextManager[Connection]]


class Pruned(msgspec.Struct, frozen=True):
    """How much went, or would go: rows, and the bytes of the contents as they were stored."""

    runs: int = 0
    domain_results: int = 0
    endpoint_results: int = 0
    facts: int = 0
    facts_bytes: int = 0
    certificates: int = 0
    certificates_bytes: int = 0


class Choice(msgspec.Struct, frozen=True):
    """Which runs go; of those old enough to go, which stay for the diff, and which because they never ended."""

    doomed: tuple[RunInfo, ...]
    for_diff: tuple[RunInfo, ...]
    unfinished: tuple[RunInfo, ...]


def chosen(
    known: Sequence[RunInfo],
    before: datetime,
    keep_runs: int = DIFF_NEEDS,
    *,
    unfinished: bool = False,
    told: Collection[str] = (),
) -> Choice:
    """The runs that began before a moment, but for the newest finished ones; unfinished ones only where wanted.

    Even then the newest run of all stays: it may be going on, or be resumed. `told` names runs that stay, too: those
    that a nightly run told last, with which its next one compares.
    """
    finished = [run for run in known if run.status is RunStatus.FINISHED]
    kept = {run.id for run in (*finished[-keep_runs:], *known[-1:])} | {run.id for run in known if run.name in told}
    old = [run for run in known if run.started < before]
    open_ = [run for run in old if run.status is not RunStatus.FINISHED and not (unfinished and run.id not in kept)]
    spared = [run for run in old if run.id in kept and run.status is RunStatus.FINISHED]
    going = [run for run in old if run not in open_ and run not in spared]
    return Choice(tuple(going), tuple(spared), tuple(open_))


def prune(writing: Transaction, unchecked: Transaction, doomed: Sequence[int]) -> Pruned:
    """Takes these runs out, and all that nobody uses then. `unchecked` writes without looking for broken references:

    for each content that goes that would be a search through all results, and what goes here no result refers to.
    """
    domains = endpoints = 0
    for run in doomed:
        with writing() as connection:
            domains += connection.execute(delete(domain_results).where(domain_results.c.run == run)).rowcount
            endpoints += connection.execute(delete(endpoint_results).where(endpoint_results.c.run == run)).rowcount
            connection.execute(delete(targets).where(targets.c.run == run))
            connection.execute(delete(runs).where(runs.c.id == run))
    gone_facts = sum_of(_swept_facts(unchecked))
    gone_certificates = sum_of(_swept_certificates(writing))
    return Pruned(len(doomed), domains, endpoints, *gone_facts, *gone_certificates)


def estimate(connection: Connection, doomed: Sequence[int]) -> Pruned:
    """What `prune` would take out."""
    domains, endpoints = (
        connection.scalar(select(func.count()).select_from(table).where(table.c.run.in_(doomed))) or 0
        for table in (domain_results, endpoint_results)
    )
    size = select(func.count(), func.coalesce(func.sum(func.length(facts.c.content)), 0))
    gone = connection.execute(size.where(facts.c.sha256.in_(_unused(doomed)))).one()
    used = _used_certificates(connection, doomed)
    going = [size for sha256, size in _certificate_sizes(connection) if sha256 not in used]
    return Pruned(len(doomed), domains, endpoints, int(gone[0]), int(gone[1]), len(going), sum(going))


def sum_of(counted: Iterator[tuple[int, int]]) -> tuple[int, int]:
    """The rows and bytes of all steps."""
    rows = size = 0
    for some, of_size in counted:
        rows, size = rows + some, size + of_size
    return rows, size


# --- facts ---------------------------------------------------------------------------------------------------------


def _unused(doomed: Sequence[int] = ()) -> Select[tuple[bytes]]:
    """The hashes of contents that no run refers to, those in `doomed` left aside."""
    seen, judged = (
        select(column).where(domain_results.c.run.not_in(doomed))
        for column in (domain_results.c.facts, domain_results.c.judgement)
    )
    probed = select(endpoint_results.c.facts).where(endpoint_results.c.run.not_in(doomed))
    unused = except_(select(facts.c.sha256), seen, judged, probed).subquery()
    return select(unused.c.sha256)


def _swept_facts(unchecked: Transaction) -> Iterator[tuple[int, int]]:
    while True:
        with unchecked() as connection:
            going = [*connection.scalars(_unused().limit(_FACTS_AT_ONCE))]
            size = 0
            for part in in_parts(going):
                here = facts.c.sha256.in_(part)
                size += connection.scalar(select(func.sum(func.length(facts.c.content))).where(here)) or 0
                connection.execute(delete(facts).where(here))
        yield len(going), size
        if len(going) < _FACTS_AT_ONCE:
            return


# --- certificates --------------------------------------------------------------------------------------------------


class _Refers(msgspec.Struct, frozen=True):
    """The only part of the stored facts of an endpoint that is read here."""

    certificates: tuple[str, ...] = ()


_refers = msgspec.json.Decoder(_Refers)


def _used_certificates(connection: Connection, doomed: Sequence[int] = ()) -> set[bytes]:
    """The hashes of the certificates that the facts of endpoints name; those of runs in `doomed` left aside."""
    used: set[bytes] = set()
    probed = select(endpoint_results.c.facts).where(endpoint_results.c.run.not_in(doomed))
    found = select(facts.c.sha256, facts.c.coding, facts.c.content).where(facts.c.sha256.in_(probed))
    rows = connection.execute(found, execution_options=_BY_PAGES)
    for _, coding, content in rows:
        named = _refers.decode(stored_facts.unpacked(coding, content)).certificates
        used.update(bytes.fromhex(sha256) for sha256 in named)
    return used


def _certificate_sizes(connection: Connection) -> Iterator[tuple[bytes, int]]:
    size = func.length(certificates.c.der) + func.length(certificates.c.facts)
    rows = connection.execute(select(certificates.c.sha256, size), execution_options=_BY_PAGES)
    return ((bytes(sha256), size) for sha256, size in rows)


def _swept_certificates(writing: Transaction) -> Iterator[tuple[int, int]]:
    with writing() as connection:
        used = _used_certificates(connection)
        going = {sha256: size for sha256, size in _certificate_sizes(connection) if sha256 not in used}
        for part in in_parts(going):
            connection.execute(delete(certificates).where(certificates.c.sha256.in_(part)))
    yield len(going), sum(going.values())

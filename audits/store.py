"""The store: runs, their targets, and what was seen and judged of them. Committed as it comes, each content once.

One `Store` serves all worker threads of a process: every method is made of short transactions of its own. A run is
written by the one process that holds the lock, while any number of others read. Iterators go by pages and keep no
transaction open between them, so memory stays flat and neither readers nor the writer wait for each other. An
iterator belongs to one thread at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, update

from audits.store_columns import GradeRow, grade_rows, judgement_page
from audits.store_database import Database, Space, open_database
from audits.store_errors import NoSuchRunError, StoreError, StoreLockedError
from audits.store_notes import note, noted, notes_below
from audits.store_pairs import Hashes, Pair, domains_with, hashes_with, missing_page, pair_page, shared_targets
from audits.store_prune import Pruned, estimate, prune
from audits.store_results import (
    DomainResult,
    certificates_with,
    domain_of,
    domain_page,
    endpoint_page,
    endpoints_with,
    save_domains,
    save_endpoints,
)
from audits.store_runs import (
    RunInfo,
    RunStart,
    RunStatus,
    all_runs,
    grades_of,
    input_digest,
    insert_run,
    newest_unfinished,
    run_by_id,
    run_by_name,
)
from audits.store_schema import runs
from audits.store_targets import PendingTarget, add_targets, pending_page
from scanner.facts import Endpoint, EndpointFacts, EndpointRef, Target
from scanner.tls_facts import CertificateFacts

__all__ = [
    "DomainResult",
    "Hashes",
    "NoSuchRunError",
    "Pair",
    "PendingTarget",
    "RunInfo",
    "RunStart",
    "RunStatus",
    "Store",
    "StoreError",
    "StoreLockedError",
    "input_digest",
]

PAGE = 500
"""Rows that an iterator holds in memory."""

T = TypeVar("T")
K = TypeVar("K", int, str)


class Store:
    """An open store; a context manager. Methods raise `StoreError` with a sentence that says what to do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, where: str | Path, *, writing: bool = False) -> Self:
        """Opens a file, or a database by its URL.

        For writing the store is created or migrated, and locked until `close`: `StoreLockedError` while another run
        holds it. For reading it must exist; a run may write to it meanwhile.
        """
        return cls(open_database(where, writing=writing))

    def close(self) -> None:
        """Closes all connections and gives the lock back."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- a run, written ---

    def begin_run(self, start: RunStart, entries: Iterable[Target]) -> RunInfo:
        """A new run of these targets, from an iterable of any length; an entry that repeats is kept once.

        One transaction, so that a run which was killed while its input was read never was.
        """
        with self._database.writing() as connection:
            run = insert_run(connection, start)
            added, duplicates = add_targets(connection, run, entries)
            _change_run(connection, run, targets=added, duplicates=duplicates)
            return run_by_id(connection, run)

    def save(self, run: int, domains: Sequence[DomainResult] = (), endpoints: Sequence[EndpointFacts] = ()) -> None:
        """Results in one transaction; saved again they change nothing, saved anew they replace the earlier.

        The endpoints of a domain belong into the same call or an earlier one: a domain with a result is not probed
        again.
        """
        with self._database.writing() as connection:
            save_endpoints(connection, run, endpoints)
            save_domains(connection, run, domains)

    def finish_run(self, run: int, finished: datetime) -> RunInfo:
        with self._database.writing() as connection:
            _change_run(connection, run, status=RunStatus.FINISHED, finished=finished)
            return run_by_id(connection, run)

    # --- old runs, taken out ---

    def prune(self, doomed: Sequence[int]) -> Pruned:
        """Takes runs out, then the facts and certificates that no run uses any more. Killed in between it leaves whole
        runs, and at worst contents that the next time takes out.
        """
        return prune(self._database.writing, self._database.unchecked, doomed)

    def prune_estimate(self, doomed: Sequence[int]) -> Pruned:
        """What `prune` would take out; also for a store that is open for reading."""
        with self._database.reading() as connection:
            return estimate(connection, doomed)

    def space(self) -> Space:
        """How large the store is, and how much of that is free."""
        return self._database.space()

    def compact(self) -> None:
        """Gives free space back to the file system; needs as much room again while it lasts."""
        self._database.compact()

    # --- notes ---

    def remember(self, key: str, value: str) -> None:
        """Keeps a short note beside the runs; of each key the latest."""
        with self._database.writing() as connection:
            note(connection, key, value)

    def remembered(self, key: str) -> str | None:
        """The note of a key, None where there is none."""
        with self._database.reading() as connection:
            return noted(connection, key)

    def all_remembered(self, start: str) -> dict[str, str]:
        """The notes of all keys that begin so, by their keys."""
        with self._database.reading() as connection:
            return notes_below(connection, start)

    # --- runs, read ---

    def resume_run(self, digest: str, since: datetime | None = None) -> RunInfo | None:
        """The newest unfinished run of the input with that digest (`input_digest`), or None; only if begun `since`."""
        with self._database.reading() as connection:
            run = newest_unfinished(connection, digest)
        return None if run is None or (since is not None and run.started < since) else run

    def runs(self) -> tuple[RunInfo, ...]:
        """All runs, oldest first."""
        with self._database.reading() as connection:
            return all_runs(connection)

    def run(self, name: str) -> RunInfo:
        """The run of a name, or the newest for "latest"; `NoSuchRunError` lists the near names."""
        with self._database.reading() as connection:
            return run_by_name(connection, name)

    def grades(self, run: int) -> dict[str, int]:
        """How many domains of a run have which grade; all its results are counted, 20 ms for 100,000."""
        with self._database.reading() as connection:
            return grades_of(connection, run)

    # --- facts, read ---

    def pending_targets(self, run: int) -> Iterator[PendingTarget]:
        """The targets without a result, in the order of the input. Results may be saved while it goes on."""
        return self._pages(pending_page, run, 0, lambda pending: pending.seq)

    def domains(self, run: int) -> Iterator[DomainResult]:
        """The domains with a result, in the order of the input."""
        return self._pages(domain_page, run, 0, lambda result: result.seq)

    def domain(self, run: int, entry: str) -> DomainResult | None:
        """The result of one entry, None while it has none."""
        with self._database.reading() as connection:
            return domain_of(connection, run, entry)

    def endpoints(self, run: int) -> Iterator[EndpointFacts]:
        """The facts of all endpoints, each once, in the order of their keys."""
        return self._pages(endpoint_page, run, "", lambda facts: facts.endpoint.key)

    def endpoint(self, run: int, endpoint: Endpoint) -> EndpointFacts | None:
        """What the run saw of an endpoint, None as long as it saw nothing."""
        with self._database.reading() as connection:
            return next(iter(endpoints_with(connection, run, [endpoint.key])), None)

    def endpoints_of(self, run: int, refs: Iterable[EndpointRef]) -> dict[Endpoint, EndpointFacts]:
        """The facts of the endpoints that one or more domains refer to, in their order, as far as the run has them."""
        wanted = {ref.endpoint: ref.endpoint.key for ref in refs}
        with self._database.reading() as connection:
            found = {facts.endpoint: facts for facts in endpoints_with(connection, run, wanted.values())}
        return {endpoint: found[endpoint] for endpoint in wanted if endpoint in found}

    def certificates(self, hashes: Iterable[str]) -> dict[str, CertificateFacts]:
        """The certificates with these hexadecimal SHA-256, by them, as far as they are stored."""
        with self._database.reading() as connection:
            return certificates_with(connection, hashes)

    # --- columns, read without the facts behind them ---

    def grade_rows(self, run: int) -> list[GradeRow]:
        """Entry, grade and required level of every domain with a result, in the order of the input."""
        with self._database.reading() as connection:
            return grade_rows(connection, run)

    def judgements(self, run: int) -> Iterator[bytes]:
        """What the judges wrote of each domain with a result, as JSON, in the order of the input."""
        pages = self._pages(judgement_page, run, 0, lambda row: row[0])
        return (judgement for _, judgement in pages)

    # --- two runs, read side by side ---

    def pairs(self, older: int, newer: int) -> Iterator[list[Pair]]:
        """The domains of the newer run in the order of its input, by pages, each beside the older run's result."""
        return self._whole_pages(pair_page, (older, newer), lambda pair: pair.seq)

    def missing(self, older: int, newer: int) -> Iterator[str]:
        """The entries of the older run that the newer does not list."""
        pages = self._whole_pages(missing_page, (older, newer), lambda found: found[0])
        return (entry for page in pages for _, entry in page)

    def shared_targets(self, first: int, second: int) -> int:
        """How many entries two runs have in common."""
        with self._database.reading() as connection:
            return shared_targets(connection, first, second)

    def domains_of(self, run: int, entries: Sequence[str]) -> dict[str, DomainResult]:
        """The results of some entries, by entry, as far as the run has them."""
        with self._database.reading() as connection:
            return domains_with(connection, run, entries)

    def hashes_of(self, run: int, entries: Sequence[str]) -> dict[str, Hashes]:
        """The hashes of the results of some entries: where they are equal, so are facts and judgement."""
        with self._database.reading() as connection:
            return hashes_with(connection, run, entries)

    def _whole_pages(
        self,
        page_of: Callable[[Connection, tuple[int, int], int, int], list[T]],
        runs: tuple[int, int],
        key: Callable[[T], int],
    ) -> Iterator[list[T]]:
        after = 0
        while True:
            with self._database.reading() as connection:
                page = page_of(connection, runs, after, PAGE)
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = key(page[-1])

    def _pages(
        self, page_of: Callable[[Connection, int, K, int], list[T]], run: int, after: K, key: Callable[[T], K]
    ) -> Iterator[T]:
        while True:
            with self._database.reading() as connection:
                page = page_of(connection, run, after, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            after = key(page[-1])


def _change_run(connection: Connection, run: int, **values: object) -> None:
    connection.execute(update(runs).where(runs.c.id == run).values(**values))

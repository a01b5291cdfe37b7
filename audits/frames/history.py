"""The runs of a store as DataFrames: `open_history(store)`, and a method for each frame.

Everything is read when it is asked for, and nothing is written. A method takes the runs it should read: "latest" (the
newest finished one, the default), the name of a run, several names, or "all" for every finished run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from audits.diff import WINDOW
from audits.frames.columns import CERTIFICATES, CHANGES, DOMAINS, ENDPOINTS, FINDINGS, GRADES, HANDSHAKES, RUNS
from audits.frames.domain_rows import Row, domain_row, endpoint_rows, finding_rows
from audits.frames.fact_rows import CertificatesSeen, handshake_rows
from audits.frames.table import joined, table, table_of_columns
from audits.records import DomainRecord
from audits.run_changes import changes, chosen_runs
from audits.store import NoSuchRunError, RunInfo, RunStatus, Store

if TYPE_CHECKING:
    from pandas import DataFrame

Runs = str | Sequence[str]
"""Which runs: "latest", "all", a name, or several names."""
LATEST, ALL = "latest", "all"

_record = msgspec.json.Decoder(DomainRecord)


class History:
    """An open store, for reading; a context manager. FRAMES.md describes every column."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the frames ---

    def runs(self) -> "DataFrame":
        """All runs, oldest first, unfinished ones too."""
        return table(RUNS, map(_run_row, self._store.runs()), self._names())

    def grades(self, runs: Runs = LATEST) -> "DataFrame":
        """The grade of each domain: columns of the store alone, so that it is read fast."""
        names = self._names()
        tables = []
        for run in self.chosen(runs):
            rows = self._store.grade_rows(run.id)
            columns = dict(zip(("domain", "grade", "required"), zip(*rows, strict=True), strict=False))
            empty: dict[str, Sequence[str]] = {"domain": (), "grade": (), "required": ()}
            tables.append(table_of_columns(GRADES, {"run": [run.name] * len(rows)} | empty | columns, names))
        return joined(GRADES, tables, names)

    def domains(self, runs: Runs = LATEST) -> "DataFrame":
        """What was judged of each domain."""
        rows = (domain_row(run.name, record) for run, record in self._records(runs))
        return table(DOMAINS, rows, self._names())

    def endpoints(self, runs: Runs = LATEST) -> "DataFrame":
        """The endpoints of each domain; a shared one stands once for each domain."""
        rows = (row for run, record in self._records(runs) for row in endpoint_rows(run.name, record))
        return table(ENDPOINTS, rows, self._names())

    def findings(self, runs: Runs = LATEST) -> "DataFrame":
        """What the baselines say of each domain, as it was judged with the scan."""
        rows = (row for run, record in self._records(runs) for row in finding_rows(run.name, record))
        return table(FINDINGS, rows, self._names())

    def handshakes(self, runs: Runs = LATEST) -> "DataFrame":
        """Every connection, with its transcript."""
        rows = (
            row
            for run in self.chosen(runs)
            for facts in self._store.endpoints(run.id)
            for row in handshake_rows(run.name, facts)
        )
        return table(HANDSHAKES, rows, self._names())

    def certificates(self, runs: Runs = LATEST) -> "DataFrame":
        """The certificates that servers showed, each once a run."""
        return table(CERTIFICATES, self._certificate_rows(runs), self._names())

    def changes(self, runs: Runs = LATEST, window: int = WINDOW) -> "DataFrame":
        """What changed since the run before; nothing for a run that has none before it with a list like its own."""
        return table(CHANGES, self._change_rows(runs, window), self._names())

    # --- which runs ---

    def chosen(self, runs: Runs) -> list[RunInfo]:
        """The runs of a choice, in the order of the choice; `NoSuchRunError` says what to do."""
        finished = [run for run in self._store.runs() if run.status is RunStatus.FINISHED]
        if runs == ALL:
            return finished
        if runs == LATEST:
            if not finished:
                raise NoSuchRunError("the store holds no finished run yet: `tlsaudit scan` makes one")
            return finished[-1:]
        return [self._store.run(name) for name in ([runs] if isinstance(runs, str) else runs)]

    def _names(self) -> list[str]:
        return [run.name for run in sorted(self._store.runs(), key=lambda run: (run.started, run.id))]

    def _records(self, runs: Runs) -> Iterator[tuple[RunInfo, DomainRecord]]:
        for run in self.chosen(runs):
            for judgement in self._store.judgements(run.id):
                yield run, _record.decode(judgement)

    def _certificate_rows(self, runs: Runs) -> Iterator[Row]:
        for run in self.chosen(runs):
            seen = CertificatesSeen()
            for facts in self._store.endpoints(run.id):
                seen.take(facts)
            yield from seen.rows(run.name)

    def _change_rows(self, runs: Runs, window: int) -> Iterator[Row]:
        for run in self.chosen(runs):
            try:
                old, new = chosen_runs(self._store, "previous", run.name, window)
            except NoSuchRunError:
                continue
            for change in changes(self._store, old, new, window):
                yield msgspec.structs.asdict(change) | {"run": run.name, "before_run": old.run.name}


def open_history(store: str | Path) -> History:
    """The history in a file or at a database URL; `StoreError` says what to do."""
    return History(Store.open(store))


FRAME_OF: dict[str, Callable[[History, Runs], "DataFrame"]] = {
    "runs": lambda history, _: history.runs(),
    "domains": History.domains,
    "endpoints": History.endpoints,
    "handshakes": History.handshakes,
    "certificates": History.certificates,
    "findings": History.findings,
    "grades": History.grades,
    "changes": History.changes,
}
"""Name -> how it is read."""


def _run_row(run: RunInfo) -> Row:
    return {
        "run": run.name,
        "status": run.status.value,
        "started": run.started,
        "finished": run.finished,
        "targets": run.targets,
        "done": run.done,
        "duplicates": run.duplicates,
        "tool_version": run.tool_version,
        "trust_digest": run.trust_digest,
    }


def all_frames(history: History, runs: Runs) -> Iterable[tuple[str, "DataFrame"]]:
    """Every frame of these runs, one after the other, so that only one is in memory."""
    return ((name, read(history, runs)) for name, read in FRAME_OF.items())

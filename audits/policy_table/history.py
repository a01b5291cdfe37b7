"""The looks of a store at its domains, newest first: the window of each domain over the finished runs that have it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from audits.policy_table.looks import Look, look_of
from audits.store import DomainResult, RunInfo, RunStatus, Store, StoreError

FEW = 500
"""So many domains are asked for one by one; for more the whole run is read."""


def finished_runs(store: Store) -> tuple[RunInfo, ...]:
    """Newest first. A run that still goes on, or was killed, is no evidence."""
    return tuple(run for run in reversed(store.runs()) if run.status is RunStatus.FINISHED)


def histories(store: Store, runs: Sequence[RunInfo], wanted: Sequence[str], count: int) -> dict[str, list[Look]]:
    """The newest `count` looks at each wanted entry; without a list at each domain of the newest `count` runs.

    A domain that a run did not have was not looked at by it: an older run takes its place.
    """
    found: dict[str, list[Look]] = {entry: [] for entry in wanted}
    for number, run in enumerate(runs):
        lacking = [entry for entry, looks in found.items() if len(looks) < count]
        grows = not wanted and number < count
        if not grows and not lacking:
            break
        results = store.domains(run.id) if grows or len(lacking) > FEW else _those(store, run, lacking)
        for look in looks_at(results, run):
            if look.entry in found or grows:
                looks = found.setdefault(look.entry, [])
                if len(looks) < count:
                    looks.append(look)
    return found


def sharing(store: Store, runs: Sequence[RunInfo], keys: Sequence[str]) -> dict[str, list[Look]]:
    """The looks of these runs at other domains that have one of the keys as an MX host; newest first, as the runs."""
    found: dict[str, list[Look]] = {}
    wanted = set(keys)
    for run in runs:
        for look in looks_at(store.domains(run.id), run):
            if look.entry not in wanted and not wanted.isdisjoint(look.hosts):
                found.setdefault(look.entry, []).append(look)
    return found


def looks_at(results: Iterable[DomainResult], run: RunInfo) -> Iterator[Look]:
    """The looks of one run; `StoreError` for a judgement that is none of this program."""
    for result in results:
        try:
            yield look_of(result.facts, result.judgement, run.name, run.started)
        except msgspec.MsgspecError as error:
            raise StoreError(f"run {run.name} holds a judgement that cannot be read: {error}") from error


def _those(store: Store, run: RunInfo, entries: Iterable[str]) -> Iterator[DomainResult]:
    find: Callable[[int, str], DomainResult | None] = store.domain
    return (result for entry in entries if (result := find(run.id, entry)) is not None)

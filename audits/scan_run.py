"""One run from its pending targets to stored, judged, printed results: the trio half of `tlsaudit scan`.

Facts are judged and saved in batches in a worker thread, and only what is saved is printed: kill -9 at any moment
loses what is in flight and nothing else.
"""

import math
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec
import trio

from audits.judge import Judge
from audits.output import OutputLostError
from audits.progress import Meter, shown_progress
from audits.records import DomainRecord
from audits.store import DomainResult, RunInfo, Store, StoreError
from scanner.egress import EgressBlocked
from scanner.endpoint_probe import Shells
from scanner.facts import Endpoint, EndpointFacts, Level, Target
from scanner.failures import LocalTroubleError
from scanner.pipeline import ProbedDomain, run_scan
from scanner.settings import ScanSettings

BATCH = 200
"""Domains judged and saved at once, at the most; a lone one does not wait for others."""
QUEUE = 400
"""Finished domains that may wait for the writer; then the workers wait."""
REMEMBERED = 50_000
"""Endpoints known to be saved in this run, so that a shared one is not written with each of its domains."""

Emit = Callable[[Sequence[DomainRecord]], None]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a run needs: where it is stored, who judges, where records go."""

    store: Store
    run: RunInfo
    judge: Judge
    emit: Emit
    settings: ScanSettings
    shells: Shells
    quiet: bool = False
    max_runtime_s: float = math.inf
    earlier: Callable[[Endpoint], EndpointFacts | None] = lambda _endpoint: None


class _Saved:
    """The numbers of the targets in flight, and the endpoints that the store has already."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._endpoints: set[Endpoint] = set()

    def new(self, endpoints: Sequence[EndpointFacts]) -> list[EndpointFacts]:
        """The endpoints among these that were not saved yet; from now on they count as saved."""
        fresh = {facts.endpoint: facts for facts in endpoints if facts.endpoint not in self._endpoints}
        if len(self._endpoints) > REMEMBERED:
            self._endpoints.clear()
        self._endpoints.update(fresh)
        return list(fresh.values())


async def run_job(job: Job) -> bool:
    """Scans what is pending; true when all is done, false when a signal or `max_runtime_s` ended it early.

    Raises EgressBlocked and LocalTroubleError from the scan, StoreError from the store, OutputLostError from `emit`,
    KeyboardInterrupt of a second Ctrl-C, as they are and in no group; what was saved stays.
    """
    try:
        return await _scan_and_write(job)
    except BaseExceptionGroup as group:
        stops, others = group.split((EgressBlocked, LocalTroubleError, StoreError, OutputLostError, KeyboardInterrupt))
        if stops is None or others is not None:
            raise
        raise _first(stops) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _scan_and_write(job: Job) -> bool:
    saved = _Saved()
    meter = Meter(job.run.done, job.run.targets)
    send, receive = trio.open_memory_channel[ProbedDomain](QUEUE)
    async with trio.open_nursery() as nursery:
        with shown_progress(nursery, meter, job.quiet):
            async with trio.open_nursery() as work:
                work.start_soon(_write, job, receive, saved, meter)
                async with send:
                    complete = await _scan_until_signal(job, saved, send)
        nursery.cancel_scope.cancel()
    return complete


async def _scan_until_signal(job: Job, saved: _Saved, send: trio.MemorySendChannel[ProbedDomain]) -> bool:
    """Runs the scan; SIGINT, SIGTERM and the end of its time stop it, and what is finished is still written."""
    shells = msgspec.structs.replace(
        job.shells, recall=partial(_recall, job), earlier=partial(_earlier, job), in_flight=_in_flight(job)
    )
    with trio.move_on_after(job.max_runtime_s) as scope:
        async with trio.open_nursery() as nursery:
            await nursery.start(_stop_on_signal, scope)
            await run_scan(_targets(job, saved), job.settings, shells, send.send)
            nursery.cancel_scope.cancel()
    return not scope.cancelled_caught


def _in_flight(job: Job) -> int:
    """How many targets an interrupted run may have left half done; none where nobody had answered it by then."""
    answered = bool(job.run.done) and any(grade in tuple(Level) for grade in job.store.grades(job.run.id))
    return job.settings.jobs if answered else 0


async def _stop_on_signal(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()
            return


def _targets(job: Job, saved: _Saved) -> Iterator[Target]:
    for pending in job.store.pending_targets(job.run.id):
        saved.numbers[pending.target.entry] = pending.seq
        yield pending.target


async def _recall(job: Job, endpoint: Endpoint) -> EndpointFacts | None:
    """What this run saw of an endpoint before it was interrupted, or before memory forgot it."""
    return job.store.endpoint(job.run.id, endpoint)


async def _earlier(job: Job, endpoint: Endpoint) -> EndpointFacts | None:
    """What an earlier night saw of an endpoint that need not be asked in full tonight."""
    return job.earlier(endpoint)


async def _write(job: Job, receive: trio.MemoryReceiveChannel[ProbedDomain], saved: _Saved, meter: Meter) -> None:
    async for first in receive:
        batch = [first]
        while len(batch) < BATCH:
            try:
                batch.append(receive.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        records = await trio.to_thread.run_sync(_judge_and_save, job, batch, saved)
        job.emit(records)
        meter.add(len(records))


def _judge_and_save(job: Job, batch: Sequence[ProbedDomain], saved: _Saved) -> list[DomainRecord]:
    """Judges a batch and commits it in one transaction."""
    records = [job.judge.record(domain.facts, domain.endpoints) for domain in batch]
    results = [
        DomainResult(
            saved.numbers.pop(domain.facts.target.entry),
            domain.facts,
            record.grade.value,
            msgspec.json.encode(record),
        )
        for domain, record in zip(batch, records, strict=True)
    ]
    endpoints = saved.new([facts for domain in batch for facts in domain.endpoints])
    job.store.save(job.run.id, results, endpoints)
    return records

"""Manners: one connection at a time per address, spaced; few at once per provider; a brake that answers to 421.

Mail servers throttle, and a server that was asked too fast gives no answer to anybody. So an address rests between two
connections, longer after each refusal; and where several addresses of one provider refuse in a row the provider is
left alone for the rest of the run: what was not asked there is inconclusive.
"""

import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from typing import TypeVar

import trio

from scanner.facts import SessionFacts
from scanner.failures import Kind, Stage

JITTER = 0.25
"""An interval varies by a quarter up, so that many probes do not fall into step."""
BACKOFF = 2.0
"""Each refusal doubles the rest of its address."""
MAX_INTERVAL_S = 30.0
"""Refusals never make a rest longer than this; a longer --interval is kept as it is."""
MAX_DOUBLINGS = 12
"""The slowest that an address or provider gets: 4096 intervals, or MAX_INTERVAL_S."""
TRIP = 5
"""Refusals in a row, over all addresses of a provider, after which it is left alone."""
REMEMBERED = 50_000
"""Addresses and providers kept in memory; the ones idle for longest are forgotten."""


def is_refusal(session: SessionFacts) -> bool:
    """Whether the server, or what stands before it, said "not now" or "not you": what a throttled server does."""
    failure = session.failure
    if failure is None or not failure.asked:
        return False
    if failure.kind is Kind.TEMPORARY:
        return True
    if failure.stage is Stage.GREETING:
        return failure.kind in (Kind.PERMANENT, Kind.RESET, Kind.CLOSED, Kind.TIMEOUT)
    return failure.stage is Stage.CONNECT and failure.kind is Kind.RESET


class _Address:
    """One address: its turn, when it may be asked again, and by how much it is slowed down."""

    def __init__(self) -> None:
        self.turn = trio.Lock()
        self.free_at = -float("inf")
        self.factor = 1.0


class _Provider:
    """One provider: its places, and its refusals in a row."""

    def __init__(self, jobs: int) -> None:
        self.places = trio.Semaphore(jobs)
        self.refusals = 0
        self.factor = 1.0


class Pace:
    """The manners of one run. `providers` are any names for the same operator: a domain, a network."""

    def __init__(self, interval_s: float, provider_jobs: int) -> None:
        self._interval_s = interval_s
        self._provider_jobs = provider_jobs
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._providers: OrderedDict[str, _Provider] = OrderedDict()

    def is_paused(self, providers: Collection[str]) -> bool:
        """Whether one of these providers refused so often that it is left alone."""
        return any(name in self._providers and self._providers[name].refusals >= TRIP for name in providers)

    @asynccontextmanager
    async def turn(self, address: str, providers: Collection[str]) -> AsyncIterator[None]:
        """Waits until this address may be connected to, and holds it. Sorted names: no two tasks can deadlock.

        What is noted within the turn counts for the rest after it.
        """
        entry = self._address(address)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(entry.turn)
            await trio.sleep_until(entry.free_at)
            for name in sorted(set(providers)):
                await stack.enter_async_context(self._provider(name).places)
            try:
                yield
            finally:
                slow = max([entry.factor, *(self._provider(name).factor for name in providers)])
                rest = max(self._interval_s, min(self._interval_s * slow, MAX_INTERVAL_S))
                entry.free_at = trio.current_time() + rest * (1 + random.random() * JITTER)

    def note(self, address: str, providers: Collection[str], session: SessionFacts) -> None:
        """Learns from a session: a refusal slows the address, then its provider; an answer clears the provider."""
        entry = self._address(address)
        refused = is_refusal(session)
        if refused:
            entry.factor = min(entry.factor * BACKOFF, BACKOFF**MAX_DOUBLINGS)
        elif session.greeting is not None:
            entry.factor = max(1.0, entry.factor / BACKOFF)
        for name in providers:
            provider = self._provider(name)
            if refused:
                provider.refusals += 1
                provider.factor = BACKOFF ** min(provider.refusals // 2, MAX_DOUBLINGS)
            elif session.greeting is not None:
                provider.refusals, provider.factor = 0, 1.0

    def _address(self, address: str) -> _Address:
        entry = self._addresses.get(address) or _Address()
        self._addresses[address] = entry
        self._addresses.move_to_end(address)
        if len(self._addresses) > REMEMBERED:
            _forget(self._addresses, lambda old: not old.turn.locked() and old.free_at <= trio.current_time())
        return entry

    def _provider(self, name: str) -> _Provider:
        entry = self._providers.get(name) or _Provider(self._provider_jobs)
        self._providers[name] = entry
        self._providers.move_to_end(name)
        if len(self._providers) > REMEMBERED:
            _forget(self._providers, lambda old: old.places.value == self._provider_jobs and old.refusals < TRIP)
        return entry


_Entry = TypeVar("_Entry", _Address, _Provider)


def _forget(entries: OrderedDict[str, _Entry], is_idle: Callable[[_Entry], bool]) -> None:
    """Drops idle entries among the oldest hundred; what is in use, or paused, stays, and is looked at last again."""
    for name in list(islice(entries, 100)):
        if is_idle(entries[name]):
            del entries[name]
        else:
            entries.move_to_end(name)

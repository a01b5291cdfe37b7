"""Manners: one connection at a time per address, spaced; few at once per provider; a brake that answers to 421.

Mail servers throttle, and a server that was asked too fast gives no answer to anybody. So an address rests between two
connections, longer after each refusal; and where several addresses of one provider refuse in a row the provider is
left alone for the rest of the run: what was not asked there is inconclusive.
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Collection
from itertools import islice
from types import TracebackType
from typing import TypeVar

import trio

from scanner.failures import Kind, ProbeFailure, Stage

JITTER = 0.25
"""An interval varies by a quarter up, so that many probes do not fall into step."""
BACKOFF = 2.0
"""Each refusal doubles the rest of its address."""
REFUSED_INTERVAL_S = 1.0
"""What is doubled after a refusal where --interval is shorter."""
MAX_INTERVAL_S = 30.0
"""Refusals never make a rest longer than this; a longer --interval is kept as it is."""
MAX_DOUBLINGS = 12
"""The slowest that an address or provider gets: 4096 intervals, or MAX_INTERVAL_S."""
TRIP = 5
"""Addresses of a provider that refuse in a row, without an answer between them, after which it is left alone."""
RECOVERY = 0.8
"""An answer lets an address be asked a little faster again: slowly, so that a known limit is not hit each time."""
MANY = 1_000_000
"""Connections at once where nobody sets a limit."""
REMEMBERED = 50_000
"""Addresses and providers kept in memory; the ones idle for longest are forgotten."""

_BEFORE_TLS = frozenset({Stage.GREETING, Stage.EHLO, Stage.MAIL, Stage.STARTTLS})
"""Where a server that falls silent or hangs up does not do so because of its TLS: resets and tarpits."""
_BEFORE_GREETING = frozenset({Stage.CONNECT, Stage.GREETING, Stage.HANDSHAKE})
"""Failures here are no sign that the server answers us: on port 465 the handshake comes first."""


def is_refusal(failure: ProbeFailure | None) -> bool:
    """Whether the server, or what stands before it, said "not now" or "not you": what a throttled server does."""
    if failure is None or not failure.asked:
        return False
    if failure.kind is Kind.TEMPORARY:
        return True
    if failure.stage in _BEFORE_TLS and failure.kind in (Kind.RESET, Kind.CLOSED, Kind.TIMEOUT):
        return True
    return (failure.stage, failure.kind) in ((Stage.GREETING, Kind.PERMANENT), (Stage.CONNECT, Kind.RESET))


class _Address:
    """One address: its turn, when it may be asked again, and by how much it is slowed down."""

    def __init__(self) -> None:
        self.turn = trio.Lock()
        self.free_at = -float("inf")
        self.factor = 1.0


class _Provider:
    """One provider: its places, and the addresses that refused since the last answer."""

    def __init__(self, jobs: int) -> None:
        self.places = trio.Semaphore(jobs)
        self.refusing: set[str] = set()

    @property
    def factor(self) -> float:
        """By how much all of its addresses are slowed down."""
        return BACKOFF ** min(len(self.refusing) // 2, MAX_DOUBLINGS)


class Pace:
    """The manners of one run. `providers` are any names for the same operator: a domain, a network.

    No more than `jobs` connections are open at once, all in all.
    """

    def __init__(self, interval_s: float, provider_jobs: int, jobs: int = MANY) -> None:
        self.places = trio.Semaphore(jobs)
        self._interval_s = interval_s
        self._provider_jobs = provider_jobs
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._providers: OrderedDict[str, _Provider] = OrderedDict()

    def is_paused(self, providers: Collection[str]) -> bool:
        """Whether one of these providers refused so often that it is left alone."""
        return any(name in self._providers and len(self._providers[name].refusing) >= TRIP for name in providers)

    def turn(self, address: str, providers: Collection[str]) -> "_Turn":
        """An asynchronous context: waits until this address may be connected to, and holds it.

        It gives False where one of the providers was paused meanwhile, and nobody is to be asked. What is noted within
        the turn counts for the rest after it.
        """
        return _Turn(self, address, providers)

    def rest_s(self, entry: _Address, providers: Collection[str]) -> float:
        """How long an address is left alone now."""
        slow = max([entry.factor, *(self.provider(name).factor for name in providers)])
        unit = self._interval_s if slow == 1.0 else max(self._interval_s, REFUSED_INTERVAL_S)
        rest = max(self._interval_s, min(unit * slow, MAX_INTERVAL_S))
        return rest * (1 + random.random() * JITTER)

    def note(self, address: str, providers: Collection[str], failure: ProbeFailure | None) -> None:
        """Learns how a connection ended: a refusal slows the address, then its provider; an answer clears it."""
        entry = self.address(address)
        refused = is_refusal(failure)
        greeted = failure is None or failure.stage not in _BEFORE_GREETING
        if refused:
            entry.factor = min(entry.factor * BACKOFF, BACKOFF**MAX_DOUBLINGS)
        elif greeted:
            entry.factor = max(1.0, entry.factor * RECOVERY)
        for name in providers:
            provider = self.provider(name)
            if refused:
                provider.refusing.add(address)
            elif greeted:
                provider.refusing.clear()

    def address(self, address: str) -> _Address:
        entry = self._addresses.get(address) or _Address()
        self._addresses[address] = entry
        self._addresses.move_to_end(address)
        if len(self._addresses) > REMEMBERED:
            _forget(self._addresses, lambda old: not old.turn.locked() and old.free_at <= trio.current_time())
        return entry

    def provider(self, name: str) -> _Provider:
        entry = self._providers.get(name) or _Provider(self._provider_jobs)
        self._providers[name] = entry
        self._providers.move_to_end(name)
        if len(self._providers) > REMEMBERED:
            _forget(self._providers, lambda old: old.places.value == self._provider_jobs and len(old.refusing) < TRIP)
        return entry


class _Turn:
    """The turn of one address; a class, because a generator for each connection costs more than what it does."""

    __slots__ = ("_address", "_held", "_pace", "_providers")

    def __init__(self, pace: Pace, address: str, providers: Collection[str]) -> None:
        self._pace = pace
        self._providers = providers
        self._address = pace.address(address)
        self._held: list[trio.Lock | trio.Semaphore] = []

    async def __aenter__(self) -> bool:
        """Sorted names, and the places of all last: no two tasks can deadlock."""
        try:
            await self._take(self._address.turn)
            if self._address.free_at > trio.current_time():
                await trio.sleep_until(self._address.free_at)
            else:
                await trio.lowlevel.checkpoint()  # without a rest too the end of the connection before is seen first
            for name in sorted(set(self._providers)):
                await self._take(self._pace.provider(name).places)
            await self._take(self._pace.places)
        except BaseException:
            self._release()
            raise
        return not self._pace.is_paused(self._providers)

    async def __aexit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._address.free_at = trio.current_time() + self._pace.rest_s(self._address, self._providers)
        self._release()

    async def _take(self, place: trio.Lock | trio.Semaphore) -> None:
        """What is free costs no pass through the scheduler, and overtakes nobody."""
        try:
            place.acquire_nowait()
        except trio.WouldBlock:
            await place.acquire()
        self._held.append(place)

    def _release(self) -> None:
        while self._held:
            self._held.pop().release()


_Entry = TypeVar("_Entry", _Address, _Provider)


def _forget(entries: OrderedDict[str, _Entry], is_idle: Callable[[_Entry], bool]) -> None:
    """Drops idle entries among the oldest hundred; what is in use, or paused, stays, and is looked at last again."""
    for name in list(islice(entries, 100)):
        if is_idle(entries[name]):
            del entries[name]
        else:
            entries.move_to_end(name)

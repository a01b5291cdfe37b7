"""Asks each question once: tasks that want the same answer at the same time share one act of asking."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import trio

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class OnceEach(Generic[K, V]):
    """A bounded memory of answers; beyond `limit` the one unused for longest is forgotten."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[K, V] = OrderedDict()
        self._asking: dict[K, trio.Event] = {}

    def __contains__(self, key: K) -> bool:
        """Whether the answer is known now, so that `get` gives it at once."""
        return key in self._known

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The answer for this key, remembered or asked for now.

        `ask` is called in the task that comes first; the others wait. If that task is cancelled or fails, the next one
        that waits asks anew.
        """
        while key not in self._known:
            if (asked := self._asking.get(key)) is not None:
                await asked.wait()
                continue
            event = self._asking[key] = trio.Event()
            try:
                self._known[key] = await ask()
            finally:
                del self._asking[key]
                event.set()
        self._known.move_to_end(key)
        answer = self._known[key]
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
        return answer

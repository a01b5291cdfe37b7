"""Whose order decides, the client's or the server's: read off which of several candidates a server picked."""

from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

import msgspec

from scanner.wire_facts import Preference


class Pick(msgspec.Struct, frozen=True, gc=False):
    """One choice: what was offered, first choice first, and what the server took."""

    offered: Sequence[int]
    picked: int


class Choices:
    """Choices out of offers that mostly shrink by what was chosen before, and are kept as that.

    An audit offers hundreds of suites a hundred times, to hundreds of servers at once.
    """

    __slots__ = ("_left", "_runs")

    def __init__(self) -> None:
        self._runs: list[tuple[tuple[int, ...], list[int]]] = []
        self._left: list[int] = []
        """What the next offer of the last run consists of."""

    def note(self, offered: tuple[int, ...], picked: int) -> None:
        """The server picked this out of that."""
        if self._runs and self._left == list(offered):
            self._runs[-1][1].append(picked)
        else:
            self._runs.append((offered, [picked]))
            self._left = list(offered)
        if picked in self._left:
            self._left.remove(picked)

    def picks(self) -> Iterator[Pick]:
        """Every choice, with that part of its offer which was taken up at any time."""
        accepted = {picked for _, taken in self._runs for picked in taken}
        for offered, taken in self._runs:
            left = list(filter(accepted.__contains__, offered))
            for picked in taken:
                yield Pick(tuple(left), picked)
                if picked in left:
                    left.remove(picked)


def preference_of(picks: Iterable[Pick]) -> Preference:
    """CLIENT or SERVER only where the other cannot be true.

    A client's order explains a pick that comes first among all that the server is known to take. A server's order
    explains all picks together if "picked over" has no cycle. Both hold as long as no two candidates were ever
    offered in both orders, and nothing is claimed then. A pick that was not offered tells nothing: to SSL 3.0 no
    groups are named, and a server may also break the rules.
    """
    seen = [pick for pick in picks if pick.picked in pick.offered]
    accepted = {pick.picked for pick in seen}
    rivals = [(pick.picked, list(filter(accepted.__contains__, pick.offered))) for pick in seen]
    by_client = all(candidates[0] == picked for picked, candidates in rivals)
    by_server = _has_an_order(rivals)
    if by_client == by_server:
        return Preference.UNKNOWN if by_client else Preference.MIXED
    return Preference.CLIENT if by_client else Preference.SERVER


def _has_an_order(rivals: list[tuple[int, list[int]]]) -> bool:
    beaten: dict[int, set[int]] = {}
    for picked, candidates in rivals:
        for loser in candidates:
            if loser != picked:
                beaten.setdefault(loser, set()).add(picked)
    try:
        TopologicalSorter(beaten).prepare()
    except CycleError:
        return False
    return True

"""Whose order decides, the client's or the server's: read off which of several candidates a server picked."""

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

import msgspec

from scanner.wire_facts import Preference


class Pick(msgspec.Struct, frozen=True, gc=False):
    """One choice: what was offered, first choice first, and what the server took."""

    offered: Sequence[int]
    picked: int


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

"""Two runs of a store side by side, by pages: which domains they share, and whether anything about one differs.

A domain whose facts and judgement have the same hashes in both runs is the same; that is told without reading either.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, exists, func, select, text

from audits import stored_facts
from audits.store_results import DomainResult, domains_numbered, in_parts
from audits.store_schema import domain_results, facts, targets

Hashes = tuple[bytes, bytes]
"""The SHA-256 of the stored facts of a domain, and that of its judgement without times."""


class Pair(msgspec.Struct, frozen=True):
    """A domain of the newer run. `known`: the older run has a result for it; `same`: facts and judgement are equal.

    `judgement`, where both are the same, is the newer one as JSON, the times at which endpoints were seen left blank.
    """

    seq: int
    entry: str
    known: bool
    same: bool
    hashes: Hashes
    judgement: bytes = b""


_ROLLING = b'"rolling":true'
"""In a judgement without it no day of a cliff was left blank, and most have none."""

_new, _old = domain_results.alias("new"), domain_results.alias("old")
_here, _there = targets.alias("here"), targets.alias("there")


def pair_page(connection: Connection, runs: tuple[int, int], after: int, limit: int) -> list[Pair]:
    """The next domains of the second run behind number `after`, each beside the first run's result."""
    older, newer = runs
    rows = connection.execute(
        select(_new.c.seq, _here.c.entry, _new.c.facts, _new.c.judgement, _old.c.facts, _old.c.judgement)
        .add_columns(_new.c.times, facts.c.coding, facts.c.content)
        .join(_here, and_(_here.c.run == _new.c.run, _here.c.seq == _new.c.seq))
        .outerjoin(facts, facts.c.sha256 == _new.c.judgement)
        .outerjoin(_there, and_(_there.c.run == older, _there.c.entry == _here.c.entry))
        .outerjoin(_old, and_(_old.c.run == _there.c.run, _old.c.seq == _there.c.seq))
        .where(_new.c.run == newer, _new.c.seq > after)
        .order_by(_new.c.seq)
        .limit(limit)
    )
    return [_pair(row) for row in rows]


def _pair(row: Any) -> Pair:
    seq, entry, seen, judged, seen_before, judged_before, times, coding, content = row
    hashes = (bytes(seen), bytes(judged))
    known = seen_before is not None
    same = known and hashes == (bytes(seen_before), bytes(judged_before))
    if not same:
        return Pair(seq, entry, known, same, hashes)
    judgement = stored_facts.unpacked(coding, content)
    if _ROLLING in judgement:
        judgement = stored_facts.cliffs_from_text(judgement, stored_facts.unpacked_times(times)[0])
    return Pair(seq, entry, known, same, hashes, judgement)


def missing_page(connection: Connection, runs: tuple[int, int], after: int, limit: int) -> list[tuple[int, str]]:
    """Number and entry of the next targets of the first run that are no targets of the second."""
    older, newer = runs
    listed = exists().where(_here.c.run == newer, _here.c.entry == _there.c.entry)
    wanted = select(_there.c.seq, _there.c.entry).where(_there.c.run == older, _there.c.seq > after, ~listed)
    return [(seq, entry) for seq, entry in connection.execute(wanted.order_by(_there.c.seq).limit(limit))]


def shared_targets(connection: Connection, first: int, second: int) -> int:
    """How many targets two runs have in common."""
    both = and_(_there.c.run == second, _there.c.entry == _here.c.entry)
    return (
        connection.scalar(select(func.count()).select_from(_here).join(_there, both).where(_here.c.run == first)) or 0
    )


def domains_with(connection: Connection, run: int, entries: Sequence[str]) -> dict[str, DomainResult]:
    """The results of those entries that a run has, by entry."""
    names = _numbers(connection, run, entries)
    return {names[result.seq]: result for result in domains_numbered(connection, run, names)}


def hashes_with(connection: Connection, run: int, entries: Sequence[str]) -> dict[str, Hashes]:
    """The hashes of the results of those entries that a run has, by entry."""
    names = _numbers(connection, run, entries)
    row = domain_results.c
    here = select(row.seq, row.facts, row.judgement).where(row.run == run)
    rows = (found for part in in_parts(names) for found in connection.execute(here.where(row.seq.in_(part))))
    return {names[seq]: (bytes(seen), bytes(judged)) for seq, seen, judged in rows}


def _numbers(connection: Connection, run: int, entries: Iterable[str]) -> dict[int, str]:
    """The numbers of those entries that are targets of a run, with the entries.

    As a join: of `entry IN (...)` SQLite believes that to look through the whole run is shorter.
    """
    names: dict[int, str] = {}
    for part in in_parts(entries):
        wanted = ", ".join(f"(:entry{place})" for place in range(len(part)))
        found = text(
            f"WITH wanted (entry) AS (VALUES {wanted}) SELECT targets.seq, targets.entry"
            " FROM wanted JOIN targets ON targets.run = :run AND targets.entry = wanted.entry"
        )
        values = {f"entry{place}": entry for place, entry in enumerate(part)}
        names.update((seq, entry) for seq, entry in connection.execute(found, {"run": run, **values}))
    return names

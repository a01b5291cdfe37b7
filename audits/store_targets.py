"""The targets of a run: each entry once, in the order of the input, and which of them still wait for a result."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Executable, Integer, and_, case, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from audits.store_schema import domain_results, targets
from audits.stored_facts import target_from_stored, target_text
from scanner.facts import Level, Target

_PAGE = 5000
"""Lines in memory at a time."""


class PendingTarget(msgspec.Struct, frozen=True):
    """A target without a result, with its number in the run."""

    seq: int
    target: Target


def add_targets(connection: Connection, run: int, entries: Iterable[Target]) -> tuple[int, int]:
    """Adds an input of any length to a new run; gives the number of targets, and of lines that repeated one.

    Of several demands for the same entry the strongest counts, in whatever order they were listed.
    """
    statement = _upsert(connection)
    lines = 0
    rest = iter(entries)
    while page := list(islice(rest, _PAGE)):
        connection.execute(statement, [_row(run, seq, target) for seq, target in enumerate(page, lines + 1)])
        lines += len(page)
    added = connection.scalar(select(func.count()).where(targets.c.run == run)) or 0
    return added, lines - added


def _upsert(connection: Connection) -> Executable:
    insert = postgresql.insert(targets) if connection.dialect.name == "postgresql" else sqlite.insert(targets)
    demanded = insert.excluded.required
    stronger = _strength(demanded) > _strength(targets.c.required)
    key = [targets.c.run, targets.c.entry]
    return insert.on_conflict_do_update(index_elements=key, set_={"required": demanded}, where=stronger)


def _strength(level: ColumnElement[Any]) -> ColumnElement[int]:
    """The rank of a level, -1 for none; written out, because parameters would be handed over with every row."""
    ranks = [
        (level == literal_column(f"'{word}'"), literal_column(f"{rank}", Integer)) for rank, word in enumerate(Level)
    ]
    return case(*ranks, else_=literal_column("-1", Integer))


def _row(run: int, seq: int, target: Target) -> dict[str, object]:
    text = target_text(target)
    return {"run": run, "seq": seq, "entry": target.entry, "required": target.required, "target": text}


def pending_page(connection: Connection, run: int, after: int, limit: int) -> list[PendingTarget]:
    """The next targets without a result behind number `after`."""
    done = and_(domain_results.c.run == targets.c.run, domain_results.c.seq == targets.c.seq)
    waiting = (
        select(targets.c.seq, targets.c.entry, targets.c.required, targets.c.target)
        .outerjoin(domain_results, done)
        .where(targets.c.run == run, targets.c.seq > after, domain_results.c.seq.is_(None))
        .order_by(targets.c.seq)
        .limit(limit)
    )
    return [PendingTarget(seq, target_from_stored(*fields)) for seq, *fields in connection.execute(waiting)]

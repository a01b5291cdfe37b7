"""The runs of a store: how one begins, is named, found again, and ends."""

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, case, func, select

from audits.store_errors import NoSuchRunError
from audits.store_schema import domain_results, runs
from scanner.facts import Target

LATEST = "latest"
"""Stands for the newest run wherever a run's name is asked for."""
_NAMES_LOOKED_AT = 1000
_NAMES_SHOWN = 5


class RunStatus(StrEnum):
    """How far a run came. Whether an unfinished one still goes on, the lock knows."""

    UNFINISHED = "unfinished"
    FINISHED = "finished"


class RunStart(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run when it begins. `options` is JSON; the digests are hexadecimal SHA-256."""

    started: datetime
    input_digest: str
    options: bytes = b"{}"
    tool_version: str = ""
    trust_digest: str = ""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands: `done` of its `targets` have a result; `duplicates` are the lines that repeated a target.

    `id` is for the store's methods, `name` for people.
    """

    id: int
    name: str
    status: RunStatus
    started: datetime
    finished: datetime | None
    input_digest: str
    options: bytes
    tool_version: str
    trust_digest: str
    targets: int
    duplicates: int
    done: int


def input_digest(entries: Iterable[Target], options: bytes) -> str:
    """By what an input is known again: its normalised entries and demands in their order, and the options."""
    digest = hashlib.sha256(options)
    for target in entries:
        digest.update(f"\n{target.entry} {target.required or ''}".encode())
    return digest.hexdigest()


def insert_run(connection: Connection, start: RunStart) -> int:
    """A new run, still without targets; gives its id."""
    row = msgspec.structs.asdict(start) | {"options": start.options.decode()}
    name = _free_name(connection, start.started)
    new = (
        runs.insert()
        .values(name=name, status=RunStatus.UNFINISHED, targets=0, duplicates=0, **row)
        .returning(runs.c.id)
    )
    run: int = connection.execute(new).scalar_one()
    return run


def _free_name(connection: Connection, started: datetime) -> str:
    """The time to the second, as a file name can carry it; a number behind it where that is taken."""
    name = started.strftime("%Y-%m-%dT%H-%M-%S")
    taken = set(connection.scalars(select(runs.c.name).where(runs.c.name.startswith(name))))
    return next(free for n in range(1, len(taken) + 2) if (free := name if n == 1 else f"{name}-{n}") not in taken)


_RESULTS = select(func.count()).select_from(domain_results).where(domain_results.c.run == runs.c.id).scalar_subquery()
_DONE = case((runs.c.status == RunStatus.FINISHED, runs.c.targets), else_=_RESULTS).label("done")
"""Counted only where it has to be: a finished run has all its results."""
_RUNS = select(runs, _DONE)


def run_by_id(connection: Connection, run: int) -> RunInfo:
    return _info(connection.execute(_RUNS.where(runs.c.id == run)).one())


def all_runs(connection: Connection) -> tuple[RunInfo, ...]:
    """Oldest first."""
    return tuple(_info(row) for row in connection.execute(_RUNS.order_by(runs.c.id)))


def run_by_name(connection: Connection, name: str) -> RunInfo:
    """The run of that name, or the newest for "latest"; `NoSuchRunError` lists the near ones."""
    found = _RUNS.order_by(runs.c.id.desc()).limit(1) if name == LATEST else _RUNS.where(runs.c.name == name)
    if row := connection.execute(found).first():
        return _info(row)
    newest = select(runs.c.name).order_by(runs.c.id.desc())
    raise NoSuchRunError(_no_run(name, connection.scalars(newest.limit(_NAMES_LOOKED_AT)).all()))


def grades_of(connection: Connection, run: int) -> dict[str, int]:
    """How many domains of a run have which grade."""
    grade = domain_results.c.grade
    counted = connection.execute(
        select(grade, func.count().label("domains")).where(domain_results.c.run == run).group_by(grade)
    )
    return {row.grade: row.domains for row in counted}


def newest_unfinished(connection: Connection, digest: str) -> RunInfo | None:
    found = _RUNS.where(runs.c.status == RunStatus.UNFINISHED, runs.c.input_digest == digest)
    row = connection.execute(found.order_by(runs.c.id.desc()).limit(1)).first()
    return _info(row) if row else None


def _info(row: Any) -> RunInfo:
    fields = row._asdict()
    return RunInfo(**fields | {"status": RunStatus(fields["status"]), "options": fields["options"].encode()})


def _no_run(name: str, names: Sequence[str]) -> str:
    if not names:
        return "the store holds no run yet: `tlsaudit scan` makes one"
    near = [other for other in names if other.startswith(name)] or difflib.get_close_matches(name, names, _NAMES_SHOWN)
    which = "the near ones are" if near else "the newest are"
    shown = ", ".join((near or list(names))[:_NAMES_SHOWN])
    return f"there is no run {name[:60]!r}: {which} {shown}; `tlsaudit runs` lists all"

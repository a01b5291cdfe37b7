"""Short notes beside the runs, such as which run was told last; they stand in the table `meta` under "note:KEY"."""

from sqlalchemy import Connection, delete, select

from audits.store_schema import meta

_PREFIX = "note:"


def note(connection: Connection, key: str, value: str) -> None:
    """Keeps the latest value of a key."""
    connection.execute(delete(meta).where(meta.c.key == _PREFIX + key))
    connection.execute(meta.insert().values(key=_PREFIX + key, value=value))


def notes_below(connection: Connection, start: str) -> dict[str, str]:
    """The values of all keys that begin so, by their keys."""
    found = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(_PREFIX + start, autoescape=True))
    return {key.removeprefix(_PREFIX): value for key, value in connection.execute(found)}


def noted(connection: Connection, key: str) -> str | None:
    """The value of a key, None where there is none."""
    value: str | None = connection.scalar(select(meta.c.value).where(meta.c.key == _PREFIX + key))
    return value

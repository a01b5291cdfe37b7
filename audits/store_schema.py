"""The tables of the store, their version, and how a store of an older version becomes a current one.

Facts are content-addressed: what was seen again unchanged costs one small row with a hash. Times are integers, the
microseconds since 1970 in UTC, so that each comes back exactly; in SQL: datetime(seen_at / 1000000, 'unixepoch').
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    inspect,
    select,
    update,
)

from audits.store_errors import StoreError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """A point in time, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData()


def _hash(name: str, *constraints: ForeignKey) -> Column[bytes]:
    """The 32 bytes of a SHA-256; as bytes, because every row of a result carries one or two."""
    return Column(name, LargeBinary(32), *constraints, nullable=False)


_BYTEWISE = String().with_variant(String(collation="C"), "postgresql")
"""Text in the same order on every database, whatever its language."""

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("status", String, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("finished", UtcTime),
    Column("input_digest", String, nullable=False),
    Column("options", Text, nullable=False),
    Column("tool_version", String, nullable=False),
    Column("trust_digest", String, nullable=False),
    Column("targets", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
)

# `target` is empty for a plain domain, which is its entry; else the Target as JSON.
targets = Table(
    "targets",
    metadata,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("entry", String, nullable=False),
    Column("required", String),
    Column("target", Text),
    UniqueConstraint("run", "entry"),
    sqlite_with_rowid=False,
)

# Everything that repeats from night to night: facts of domains and endpoints, judgements. `coding` is 0 for plain
# JSON, 1 for zlib; the hash is that of the plain JSON.
facts = Table(
    "facts",
    metadata,
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("kind", String, nullable=False),
    Column("coding", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("facts", Text, nullable=False),
)

# `times` are those that stood in the judgement and in the facts, which are stored without them (stored_facts).
domain_results = Table(
    "domain_results",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("grade", String, nullable=False),
    Column("times", Text, nullable=False),
    _hash("facts", ForeignKey("facts.sha256")),
    _hash("judgement", ForeignKey("facts.sha256")),
    ForeignKeyConstraint(["run", "seq"], ["targets.run", "targets.seq"]),
    sqlite_with_rowid=False,
)

endpoint_results = Table(
    "endpoint_results",
    metadata,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("endpoint", _BYTEWISE, primary_key=True),
    Column("seen_at", UtcTime, nullable=False),
    _hash("facts", ForeignKey("facts.sha256")),
    sqlite_with_rowid=False,
)


# --- versions ------------------------------------------------------------------------------------------------------

Migration = Callable[[Connection], None]

MIGRATIONS: tuple[Migration, ...] = ()
"""The n-th lifts a store from version n to n + 1. Written in SQL of its time, never through the tables above, which
always show the newest version; never changed once it was released."""

SCHEMA_VERSION = 1 + len(MIGRATIONS)


def schema_version(connection: Connection) -> int:
    """The version of the store behind a connection, 0 for an empty database; `StoreError` if it is something else."""
    names = inspect(connection).get_table_names()
    if not names:
        return 0
    if meta.name in names and runs.name in names:
        value = connection.scalar(select(meta.c.value).where(meta.c.key == "schema"))
        if value is not None and value.isdecimal():
            return int(value)
    raise StoreError("the database holds other tables and is no store of tlsaudit: give another one with --store")


def bring_up_to_date(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Creates the tables in an empty database, or migrates the ones of an older version.

    All within the caller's transaction, so that a store has either its old version or the current one.
    """
    version, current = schema_version(connection), 1 + len(migrations)
    _refuse_newer(version, current)
    if version == 0:
        metadata.create_all(connection)
        connection.execute(meta.insert().values(key="schema", value=str(current)))
        return
    for migration in migrations[version - 1 :]:
        migration(connection)
    if version < current:
        connection.execute(update(meta).where(meta.c.key == "schema").values(value=str(current)))


def refuse_unreadable(version: int, current: int = SCHEMA_VERSION) -> None:
    """Nothing can be read of a database without tables, nor of a store that this program does not know yet."""
    if version == 0:
        raise StoreError("the store is empty: `tlsaudit scan` fills it, or give another one with --store")
    _refuse_newer(version, current)


def _refuse_newer(version: int, current: int) -> None:
    if version > current:
        raise StoreError(
            f"the store was written by a newer tlsaudit (schema {version}, this one knows {current}):"
            " use that version, or give another store with --store"
        )

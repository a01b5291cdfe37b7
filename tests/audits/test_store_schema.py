"""Stores of every version: an old one becomes a current one with all that is in it, a newer one is left alone."""

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, inspect

from audits.store import RunStatus, Store, StoreError, StoreLockedError
from audits.store_database import open_database
from audits.store_schema import SCHEMA_VERSION, UtcTime, bring_up_to_date, metadata, schema_version
from scanner.facts import Endpoint, Level
from scanner.failures import Kind
from tests.stored_samples import entries, result, seen, start

# What version 1 wrote, frozen on the day of its making: never to be changed, and whatever comes later must read it.
VERSION_1 = """
CREATE TABLE meta ("key" VARCHAR NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE runs (
    id INTEGER NOT NULL, name VARCHAR NOT NULL, status VARCHAR NOT NULL, started BIGINT NOT NULL, finished BIGINT,
    input_digest VARCHAR NOT NULL, options TEXT NOT NULL, tool_version VARCHAR NOT NULL, trust_digest VARCHAR NOT NULL,
    targets INTEGER NOT NULL, duplicates INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (name)
);
CREATE TABLE facts (
    sha256 BLOB NOT NULL, kind VARCHAR NOT NULL, coding INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (sha256)
);
CREATE TABLE certificates (sha256 BLOB NOT NULL, der BLOB NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (sha256));
CREATE TABLE targets (
    run INTEGER NOT NULL, seq INTEGER NOT NULL, entry VARCHAR NOT NULL, required VARCHAR, target TEXT,
    PRIMARY KEY (run, seq), UNIQUE (run, entry), FOREIGN KEY(run) REFERENCES runs (id)
) WITHOUT ROWID;
CREATE TABLE endpoint_results (
    run INTEGER NOT NULL, endpoint VARCHAR NOT NULL, seen_at BIGINT NOT NULL, facts BLOB NOT NULL,
    PRIMARY KEY (run, endpoint), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY(facts) REFERENCES facts (sha256)
) WITHOUT ROWID;
CREATE TABLE domain_results (
    run INTEGER NOT NULL, seq INTEGER NOT NULL, grade VARCHAR NOT NULL, times TEXT NOT NULL, facts BLOB NOT NULL,
    judgement BLOB NOT NULL,
    PRIMARY KEY (run, seq), FOREIGN KEY(run, seq) REFERENCES targets (run, seq),
    FOREIGN KEY(facts) REFERENCES facts (sha256), FOREIGN KEY(judgement) REFERENCES facts (sha256)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('schema', '1');
INSERT INTO runs VALUES (1, '2026-11-21T06-30-00', 'unfinished', 1795242600123456, NULL, 'abab', '{"ports":[25]}',
    '0.1.0', 'cdcd', 3, 1);
INSERT INTO targets VALUES (1, 1, 'example.org', 'MUST', NULL);
INSERT INTO targets VALUES (1, 3, '[mx.example.org]:587', NULL,
    '{"entry":"[mx.example.org]:587","name":"mx.example.org","brackets":true,"port":587,"required":null}');
INSERT INTO targets VALUES (1, 4, 'example.net', NULL, NULL);
"""
DOMAIN_1 = (
    '{"target":{"entry":"example.org","name":"example.org","brackets":false,"port":null,"required":"MUST"},'
    '"route":{"status":"mx","hosts":[{"name":"mx.example.org","preference":10,"addresses":["192.0.2.1"],"aliases":[],'
    '"missing":false,"failure":null,"dnssec":"indeterminate"}],"submission":[],"aliases":[],"failure":null,'
    '"mx_dnssec":"indeterminate"},"endpoints":[{"mx_host":"mx.example.org","preference":10,'
    '"endpoint":{"address":"192.0.2.1","port":25,"sni":""},"use":"mail"}]}'
)
ENDPOINT_1 = (
    '{"endpoint":{"address":"192.0.2.1","port":25,"sni":""},"sessions":[{"hello":"postfix-must",'
    '"greeting":{"code":220,"lines":["mx.example.org ESMTP"]},"ehlo":null,"helo":null,"mail_clear":null,'
    '"starttls":null,"handshake":{"version":"TLSv1.2","suite":"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",'
    '"openssl_suite":"ECDHE-RSA-AES128-GCM-SHA256","group":"X25519","chain":["%(der)s"],'
    '"client_certificate_requested":false,"sni":null},"ehlo_tls":null,"helo_tls":null,"mail_tls":null,'
    '"failure":{"type":"failure","stage":"ehlo-tls","kind":"temporary-reply","detail":"",'
    '"reply":{"code":421,"lines":["caf\\u00e9"]}},"transcript":["S: 220 mx.example.org ESMTP"]}],'
    '"certificates":["%(der)s"],"failure":null}'
)
CERTIFICATE_1 = (
    '{"sha256":"%(der)s","der":"","subject":"CN=mx.example.org","issuer":"CN=Example CA","serial":"0a",'
    '"not_before":"2026-10-22T06:30:00Z","not_after":"2027-01-20T06:30:00Z","names_dns":["mx.example.org"],'
    '"names_ip":[],"common_names":["mx.example.org"],"has_san":true,"key":{"algorithm":"RSA","bits":2048,'
    '"security_bits":112,"curve":null,"spki_sha256":"48ff"},"signature_algorithm":"sha256WithRSAEncryption",'
    '"signature_hash":"SHA-256","is_ca":null,"path_length":null,"key_usage":[],"extended_key_usage":["serverAuth"],'
    '"self_issued":false,"ocsp_urls":[],"must_staple":false,"problem":""}'
)
DER_1 = b"0\x82 a certificate"


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    der = {"der": hashlib.sha256(DER_1).hexdigest()}
    contents = {"domain": DOMAIN_1, "endpoint": ENDPOINT_1 % der, "judgement": '{"grade":"MAY","seen_at":""}'}
    sha256 = {kind: hashlib.sha256(text.encode()).digest() for kind, text in contents.items()}
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.executescript(VERSION_1)
        for kind, text in contents.items():
            old.execute("INSERT INTO facts VALUES (?, ?, 0, ?)", (sha256[kind], kind, text.encode()))
        old.execute(
            "INSERT INTO certificates VALUES (?, ?, ?)", (bytes.fromhex(der["der"]), DER_1, CERTIFICATE_1 % der)
        )
        row = ("2026-11-21T06:30:01.000001Z", sha256["domain"], sha256["judgement"])
        old.execute("INSERT INTO domain_results VALUES (1, 1, 'MAY', ?, ?, ?)", row)
        old.execute(
            "INSERT INTO endpoint_results VALUES (1, '192.0.2.1:25', 1795242601000001, ?)", (sha256["endpoint"],)
        )
    old.close()
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    """A database in which transactions begin where they are said to begin, DDL included."""
    engine = create_engine(f"sqlite:///{tmp_path}/new.db", connect_args={"isolation_level": None})
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("writing", [False, True])
def test_a_store_of_version_1_is_read_as_a_current_one(version_1: Path, writing: bool) -> None:
    with Store.open(version_1, writing=writing) as store:
        run = store.run("latest")
        assert (run.name, run.status, run.targets, run.duplicates, run.done) == (
            "2026-11-21T06-30-00",
            RunStatus.UNFINISHED,
            3,
            1,
            1,
        )
        assert run.started == datetime(2026, 11, 21, 6, 30, 0, 123456, tzinfo=UTC)
        assert (run.options, run.tool_version, run.trust_digest) == (b'{"ports":[25]}', "0.1.0", "cdcd")
        assert store.resume_run("abab") == run
        (found,) = store.domains(run.id)
        assert found.grade == "MAY"
        assert found.judgement == b'{"grade":"MAY","seen_at":"2026-11-21T06:30:01.000001Z"}'
        assert found.facts.target.required is Level.MUST
        assert [ref.mx_host for ref in found.facts.endpoints] == ["mx.example.org"]
        endpoint = store.endpoints_of(run.id, found.facts.endpoints)[Endpoint("192.0.2.1", 25)]
        assert endpoint.seen_at == datetime(2026, 11, 21, 6, 30, 1, 1, tzinfo=UTC)
        (session,), (certificate,) = endpoint.sessions, endpoint.certificates
        assert session.failure is not None
        assert (session.failure.kind, str(session.failure.reply and session.failure.reply.text)) == (
            Kind.TEMPORARY,
            "421 caf\xe9",
        )
        assert certificate.der == DER_1
        assert certificate.names_dns == ("mx.example.org",)
        waiting = [(pending.seq, pending.target.port) for pending in store.pending_targets(run.id)]
        assert waiting == [(3, 587), (4, None)]


def test_a_store_of_version_1_goes_on_as_a_current_one(version_1: Path, tmp_path: Path) -> None:
    with Store.open(version_1, writing=True) as store:
        run = store.begin_run(start(48), entries(2)).id
        store.save(run, [result(1)], [seen(1)])
        assert list(store.endpoints(run)) == [seen(1)]
    Store.open(tmp_path / "fresh.db", writing=True).close()
    assert tables(version_1) == tables(tmp_path / "fresh.db")
    assert version_of(version_1) == str(SCHEMA_VERSION)


def tables(path: Path) -> dict[str, object]:
    """What matters of the tables of a store, however they came to be."""
    engine = create_engine(f"sqlite:///{path}")
    look = inspect(engine)
    found = {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(name)],
            look.get_pk_constraint(name)["constrained_columns"],
            [unique["column_names"] for unique in look.get_unique_constraints(name)],
            sorted(str(key["constrained_columns"]) + key["referred_table"] for key in look.get_foreign_keys(name)),
            sorted(str(index["column_names"]) for index in look.get_indexes(name)),
        )
        for name in look.get_table_names()
    }
    engine.dispose()
    return dict(found)


def version_of(path: Path) -> str:
    with sqlite3.connect(path) as raw:
        (version,) = raw.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    raw.close()
    return str(version)


# --- how migrations run, shown with two that are made up --------------------------------------------------------------


def add_note(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN note VARCHAR")


def fill_note(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE runs SET note = 'old: ' || name")


def fail(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
    raise RuntimeError("the power is gone")


def old_store(engine: Engine) -> None:
    with engine.begin() as connection:
        bring_up_to_date(connection, ())
        connection.exec_driver_sql(
            "INSERT INTO runs VALUES (1, 'a', 'finished', 0, 0, '', '', '', '', 0, 0)",
        )


def test_migrations_run_in_order_from_where_the_store_is(empty: Engine) -> None:
    old_store(empty)
    for migrations, version in (((), 1), ((add_note,), 2), ((add_note, fill_note), 3), ((fail, fail), 3)):
        with empty.begin() as connection:
            bring_up_to_date(connection, migrations)
            assert schema_version(connection) == version
    with empty.connect() as connection:
        assert connection.exec_driver_sql("SELECT note FROM runs").scalar() == "old: a"


def test_a_migration_that_fails_leaves_the_old_version(empty: Engine) -> None:
    old_store(empty)
    with pytest.raises(RuntimeError, match="the power is gone"), empty.begin() as connection:
        bring_up_to_date(connection, (add_note, fail))
    with empty.connect() as connection:
        assert schema_version(connection) == 1
        assert set(inspect(connection).get_table_names()) == set(metadata.tables)
        assert "note" not in {column["name"] for column in inspect(connection).get_columns("runs")}


def test_an_empty_database_becomes_current_at_once(empty: Engine) -> None:
    with empty.begin() as connection:
        assert schema_version(connection) == 0
        bring_up_to_date(connection, (fail, fail))
        assert schema_version(connection) == 3


@pytest.mark.parametrize("writing", [False, True])
def test_an_older_store_is_migrated_when_it_is_opened(version_1: Path, writing: bool) -> None:
    for _ in range(2):
        database = open_database(version_1, writing=writing, migrations=(add_note, fill_note))
        with database.reading() as connection:
            assert connection.exec_driver_sql("SELECT note FROM runs").scalar() == "old: 2026-11-21T06-30-00"
        database.close()
        assert version_of(version_1) == "3"


def test_an_older_store_is_not_migrated_under_a_run(version_1: Path) -> None:
    with Store.open(version_1, writing=True), pytest.raises(StoreLockedError):
        open_database(version_1, writing=False, migrations=(add_note,))
    assert version_of(version_1) == str(SCHEMA_VERSION)


def test_a_migration_that_fails_leaves_the_store_as_it_was(version_1: Path) -> None:
    with pytest.raises(RuntimeError, match="the power is gone"):
        open_database(version_1, writing=True, migrations=(add_note, fail))
    assert version_of(version_1) == "1"
    Store.open(version_1, writing=True).close()


@pytest.mark.parametrize("writing", [False, True])
def test_a_newer_store_is_left_alone(version_1: Path, writing: bool) -> None:
    with sqlite3.connect(version_1) as raw:
        raw.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    raw.close()
    with pytest.raises(StoreError, match=rf"newer tlsaudit \(schema 99, this one knows {SCHEMA_VERSION}\): use that"):
        Store.open(version_1, writing=writing)
    assert version_of(version_1) == "99"


@pytest.mark.parametrize("value", ["", "one", "-1"])
def test_a_version_that_is_no_number(version_1: Path, value: str) -> None:
    with sqlite3.connect(version_1) as raw:
        raw.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (value,))
    raw.close()
    with pytest.raises(StoreError, match="is no store of tlsaudit"):
        Store.open(version_1)


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 11, 21, 6, 30, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
def test_times_come_back_to_the_microsecond(empty: Engine, time: datetime) -> None:
    kind = UtcTime()
    stored = kind.process_bind_param(time, empty.dialect)
    assert isinstance(stored, int)
    assert kind.process_result_value(stored, empty.dialect) == time
    assert kind.process_bind_param(time + timedelta(microseconds=-1), empty.dialect) == stored - 1

"""What a real PostgreSQL refuses, forgets and hangs up on, as the store meets it."""

import pytest

from audits.store import Store, StoreError, StoreLockedError
from audits.store_database import open_database
from tests.stored_samples import entries, result, seen, start

from .commands import python, tlsaudit
from .postgresql import new_database, sql

pytestmark = pytest.mark.lab


def test_the_tests_of_the_store_pass(server: str) -> None:
    files = [f"tests/audits/test_store_{name}.py" for name in ("lock", "notes", "pairs", "prune", "results", "runs")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "TLSAUDIT_TEST_STORE", new_database(server, "tested").replace("postgresql:", "postgresql+psycopg:")
        )
        done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout


def test_a_writer_that_lost_its_connection_lost_its_lock(server: str) -> None:
    """It goes on when it has the lock again, and is told when another run has it."""
    url = new_database(server, "lost")
    first = Store.open(url, writing=True)
    run = first.begin_run(start(), entries(3)).id
    hang_up("lost")
    with pytest.raises(StoreError, match="terminating connection"):
        first.save(run, [result(1)], [seen(1)])
    first.save(run, [result(1)], [seen(1)])
    with pytest.raises(StoreLockedError):
        Store.open(url, writing=True)
    hang_up("lost")
    with Store.open(url, writing=True):
        for _ in range(2):
            with pytest.raises(StoreError):
                first.save(run, [result(2)], [seen(2)])
        with pytest.raises(StoreLockedError):
            first.save(run, [result(2)], [seen(2)])
    hang_up("lost")
    first.close()
    with Store.open(url) as store:
        assert store.run("latest").done == 1


def hang_up(database: str) -> None:
    """The server ends the connections to a database."""
    sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")


def test_a_reader_sees_one_moment(server: str) -> None:
    url = new_database(server, "moment")
    with Store.open(url, writing=True) as store:
        run = store.begin_run(start(), entries(2)).id
        reader = open_database(url, writing=False)
        with reader.reading() as connection:
            count = "SELECT count(*) FROM domain_results"
            before = connection.exec_driver_sql(count).scalar()
            store.save(run, [result(1)], [seen(1)])
            assert connection.exec_driver_sql(count).scalar() == before == 0
        reader.close()


def test_the_demo_shows_no_password(server: str) -> None:
    url = new_database(server, "demo").replace("//postgres@", "//postgres:secret@")
    code, out, err = tlsaudit("demo", "--store", url)
    assert code == 0, err
    assert "show must.example --store URL" in err
    assert "secret" not in out + err


def test_missing_rights_are_told(server: str) -> None:
    url = new_database(server, "rights")
    sql("CREATE ROLE guest LOGIN PASSWORD 'secret'")
    guest = url.replace("//postgres@", "//guest:secret@")
    refused = [tlsaudit("demo", "--store", guest)]
    Store.open(url, writing=True).close()
    refused.append(tlsaudit("runs", "--store", guest))
    sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest", "rights")
    assert tlsaudit("runs", "--store", guest)[0] == 0
    refused += [tlsaudit("demo", "--store", guest), tlsaudit("prune", "--keep", "1d", "--store", guest)]
    for code, _, err in refused:
        assert code == 4, err
        assert err.startswith("Error: this user lacks a right in postgresql://guest:***@"), err
        assert "secret" not in err


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("{server}nowhere", 'database "nowhere" does not exist'),
        ("{server}postgres?nosuch=1", 'invalid connection option "nosuch"'),
        ("postgresql://guest:secret@127.0.0.5:1/history", "Connection refused"),
    ],
)
def test_servers_and_databases_that_are_not_there(server: str, url: str, why: str) -> None:
    code, _, err = tlsaudit("runs", "--store", url.format(server=server))
    assert code == 4
    assert err.startswith("Error: ")
    assert why in err
    assert "secret" not in err


def test_text_of_strangers_needs_every_character(server: str) -> None:
    words = "ENCODING '{}' TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER libc"
    latin = new_database(server, "latin", words.format("LATIN1"))
    with pytest.raises(StoreError, match=r"keeps text as LATIN1.*createdb --encoding UTF8"):
        Store.open(latin, writing=True)
    plain = new_database(server, "plain", words.format("SQL_ASCII"))
    with Store.open(plain, writing=True) as store:
        store.remember("name", "čaj")
        assert store.remembered("name") == "čaj"

"""The facts of a stored run for `tlsaudit policy lint --store`: which looks concern a file, and what they say of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from audits.policy_table.history import looks_at
from audits.policy_table.run_age import run_notes
from audits.postfix.errors import ConfigError
from audits.postfix.lint import Kind, LintMessage, on_some_host
from audits.postfix.lint.cert_match import DEFAULT_MATCH
from audits.postfix.lint.facts import concerned, fact_messages, fact_table
from audits.postfix.lint.rows import table_rows
from audits.postfix.lint.tables import KINDS, ListedTables
from audits.postfix.lint.whole import TableRows, safe_policy
from audits.postfix.main_cf import MainCf, parse_main_cf
from audits.postfix.parameters import Version
from audits.postfix.resolve import PER_SITE, POLICY_MAPS
from audits.postfix.source_text import read_source
from audits.postfix.tls_levels import TlsLevel
from audits.store import Store

Match = dict[TlsLevel, tuple[str, ...]]


def stored_run_notes(where: str, run_name: str) -> tuple[str, ...]:
    """What a reader must know of the run: that it is old, or not whole. `StoreError`."""
    with Store.open(where) as store:
        return tuple(run_notes(store.run(run_name), datetime.now(UTC)))


def stored_fact_messages(
    text: str, name: tuple[str, str], kind: Kind, version: Version, run: tuple[str, str]
) -> tuple[LintMessage, ...]:
    """What a run says of one file: a table, or the tables that a main.cf uses. `StoreError`.

    `name` is type and path; `run` the store and the run's name.
    """
    type, path = name
    if kind is Kind.MAIN_CF:
        return tuple(_main_cf_messages(text, path, version, run))
    rows, _ = table_rows(text, path, kind, type, version)
    return _messages(TableRows(f"{type}:{path}", path, rows), kind, run, None, DEFAULT_MATCH)


def _main_cf_messages(text: str, path: str, version: Version, run: tuple[str, str]) -> Iterator[LintMessage]:
    """Nothing of a main.cf that Postfix cannot read: other checks say so."""
    try:
        main_cf = on_some_host(parse_main_cf(text, path, version))
        used = POLICY_MAPS if main_cf.value(POLICY_MAPS) else PER_SITE
    except ConfigError:
        return
    policy = safe_policy(main_cf)
    for table in ListedTables(main_cf, used, read_source).tables:
        yield from _messages(table, KINDS[used], run, policy.level if policy else None, _match(main_cf))


def _match(main_cf: MainCf) -> Match:
    """The names that main.cf compares certificates with where a line says nothing."""
    found = dict(DEFAULT_MATCH)
    for level, name in (
        (TlsLevel.VERIFY, "smtp_tls_verify_cert_match"),
        (TlsLevel.SECURE, "smtp_tls_secure_cert_match"),
    ):
        try:
            words = tuple(main_cf.value(name).replace(",", " ").replace(":", " ").split())
        except ConfigError:
            continue
        found[level] = tuple(filter(None, words)) or found[level]
    return found


def _messages(
    table: TableRows, kind: Kind, run: tuple[str, str], level: TlsLevel | None, match: Match
) -> tuple[LintMessage, ...]:
    where, run_name = run
    with Store.open(where) as store:
        info = store.run(run_name)
        looks = tuple(concerned(looks_at(store.domains(info.id), info), table.rows))
    return fact_messages(fact_table(table.rows, kind, looks, level, match), table.path)

"""Lint of the tables that a main.cf names: opened one by one, so that a bad one does not hide the others."""

from collections.abc import Iterator

import msgspec

from audits.postfix.braces import split_list
from audits.postfix.errors import ConfigError
from audits.postfix.lint import keys, values
from audits.postfix.lint.rows import Row, pattern_rows, table_rows
from audits.postfix.lint.syntax import DUPLICATE, SYNTAX
from audits.postfix.lint.whole import TableRows
from audits.postfix.lint.words import Check, Kind, LintMessage, Severity, declare
from audits.postfix.literal_tables import InlineTable, StaticTable
from audits.postfix.main_cf import MainCf
from audits.postfix.open_tables import UNREADABLE, Reader, open_table
from audits.postfix.parameters import DEFAULT_VERSION, Version
from audits.postfix.pattern_tables import PATTERN_TYPES, PatternTable
from audits.postfix.resolve import PER_SITE, POLICY_MAPS
from audits.postfix.tables import fold_key
from audits.postfix.text_tables import TEXT_TYPES

KINDS = {PER_SITE: Kind.PER_SITE, POLICY_MAPS: Kind.POLICY_MAPS}
TABLE = declare(
    Check(
        id="cf-table",
        severity=Severity.ERROR,
        page="A TLS policy table must read type:name with a type that Postfix knows; other lookups fail, and mail is "
        "deferred.",
        remedy="Write, for instance, hash:/etc/postfix/tls_policy.",
        fails="smtp_tls_policy_maps = /etc/postfix/tls_policy\n",
        passes="smtp_tls_policy_maps = inline:{example.org=may}\n",
        kinds=(Kind.MAIN_CF,),
    )
)
UNREAD = declare(
    Check(
        id="cf-table-unread",
        severity=Severity.WARNING,
        page="The text of the table cannot be read here, so its entries were not checked: its file is missing, or they "
        "stand in a server or a binary file (mysql:, ldap:, proxy:, cdb: and so on). Where Postfix cannot open it "
        "either, every lookup fails and mail is deferred.",
        remedy="Run the check where the file is, or correct the path; of other types check an export as a text table.",
        fails="smtp_tls_policy_maps = hash:missing\n",
        passes="smtp_tls_policy_maps = hash:tls_policy\n",
        kinds=(Kind.MAIN_CF,),
    )
)


def lint_table(
    text: str, path: str, kind: Kind, version: Version = DEFAULT_VERSION, type: str = "hash"
) -> tuple[LintMessage, ...]:
    """The messages about one table, by line; `type` is the table's type in main.cf."""
    rows, messages = table_rows(text, path, kind, type, version)
    return tuple(sorted((*messages, *row_messages(rows, path, kind))))


def row_messages(rows: tuple[Row, ...], path: str, kind: Kind) -> Iterator[LintMessage]:
    """The messages about keys and values."""
    for row in rows:
        yield from keys.RULES.messages(path, row)
        yield from values.BOTH.messages(path, row)
        if kind is Kind.PER_SITE:
            yield from values.SITE.messages(path, row)
        else:
            yield from values.POLICY.messages(path, row)
            yield from _entry_error(row, path)


def _entry_error(row: Row, path: str) -> Iterator[LintMessage]:
    entry = values.entry_of(row)
    if entry.error and not row.computed and not values.has_comment(row):
        yield values.ENTRY_ERRORS[entry.code].at(path, row.line, entry.error)


class ListedTables:
    """The tables of one parameter, read as far as possible: their rows, and the messages about them."""

    def __init__(self, main_cf: MainCf, name: str, reader: Reader | None) -> None:
        self.tables: list[TableRows] = []
        self.messages: list[LintMessage] = []
        self._main_cf = main_cf
        self._name = name
        self._reader = reader
        self._next_hops = next_hops(main_cf)
        try:
            listed = main_cf.value(name)
        except ConfigError:
            return
        for spec in split_list(listed):
            self._read(spec)

    def _read(self, spec: str) -> None:
        main_cf, line, kind = self._main_cf, self._main_cf.line(self._name), KINDS[self._name]
        type, _, path = spec.partition(":")
        in_file = type in (*TEXT_TYPES, *PATTERN_TYPES) and bool(path) and not path.startswith("{")
        if in_file and self._reader is None:
            return
        try:
            if in_file and self._reader is not None:
                rows, messages = table_rows(self._reader(path), path, kind, type, main_cf.version)
                self.messages += messages
            else:
                path, rows = main_cf.path, self._literal_rows(spec, line, kind)
        except ConfigError as error:
            check = UNREAD if in_file or (type in UNREADABLE and path) else TABLE
            self.messages.append(check.at(main_cf.path, line, f"{self._name}: {error.sentence}"))
            return
        self.messages += self._used_keys(row_messages(rows, path, kind), rows)
        self.tables.append(TableRows(spec, path, rows))

    def _used_keys(self, messages: Iterator[LintMessage], rows: tuple[Row, ...]) -> Iterator[LintMessage]:
        """The messages without the notes on brackets and ports of keys that main.cf itself uses as a next-hop."""
        used = {row.line for row in rows if fold_key(row.key, utf8=True) in self._next_hops}
        for message in messages:
            if message.line not in used or message.id not in ("key-brackets", "key-port"):
                yield message

    def _literal_rows(self, spec: str, line: int, kind: Kind) -> tuple[Row, ...]:
        """The rows of a table that stands in main.cf itself: all in the one line."""
        table = open_table(spec, _nothing_to_read, (self._main_cf.path, line))
        version = self._main_cf.version
        match table:
            case InlineTable(index=index, repeated=repeated):
                sentences = [f'the key "{key}" stands twice in {table.name}; the last value counts' for key in repeated]
                self.messages += [DUPLICATE.at(self._main_cf.path, line, sentence) for sentence in sentences]
                return tuple(Row(key, value, line, line, kind, version) for key, value in index.items())
            case StaticTable(value=value):
                return (Row("", value, line, line, kind, version),)
            case PatternTable(problems=problems):
                path = self._main_cf.path
                self.messages += [SYNTAX[problem.code].at(path, line, problem.sentence) for problem in problems]
                rows = pattern_rows(table, kind, version)
                return tuple(msgspec.structs.replace(row, line=line, last=line) for row in rows)
        return ()


def next_hops(main_cf: MainCf) -> frozenset[str]:
    """The next-hops that main.cf names, as keys: relayhost, the fallback relay, and what transports name."""
    found: set[str] = set()
    for name in ("relayhost", "smtp_fallback_relay", "default_transport", "relay_transport"):
        try:
            listed = split_list(main_cf.value(name))
        except ConfigError:
            continue
        if name.endswith("_transport"):
            listed = [word.partition(":")[2] for word in listed]
        found.update(fold_key(word, utf8=True) for word in listed)
    return frozenset(found)


def _nothing_to_read(path: str) -> str:
    raise ConfigError(path, 0, "is not read here")

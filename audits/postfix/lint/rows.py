"""Lint of TLS policy tables: what postmap(1) and smtp(8) warn about, and entries that cannot match.

The rows of a table come from its text (`table_rows`), for hash:, btree:, lmdb:, texthash: as well as for regexp: and
pcre:. A pattern has no key that could be judged, so only its value is.
"""

from collections.abc import Iterator

import msgspec

from audits.postfix.errors import ConfigError
from audits.postfix.lint.syntax import DUPLICATE, SYNTAX, UNSUPPORTED
from audits.postfix.lint.words import Kind, LintMessage
from audits.postfix.parameters import DEFAULT_VERSION, Version
from audits.postfix.pattern_syntax import Dialect
from audits.postfix.pattern_tables import PATTERN_TYPES, MatchRule, PatternTable, parse_pattern_table
from audits.postfix.tables import TableProblem
from audits.postfix.text_tables import parse_text_table


class Row(msgspec.Struct, frozen=True):
    """One entry: `key` is "" for a pattern; `first` the line of an earlier equal key, or 0; `earlier` its value."""

    key: str
    value: str
    line: int
    last: int
    kind: Kind
    version: Version = DEFAULT_VERSION
    first: int = 0
    earlier: str = ""
    computed: bool = False


def syntax_messages(problems: tuple[TableProblem, ...], path: str) -> Iterator[LintMessage]:
    """What Postfix itself warns about while it reads the table."""
    for problem in problems:
        yield SYNTAX[problem.code].at(path, problem.line, problem.sentence)


def duplicate_messages(rows: tuple[Row, ...], path: str) -> Iterator[LintMessage]:
    """Entries that no lookup reaches, because an earlier one has the same key."""
    for row in rows:
        if row.first:
            same = "the same value" if row.value == row.earlier else f'another value ("{row.earlier}"), which counts'
            yield DUPLICATE.at(path, row.line, f'the key "{row.key}" stands already in line {row.first} with {same}')


def table_rows(
    text: str, path: str, kind: Kind, type: str = "hash", version: Version = DEFAULT_VERSION
) -> tuple[tuple[Row, ...], tuple[LintMessage, ...]]:
    """The rows of a table, and the messages about its syntax."""
    if type in PATTERN_TYPES:
        try:
            table = parse_pattern_table(text, path, Dialect(type))
        except ConfigError as error:
            return (), (UNSUPPORTED.at(path, error.line, error.sentence),)
        return pattern_rows(table, kind, version), tuple(syntax_messages(table.problems, path))
    parsed = parse_text_table(text, path, type)
    rows = tuple(
        Row(
            key=entry.key,
            value=entry.value,
            line=entry.line,
            last=entry.last,
            kind=kind,
            version=version,
            first=entry.first,
            earlier=parsed.index[entry.folded].value if entry.first else "",
        )
        for entry in parsed.entries
    )
    return rows, (*syntax_messages(parsed.problems, path), *duplicate_messages(rows, path))


def pattern_rows(table: PatternTable, kind: Kind, version: Version) -> tuple[Row, ...]:
    """The results of a pattern table; a pattern has no key."""
    return tuple(_rule_row(rule, kind, version) for rule in table.rules if isinstance(rule, MatchRule))


def _rule_row(rule: MatchRule, kind: Kind, version: Version) -> Row:
    computed = any(token.is_macro for token in rule.result)
    value = "".join("x" if token.is_macro else token.text for token in rule.result)
    return Row(key="", value=value, line=rule.line, last=rule.line, kind=kind, version=version, computed=computed)

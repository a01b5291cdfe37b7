"""Opens the tables that a main.cf parameter lists, from their source text (DATABASE_README, postconf(1) -m)."""

from collections.abc import Callable

from audits.postfix.braces import BraceError, split_list, without_braces
from audits.postfix.errors import ConfigError
from audits.postfix.literal_tables import parse_inline, parse_static
from audits.postfix.pattern_syntax import Dialect
from audits.postfix.pattern_tables import PATTERN_TYPES, parse_pattern_table
from audits.postfix.source_text import shown
from audits.postfix.tables import Table, TableList
from audits.postfix.text_tables import TEXT_TYPES, parse_text_table

SUPPORTED = (*TEXT_TYPES, "inline", "static", *PATTERN_TYPES)

UNREADABLE = frozenset(
    (
        *("cdb", "dbm", "sdbm", "ldap", "memcache", "mongodb", "mysql", "pgsql", "sqlite", "netinfo", "nis", "nisplus"),
        *("proxy", "socketmap", "tcp", "pipemap", "unionmap", "randmap", "cidr", "environ", "fail", "internal", "unix"),
    )
)
"""Types that Postfix knows and whose entries stand in a server or a binary file, or that are none of TLS policy."""

Reader = Callable[[str], str]
"""From the path of a table to its text; raises ConfigError."""


def open_tables(listed: str, reader: Reader, where: tuple[str, int], utf8: bool = True) -> TableList:
    """Open "type:name, type:name ..."; raises ConfigError at `where` (file and line) or inside of a table."""
    return TableList(tuple(open_table(member, reader, where, utf8) for member in split_list(listed)))


def open_table(spec: str, reader: Reader, where: tuple[str, int], utf8: bool = True) -> Table:
    """Open one "type:name"; raises ConfigError."""
    kind, colon, name = spec.partition(":")
    if not colon or not name:
        sentence = f'"{shown(spec)}" is no table: it must read "type:name", such as hash:/etc/postfix/tls_per_site'
        raise ConfigError(*where, sentence)
    try:
        if kind in TEXT_TYPES:
            return parse_text_table(reader(name), name, kind, utf8)
        if kind in PATTERN_TYPES:
            text, path = _inline_rules(name) if name.startswith("{") else reader(name), name
            return parse_pattern_table(text, path, Dialect(kind), utf8)
        if kind == "inline":
            return parse_inline(name, utf8)
        if kind == "static":
            return parse_static(name)
    except BraceError as error:
        raise ConfigError(*where, f"{kind}: {error}") from error
    raise ConfigError(*where, f'tables of the type "{shown(kind)}" cannot be read here, only {", ".join(SUPPORTED)}')


def _inline_rules(name: str) -> str:
    """ "{ {rule}, {rule} }" as the lines of a file (Postfix 3.7)."""
    return "\n".join(without_braces(member) for member in split_list(without_braces(name)))

"""What looking up a key in a Postfix table gives, and lists of tables searched in turn (DATABASE_README)."""

from typing import Protocol

import msgspec


class Hit(msgspec.Struct, frozen=True, tag="hit"):
    """The key was found: its value, and the place that says so ("FILE:LINE", or the table where it has no lines)."""

    value: str
    place: str


class Miss(msgspec.Struct, frozen=True, tag="miss"):
    """The key is in no table."""


class LookupFailure(msgspec.Struct, frozen=True, tag="failure"):
    """Postfix would report a lookup error and skip the host: `reason` in one sentence."""

    reason: str


Found = Hit | Miss | LookupFailure


class TableProblem(msgspec.Struct, frozen=True):
    """What postmap(1) or the daemon warns about while it reads a table.

    `code` names the kind of problem for lint; `ignored` is true where Postfix drops the line.
    """

    code: str
    line: int
    sentence: str
    ignored: bool = True


class Table(Protocol):
    """One opened table; `name` is its "type:name"."""

    @property
    def name(self) -> str: ...

    def lookup(self, key: str) -> Found:
        """Look up one key, exactly as given; the table itself folds case where Postfix does."""
        ...


class TableList(msgspec.Struct, frozen=True):
    """The tables of one parameter in their order; the first hit decides, a failure ends the search."""

    tables: tuple[Table, ...]

    @property
    def name(self) -> str:
        """The tables as main.cf lists them."""
        return " ".join(table.name for table in self.tables)

    def lookup(self, key: str) -> Found:
        """An empty value is a lookup error, because Postfix wants "no result" for that."""
        if not key:
            return Miss()
        for table in self.tables:
            found = table.lookup(key)
            if isinstance(found, Hit) and not found.value:
                return LookupFailure(f'{table.name} returns an empty value for "{key}"')
            if not isinstance(found, Miss):
                return found
        return Miss()


def fold_key(key: str, utf8: bool) -> str:
    """A key as Postfix compares it: Unicode case folding with smtputf8_enable, else the 26 letters of ASCII."""
    if utf8:
        return key.casefold()
    return "".join(char.lower() if char.isascii() else char for char in key)

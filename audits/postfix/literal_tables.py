"""Tables that stand in main.cf itself: inline:{key=value, ...} and static:value (DATABASE_README)."""

import msgspec

from audits.postfix.braces import BraceError, name_and_value, split_list, without_braces
from audits.postfix.source_text import is_utf8
from audits.postfix.tables import Found, Hit, Miss, fold_key


class InlineTable(msgspec.Struct, frozen=True):
    """inline: the last of two equal keys wins, without a warning; `repeated` are the keys that stand there twice."""

    text: str
    index: dict[str, str]
    utf8: bool
    repeated: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The whole table, as in main.cf."""
        return f"inline:{self.text}"

    def lookup(self, key: str) -> Found:
        """One exact lookup of the folded key."""
        if self.utf8 and not is_utf8(key):
            return Miss()
        value = self.index.get(fold_key(key, self.utf8))
        return Miss() if value is None else Hit(value, "inline:")


class StaticTable(msgspec.Struct, frozen=True):
    """static: the same value for every key."""

    value: str

    @property
    def name(self) -> str:
        """The value with its type."""
        return f"static:{self.value}"

    def lookup(self, key: str) -> Found:
        """Always a hit."""
        return Hit(self.value, self.name)


def parse_inline(text: str, utf8: bool = True) -> InlineTable:
    """Parse "{key=value, {key = value with spaces}}"; raises BraceError."""
    index: dict[str, str] = {}
    repeated: list[str] = []
    for member in split_list(without_braces(text)):
        key, value = name_and_value(without_braces(member) if member.startswith("{") else member)
        folded = fold_key(key, utf8)
        if folded in index:
            repeated.append(folded)
        index[folded] = value
    if not index:
        raise BraceError('an empty table; it must read "inline:{key=value, ...}"')
    return InlineTable(text, index, utf8, tuple(repeated))


def parse_static(text: str) -> StaticTable:
    """Parse "value" or "{ value with spaces }"; raises BraceError."""
    return StaticTable(without_braces(text) if text.startswith("{") else text)

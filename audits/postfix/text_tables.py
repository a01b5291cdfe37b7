"""Tables of "key value" lines: hash:, btree:, lmdb:, texthash:, read from their source text (postmap(1), TABLE FORMAT).

An entry that occurs twice keeps its first value in an indexed file, with a warning of postmap. A texthash: table
with such an entry cannot be opened by smtp(8) at all, and every lookup in it fails.
"""

import re

import msgspec

from audits.postfix.source_text import SPACE, LogicalLine, is_utf8, logical_lines, shown
from audits.postfix.tables import Found, Hit, LookupFailure, Miss, TableProblem, fold_key

_SPACE = re.compile(f"[{SPACE}]")
TEXT_TYPES = ("hash", "btree", "lmdb", "texthash")


class Entry(msgspec.Struct, frozen=True):
    """One usable line: the key as written, folded, and its value; `first` the line of an earlier equal key, or 0."""

    key: str
    folded: str
    value: str
    line: int
    last: int
    first: int = 0


class TextTable(msgspec.Struct, frozen=True):
    """A table read from text; `entries` in the order of the file, duplicates too; `twice` the first duplicate."""

    kind: str
    path: str
    entries: tuple[Entry, ...]
    problems: tuple[TableProblem, ...]
    index: dict[str, Entry]
    utf8: bool
    twice: Entry | None = None

    @property
    def name(self) -> str:
        """Type and path as in main.cf."""
        return f"{self.kind}:{self.path}"

    def lookup(self, key: str) -> Found:
        """One exact lookup of the folded key."""
        if self.kind == "texthash" and self.twice is not None:
            place = f"{self.path}:{self.twice.line}"
            return LookupFailure(f'{place}: the duplicate key "{self.twice.key}" spoils the texthash: table')
        if self.utf8 and not is_utf8(key):
            return Miss()
        entry = self.index.get(fold_key(key, self.utf8))
        return Hit(entry.value, f"{self.path}:{entry.line}") if entry else Miss()


def parse_text_table(text: str, path: str, kind: str = "hash", utf8: bool = True) -> TextTable:
    """Read "key value" lines as postmap does; what postmap ignores becomes a problem."""
    entries: list[Entry] = []
    problems: list[TableProblem] = []
    index: dict[str, Entry] = {}
    for line in logical_lines(text):
        problem, key, value = _parsed(line, utf8)
        problems += problem
        if not key:
            continue
        folded = fold_key(key, utf8)
        earlier = index.get(folded)
        entry = Entry(key, folded, value, line.number, line.last, earlier.line if earlier else 0)
        entries.append(entry)
        index.setdefault(folded, entry)
    twice = next((entry for entry in entries if entry.first), None)
    return TextTable(kind, path, tuple(entries), tuple(problems), index, utf8, twice)


def _parsed(line: LogicalLine, utf8: bool) -> tuple[list[TableProblem], str, str]:
    """Problems, key and value of one line; an empty key where Postfix ignores it."""
    if line.orphan:
        sentence = "the first line starts with white space, so it continues nothing and is ignored"
        return [TableProblem("orphan", line.number, sentence)], "", ""
    if utf8 and not is_utf8(line.text):
        return [TableProblem("not-utf8", line.number, "the line has bytes that are no UTF-8 and is ignored")], "", ""
    end = _end_of_key(line.text)
    if end < 0:
        sentence = f"""unbalanced '"' in "{shown(line.text)}": the line is ignored"""
        return [TableProblem("quote", line.number, sentence)], "", ""
    key, value = line.text[:end], line.text[end:].strip(SPACE)
    if not value:
        return [TableProblem("no-value", line.number, f'"{shown(key)}" has no value, so the line is ignored')], "", ""
    if key.endswith(":"):
        sentence = f'the key "{shown(key)}" ends with ":", as in an alias file; here the ":" is part of the key'
        return [TableProblem("colon", line.number, sentence, ignored=False)], key, value
    return [], key, value


def _end_of_key(text: str) -> int:
    """Where the first white space outside of double quotes stands; -1 where a quote is left open."""
    if '"' not in text and "\\" not in text:
        space = _SPACE.search(text)
        return space.start() if space else len(text)
    quoted = False
    escaped = False
    for position, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char in SPACE and not quoted:
            return position
    return -1 if quoted else len(text)

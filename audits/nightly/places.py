"""Where a key stands in a TOML file, so that a mistake can be told with its line."""

import re
from collections.abc import Mapping

_TABLE = re.compile(r"\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}")
_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*=""")

Places = Mapping[tuple[str, str], int]
"""(table, key) -> line, from 1; ("", key) for keys at the top, (table, "") for the head of a table."""


def places(text: str) -> dict[tuple[str, str], int]:
    """The lines of tables and keys; the first of each. Within a value of several lines nothing is found."""
    found: dict[tuple[str, str], int] = {}
    table, open_brackets = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = _without_strings(line)
        if open_brackets == 0:
            if head := _TABLE.match(line):
                table = head[1]
                found.setdefault((table, ""), number)
            elif key := _KEY.match(line):
                found.setdefault((table, next(filter(None, key.groups()), "")), number)
                bare = bare.partition("=")[2]
        if not _TABLE.match(line) or open_brackets:
            open_brackets = max(0, open_brackets + bare.count("[") - bare.count("]"))
    return found


def _without_strings(line: str) -> str:
    """The line without strings and comments."""
    return re.sub(r""""(?:\\.|[^"\\])*"|'[^']*'""", '""', line).partition("#")[0]

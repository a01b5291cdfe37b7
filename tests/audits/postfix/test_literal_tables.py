"""inline: and static: tables, compared with postmap -q of the installed Postfix."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audits.postfix.braces import BraceError
from audits.postfix.literal_tables import parse_inline, parse_static
from audits.postfix.tables import Hit, Miss

from .oracle import config_folder, queried

KEYS = ["a", "A", "b", "c", "x y", "[h]:25"]


@pytest.mark.parametrize(
    "text",
    [
        "{a=1}",
        "{a=1,b=2}",
        "{ a=1 , {b = 2 3}, { [h]:25 = MUST } }",
        "{a=1, A=2}",
        "{a=1=2}",
        "{a=}",
        "{=1}",
        "{ {a=} }",
        "{{a=1} b=2}",
        "{Ä=1, a={x}}",
    ],
)
def test_inline_tables_answer_as_in_postfix(text: str, tmp_path: Path) -> None:
    table = parse_inline(text)
    found = {key: table.lookup(key) for key in KEYS}
    theirs, _ = queried(config_folder(tmp_path), f"inline:{text}", KEYS)
    assert {key: hit.value for key, hit in found.items() if isinstance(hit, Hit)} == theirs


NO_TABLES = ["{}", "{ }", "{a}", "{a b=1}", "a=1", "{a=1", "{a=1}b", "{{a=1}", "{ {a=1}x }", "{ {} }"]


@pytest.mark.parametrize("text", NO_TABLES)
def test_text_that_is_no_inline_table_is_refused(text: str) -> None:
    with pytest.raises(BraceError):
        parse_inline(text)


def test_postfix_refuses_all_of_them(tmp_path: Path) -> None:
    """At once, because a Postfix program that fails sleeps for a second."""
    config_folder(tmp_path)
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda text: queried(tmp_path, f"inline:{text}", KEYS), NO_TABLES))
    assert [(found, log) for found, log in answers if found or "fatal" not in log] == []


@pytest.mark.parametrize("text", ["MUST", "{MUST}", "{ MUST_NOPEERMATCH x }", "a,b"])
def test_static_tables_answer_as_in_postfix(text: str, tmp_path: Path) -> None:
    table = parse_static(text)
    theirs, _ = queried(config_folder(tmp_path), f"static:{text}", KEYS)
    assert theirs == dict.fromkeys(KEYS, table.value)
    assert table.lookup("anything") == Hit(table.value, table.name)


def test_static_braces_must_close() -> None:
    with pytest.raises(BraceError, match="without its"):
        parse_static("{MUST")


def test_a_key_of_bad_bytes_is_a_miss() -> None:
    assert parse_inline("{a=1}").lookup("a\udcff") == Miss()

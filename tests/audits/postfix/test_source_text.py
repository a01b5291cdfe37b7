"""Reading configuration text: limits, and the joining of lines."""

from pathlib import Path

import pytest

from audits.postfix.errors import ConfigError
from audits.postfix.source_text import (
    MAX_LINE_BYTES,
    LogicalLine,
    checked_source,
    is_utf8,
    logical_lines,
    read_source,
    shown,
)


def test_lines_are_joined_and_comments_vanish_even_between_them() -> None:
    text = "# head\n\na = b\n   c\n#no\n \t\n  # no\n\td\ne = f\n"
    assert list(logical_lines(text)) == [
        LogicalLine(number=3, last=8, text="a = b   c\td"),
        LogicalLine(number=9, last=9, text="e = f"),
    ]


def test_text_that_continues_nothing_is_an_orphan() -> None:
    lines = list(logical_lines(" a = b\n  c\nd = e"))
    assert [(line.number, line.text, line.orphan) for line in lines] == [(1, " a = b  c", True), (3, "d = e", False)]


def test_only_line_feeds_end_lines() -> None:
    assert [line.text for line in logical_lines("a\rb\x0bc\x1cd\u2028e\nf")] == ["a\rb\x0bc\x1cd\u2028e", "f"]


def test_a_non_breaking_space_is_text() -> None:
    assert [line.text for line in logical_lines("a\n\u00a0b\n")] == ["a", "\u00a0b"]


def test_a_nul_byte_is_an_error_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"^main.cf:2: NUL byte"):
        checked_source(b"a = b\nc = \0\n", "main.cf")


def test_a_line_of_a_megabyte_is_an_error_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"^main.cf:3: line of 1000000 bytes"):
        checked_source(b"a = b\n\n" + b"x" * 1_000_000, "main.cf")
    assert checked_source(b"x" * MAX_LINE_BYTES, "main.cf")


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match=r"^/dev/zero: is larger than 64 MB"):
        read_source("/dev/zero")


@pytest.mark.parametrize("name", ["missing", "", "nul\0"])
def test_a_file_that_cannot_be_read_is_an_error_without_a_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_source(str(tmp_path / name))
    assert caught.value.line == 0


def test_bytes_that_are_no_utf8_survive_and_are_shown_as_question_marks(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(b"a\xff\xfe b\xc3\xa4")
    text = read_source(str(path))
    assert (is_utf8(text), shown(text)) == (False, "a?? bä")
    assert is_utf8(shown(text))

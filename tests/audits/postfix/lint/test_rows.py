"""Rows of tables of every type."""

from audits.postfix.lint.rows import table_rows
from audits.postfix.lint.words import Kind


def test_rows_of_a_text_table_know_their_duplicates() -> None:
    rows, messages = table_rows("a MUST\nb MAY\nA NONE\n", "t", Kind.PER_SITE)
    assert [(row.key, row.value, row.line, row.first, row.earlier) for row in rows] == [
        ("a", "MUST", 1, 0, ""),
        ("b", "MAY", 2, 0, ""),
        ("A", "NONE", 3, 1, "MUST"),
    ]
    assert [message.message for message in messages] == [
        'the key "A" stands already in line 1 with another value ("MUST"), which counts'
    ]


def test_rows_of_a_pattern_table_have_no_keys() -> None:
    rows, messages = table_rows("if /a/\n/b/ MUST\nendif\n/(c)/ x$1\n", "t", Kind.PER_SITE, "regexp")
    assert [(row.key, row.value, row.line, row.computed) for row in rows] == [
        ("", "MUST", 2, False),
        ("", "xx", 4, True),
    ]
    assert messages == ()


def test_a_pattern_that_cannot_be_translated_is_one_message() -> None:
    rows, messages = table_rows("/b/ MUST\n/\\d/ MAY\n", "t", Kind.PER_SITE, "regexp")
    assert (rows, [(message.line, message.id) for message in messages]) == ((), [(2, "table-unsupported")])

"""The grammar that both TXT records share: every alternative of RFC 8461 section 3.1 and RFC 8460 section 3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.text_records import RecordSyntaxError, begins, check_value, fields, the_one

VERSION = "v=STSv1"
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", fullmatch=True)
VALUES = st.text([chr(code) for code in range(0x21, 0x7F) if chr(code) not in ";="], min_size=1, max_size=40)
BLANKS = st.text(" \t", max_size=3)


@given(st.lists(st.tuples(BLANKS, BLANKS, NAMES, VALUES), min_size=1, max_size=5), st.booleans(), BLANKS)
def test_what_the_grammar_allows_is_read_back(given_fields, ends_with_delimiter, blanks):
    text = VERSION + "".join(f"{before};{after}{name}={value}" for before, after, name, value in given_fields)
    text += f"{blanks};{blanks}" if ends_with_delimiter else ""
    assert begins(text, VERSION)
    assert fields(text, VERSION) == tuple((name, value) for _, _, name, value in given_fields)
    for name, value in fields(text, VERSION):
        check_value(name, value)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    record = f"{VERSION};{text}"
    try:
        found = fields(record, VERSION)
    except RecordSyntaxError:
        return
    assert all(name for name, _ in found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=STSv1",
        "v=stsv1; id=1",
        "V=STSv1; id=1",
        " v=STSv1; id=1",
        "v=STSv10; id=1",
        "v=STSv1 id=1",
        "v=STSv1,id=1",
    ],
)
def test_what_does_not_begin_with_the_version_is_no_record(text):
    assert not begins(text, VERSION)
    assert the_one([text], VERSION) is None


@pytest.mark.parametrize(
    "rest", [";id", ";=1", "; id =1", ";;id=1", "; id=1;;", "; -a=1", "; " + "a" * 33 + "=1", "; i\u00e4=1"]
)
def test_broken_fields(rest):
    with pytest.raises(RecordSyntaxError):
        fields(VERSION + rest, VERSION)


@pytest.mark.parametrize("value", ["", "a=b", "a b", "a\tb", "\x7f", "\u00e4"])
def test_broken_values(value):
    with pytest.raises(RecordSyntaxError):
        check_value("name", value)


def test_two_records_are_none():
    assert the_one(["v=spf1 -all", "v=STSv1; id=1"], VERSION) == "v=STSv1; id=1"
    with pytest.raises(RecordSyntaxError, match="2 records"):
        the_one(["v=STSv1; id=1", "v=STSv1; id=2"], VERSION)

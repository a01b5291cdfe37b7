"""JSON that may be looked at: nothing in it is obeyed by a terminal, and it says the same."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audits.json_text import json_text
from tests.audits.sample_records import HOSTILE, OBEYED


@given(st.text() | st.text(st.sampled_from('a"\\\n\x1b\x9b\x7f\u202e\u2028\U000e0001\u00ad é')))
def test_nothing_invisible_is_left_and_the_value_is_the_same(text):
    shown = json_text(msgspec.json.encode({text: [text]}))
    assert shown.isprintable()
    assert json.loads(shown) == {text: [text]}


def test_indented_json_keeps_its_lines():
    shown = json_text(msgspec.json.format(msgspec.json.encode({"said": HOSTILE})))
    assert shown.count("\n") == 2
    assert not set(shown) & set(OBEYED)


def test_what_people_can_read_stays_readable():
    assert json_text(msgspec.json.encode("bücher.example")) == '"bücher.example"'

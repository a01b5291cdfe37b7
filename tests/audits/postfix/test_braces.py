"""Lists with braces."""

import pytest

from audits.postfix.braces import BraceError, name_and_value, split_list, without_braces


def test_separators_inside_of_braces_separate_nothing() -> None:
    assert split_list(" a,, {b, {c d}} x{e f}g\th ") == ["a", "{b, {c d}}", "x{e f}g", "h"]


def test_an_open_brace_takes_the_rest_and_a_stray_one_nothing() -> None:
    assert split_list("a {b c, d") == ["a", "{b c, d"]
    assert split_list("a} b") == ["a}", "b"]


def test_only_the_outer_braces_go() -> None:
    assert without_braces("{ {a} b }") == "{a} b"


@pytest.mark.parametrize("text", ["a", "{a", "{a}b", "{{a}", ""])
def test_braces_must_enclose_the_text(text: str) -> None:
    with pytest.raises(BraceError):
        without_braces(text)


def test_a_value_may_hold_an_equals_sign() -> None:
    assert name_and_value(" a = b=c ") == ("a", "b=c")

"""Messages, checks and their list."""

import pytest

from audits.postfix.lint.words import CHECKS, Check, Kind, LintMessage, Rules, Severity, declare


def test_an_id_is_given_once() -> None:
    with pytest.raises(ValueError, match="is taken"):
        declare(CHECKS["cf-syntax"])


def test_messages_sort_by_file_and_line() -> None:
    check = Check("x", Severity.INFO, "page", "remedy", "", "")
    late, early, other = check.at("a", 10, "m"), check.at("a", 9, "m"), check.at("b", 1, "m")
    assert sorted([other, late, early]) == [early, late, other]


def test_a_message_about_a_whole_file_has_no_line() -> None:
    message = LintMessage("main.cf", 0, "x", Severity.WARNING, "reason", "remedy")
    assert str(message) == "main.cf: warning: reason [x] remedy"


def test_bytes_that_are_no_utf8_are_printable() -> None:
    assert Check("x", Severity.INFO, "page", "remedy", "", "").at("t", 1, "a\udcff").message == "a?"


def test_a_check_may_name_another_file_and_another_severity() -> None:
    rules = Rules(Kind.MAIN_CF)

    @rules.check("test-words", Severity.ERROR, fails="", passes="", remedy="r")
    def example(subject: str) -> object:
        """The page."""
        yield 1, subject
        yield ("other", 2), subject, Severity.INFO

    assert list(rules.messages("main.cf", "m")) == [
        LintMessage("main.cf", 1, "test-words", Severity.ERROR, "m", "r"),
        LintMessage("other", 2, "test-words", Severity.INFO, "m", "r"),
    ]
    assert CHECKS.pop("test-words").page == "The page."

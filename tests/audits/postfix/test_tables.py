"""Lists of tables, and the folding of keys."""

from audits.postfix.tables import Found, Hit, LookupFailure, Miss, TableList, fold_key


class Fixed:
    """A table with one answer for all."""

    def __init__(self, answer: Found) -> None:
        self.name = "fixed:"
        self._answer = answer

    def lookup(self, key: str) -> Found:
        return self._answer


def test_the_first_answer_that_is_no_miss_counts() -> None:
    failure, hit = LookupFailure("broken"), Hit("MAY", "t:1")
    assert TableList((Fixed(Miss()), Fixed(hit), Fixed(failure))).lookup("a") == hit
    assert TableList((Fixed(Miss()), Fixed(failure), Fixed(hit))).lookup("a") == failure
    assert TableList((Fixed(Miss()),)).lookup("a") == Miss()
    assert TableList(()).lookup("a") == Miss()


def test_an_empty_value_is_a_failure_and_an_empty_key_a_miss() -> None:
    tables = TableList((Fixed(Hit("", "t:1")),))
    assert tables.lookup("a") == LookupFailure('fixed: returns an empty value for "a"')
    assert tables.lookup("") == Miss()


def test_keys_fold_as_with_and_without_smtputf8() -> None:
    assert fold_key("MX.Ä.ß.example", utf8=True) == "mx.ä.ss.example"
    assert fold_key("MX.Ä.ß.example", utf8=False) == "mx.Ä.ß.example"

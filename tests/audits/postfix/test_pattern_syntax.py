"""Translation of POSIX and PCRE patterns; what they match is compared with Postfix in test_pattern_tables."""

import pytest

from audits.postfix.pattern_syntax import Dialect, InvalidPattern, UnsupportedPattern, translate


@pytest.mark.parametrize(
    ("pattern", "dialect", "groups", "ambiguous"),
    [
        ("^a$", Dialect.REGEXP, 0, False),
        ("(a)(b(c))", Dialect.REGEXP, 3, False),
        ("(?:a)(b)", Dialect.PCRE, 1, False),
        ("(?=a)(?!b).", Dialect.PCRE, 0, False),
        ("a|b", Dialect.REGEXP, 0, True),
        ("(ab)?$", Dialect.REGEXP, 1, False),
        ("(ab)?", Dialect.REGEXP, 1, True),
        ("(ab)*$", Dialect.REGEXP, 1, True),
        ("a*?", Dialect.PCRE, 0, False),
    ],
)
def test_groups_are_counted_and_ambiguity_is_seen(pattern: str, dialect: Dialect, groups: int, ambiguous: bool) -> None:
    translated = translate(pattern, dialect, ignore_case=True)
    assert (translated.groups, translated.ambiguous) == (groups, ambiguous)


def test_case_counts_only_where_asked() -> None:
    assert translate("A", Dialect.PCRE, ignore_case=True).regex.search(b"a")
    assert not translate("A", Dialect.PCRE, ignore_case=False).regex.search(b"a")
    assert not translate("Ä", Dialect.PCRE, ignore_case=True).regex.search("ä".encode())


def test_an_anchored_pattern_matches_at_the_start_in_all_its_alternatives() -> None:
    assert not translate("a|b", Dialect.PCRE, ignore_case=True, anchored=True).regex.search(b"xb")


def test_a_dollar_is_the_very_end() -> None:
    assert not translate("a$", Dialect.REGEXP, ignore_case=True).regex.search(b"a\n")


@pytest.mark.parametrize("pattern", ["(", "[", "[a", "*", "a|+", "(?", "a{2,1}", "a\\", "[b-a]", "[[:nope:]]"])
def test_what_no_engine_compiles_is_invalid(pattern: str) -> None:
    with pytest.raises((InvalidPattern, UnsupportedPattern)):
        translate(pattern, Dialect.REGEXP, ignore_case=True)


def test_deep_nesting_is_refused_not_a_crash() -> None:
    with pytest.raises(UnsupportedPattern):
        translate("(" * 5000 + "a" + ")" * 5000, Dialect.REGEXP, ignore_case=True)

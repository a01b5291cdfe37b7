"""regexp: and pcre: tables, compared with postmap -q of the installed Postfix."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.postfix.errors import ConfigError
from audits.postfix.pattern_syntax import Dialect
from audits.postfix.pattern_tables import PatternTable, parse_pattern_table
from audits.postfix.tables import Hit, LookupFailure, Miss

from .oracle import config_folder, queried, written

KEYS = [
    "example.org",
    "www.Example.org",
    "a.b.example.org",
    "example.net",
    "[mx.example.org]:25",
    "aa",
    "baab",
    "a1",
    "1a",
    "b",
    "ab",
    "abc",
    "X1",
    "x1",
    "qa",
    "qb",
    "z",
    "foo",
    "foobar",
    "]",
    "a-z",
    "a_b",
    "a b",
    "192.0.2.1",
    "[IPv6:2001:db8::1]",
    "äpfel.example",
    "xn--pfel-5qa.example",
    "$",
    "a{2}",
    ".",
]
BOTH = r"""/^(.*\.)?example\.org$/ MUST
/^a{2}$/ two
/^[[:alpha:]][[:digit:]]+$/ $$digits
/^(a)(b)?c$/ <$1>
/^([^.]+)\.net$/ m=${1}
/^x1$/i lower only
if /^q/
/qa/ QA
if /b/
/qb/ inner
endif
endif
if !/^[qz]/
/^foo$/ foo outside
endif
! ! /^foobar$/ twice negated
/^[]a]$/ bracket
/^\[(.*)\]:25$/ port $1
/^\d+/ PCRE ONLY
/^192\.0\.2\.[0-9]{1,3}$/ address
/\.EXAMPLE$/ upper
!/./ never
/^[^a-y]*[$.]?$/ rest
|^a\|b| delimiter
"""
REGEXP_ONLY = "/a/!/b/ a without b\n/^[[:upper:]]+$/!  /^$/ upper\n"


def ours(table: PatternTable, keys: list[str]) -> dict[str, str]:
    """What our table finds."""
    found = {key: table.lookup(key) for key in keys}
    return {key: hit.value for key, hit in found.items() if isinstance(hit, Hit)}


def both(folder: Path, kind: Dialect, text: str, keys: list[str] = KEYS) -> PatternTable:
    """Our table, after postmap was found to answer in the same way and to complain about the same lines."""
    name, _ = written(config_folder(folder), kind, text)
    theirs, log = queried(folder, name, keys)
    table = parse_pattern_table(text, "table", kind)
    assert ours(table, keys) == theirs
    assert {problem.line for problem in table.problems} == {
        int(line.partition(", line ")[2].partition(":")[0]) for line in log.splitlines() if ", line " in line
    }
    return table


@pytest.mark.parametrize("kind", Dialect)
def test_a_table_of_every_construct(kind: Dialect, tmp_path: Path) -> None:
    text = BOTH.replace(r"/^\d+/ PCRE ONLY" + "\n", "") + REGEXP_ONLY if kind is Dialect.REGEXP else BOTH
    both(tmp_path, kind, text)


PROBLEMS = {
    "/a x": "pattern",
    "/a/q x": "pattern",
    "/a[/ x": "pattern",
    "/(a/ x": "pattern",
    "/*a/ x": "pattern",
    "/a{2,1}/ x": "pattern",
    "/[[:alfa:]]/ x": "pattern",
    "!": "pattern",
    "/a/": "no-value",
    "/a/ $1": "substitution",
    "/(a)/ $2": "substitution",
    "/(a)/ $x": "substitution",
    "/(a)/ $0": "substitution",
    "/(a)/ ${1": "substitution",
    "/(a)/ 5$": "substitution",
    "!/(a)/ $1": "substitution",
    "if /a/": "if",
    "endif": "if",
    "if /a/ x\nendif": "extra-text",
    "if /a/\nendif x": "extra-text",
    "if": "pattern",
    "iffy /a/ x": "unrecognized",
    "example.org MUST": "unrecognized",
    " /a/ x": "orphan",
}


@pytest.mark.parametrize("kind", Dialect)
@pytest.mark.parametrize(("line", "code"), PROBLEMS.items())
def test_lines_that_postfix_warns_about(kind: Dialect, line: str, code: str, tmp_path: Path) -> None:
    if code == "orphan":
        table = parse_pattern_table(line, "table", kind)
    else:
        table = both(tmp_path, kind, f"/^first$/ 1\n{line}\n/b/ later\n")
    assert [problem.code for problem in table.problems] == [code]


REFUSED = {
    Dialect.REGEXP: [
        r"/(a)\1/",
        r"/\d/",
        r"/a\<b/",
        "/a**/",
        "/a+?/",
        "/a{2}{3}/",
        "/a)/",
        "/[[.a.]]/",
        "/[[=a=]]/",
        "/[!-~]/",
        "/[[:digit:]-z]/",
        "/a$*/",
        "/(a+)+/",
        "/a{300}/",
        "/a/x",
    ],
    Dialect.PCRE: [
        r"/(a)\1/",
        r"/\h/",
        r"/\x41/",
        "/(?i)a/",
        "/(?<name>a)/",
        "/(?<=a)b/",
        "/(?>a)/",
        "/a++/",
        "/a**/",
        r"/\Qa\E/",
        "/[[:^alpha:]]/",
        "/[[:word:]]/",
        r"/[\d-z]/",
        "/(a*)*/",
        "/a/x",
        "/a/U",
        "/a/X",
    ],
}


@pytest.mark.parametrize(("kind", "pattern"), [(kind, pattern) for kind in Dialect for pattern in REFUSED[kind]])
def test_constructs_outside_of_the_subset_are_refused_by_name(kind: Dialect, pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"^table:2: .+ is not supported here$"):
        parse_pattern_table(f"/a/ x\n{pattern} MUST\n", "table", kind)


@pytest.mark.parametrize("pattern", ["/(a|ab)c/", "/(a)*/", "/(a)?b/"])
def test_a_substitution_that_posix_may_cut_differently_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="alternatives or repeated groups"):
        parse_pattern_table(f"{pattern} $1\n", "table", Dialect.REGEXP)
    assert not parse_pattern_table(f"{pattern} $1\n", "table", Dialect.PCRE).problems


def test_python_s_own_meanings_do_not_leak_in(tmp_path: Path) -> None:
    """A "{,2}" counts for POSIX and is text for PCRE; "[[" and "&&" are no set operations; a "#" is no comment."""
    text = "/^a{,2}b$/ counted\n/^[[a]$/ bracket\n/^[a&&b]#$/ sharp\n/^a$\\?/ x\n"
    keys = ["b", "aab", "a{,2}b", "[", "a", "&#", "a#", "a?"]
    both(tmp_path, Dialect.PCRE, text, keys)
    both(tmp_path, Dialect.REGEXP, text.replace("/^a$\\?/ x\n", ""), keys)


def test_bytes_that_are_no_utf8_are_found_nowhere(tmp_path: Path) -> None:
    table = parse_pattern_table("/./ any\n", "table", Dialect.REGEXP)
    assert table.lookup("a\udcff") == Miss()
    assert queried(config_folder(tmp_path), written(tmp_path, "regexp", "/./ any\n")[0], ["a\udcff"])[0] == {}


def test_a_result_that_cuts_a_character_is_a_lookup_error(tmp_path: Path) -> None:
    table = parse_pattern_table("/(.)$/ $1\n", "table", Dialect.PCRE)
    assert isinstance(table.lookup("ä"), LookupFailure)
    found, log = queried(config_folder(tmp_path), written(tmp_path, "pcre", "/(.)$/ $1\n")[0], ["ä"])
    assert found == {}
    assert "non-UTF-8 value" in log


ATOM = st.one_of(
    st.sampled_from(["a", "b", ".", r"\.", "[ab]", "[^a]", "[[:digit:]]", "[a-c]", r"\w", "[]b]", r"\-", "1", "[.-]"]),
)
QUANTIFIED = st.tuples(ATOM, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,}"])).map("".join)
SEQUENCE = st.lists(QUANTIFIED, min_size=1, max_size=4).map("".join)
GROUPED = st.tuples(SEQUENCE, SEQUENCE, SEQUENCE, st.sampled_from(["", "?"])).map(
    lambda parts: f"{parts[0]}({parts[1]}){parts[3]}{parts[2]}"
)
ALTERNATIVES = st.tuples(SEQUENCE, SEQUENCE, st.sampled_from(["", "*", "+", "?"])).map(
    lambda parts: f"({parts[0]}|{parts[1]}){parts[2]}"
)
HOSTS = st.text(st.sampled_from("abc1.-]A"), min_size=1, max_size=8).filter(lambda key: key != "-")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(Dialect), pattern=st.one_of(SEQUENCE, ALTERNATIVES, GROUPED), keys=st.lists(HOSTS, max_size=30)
)
def test_any_pattern_matches_as_in_postfix(tmp_path: Path, kind: Dialect, pattern: str, keys: list[str]) -> None:
    anchored = f"/^{pattern}$/ whole\n/^{pattern}/i start\n!/{pattern}/ none\n/./ any\n"
    both(tmp_path, kind, anchored, keys)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(Dialect), pattern=GROUPED, keys=st.lists(HOSTS, max_size=30))
def test_any_group_is_cut_as_in_postfix(tmp_path: Path, kind: Dialect, pattern: str, keys: list[str]) -> None:
    both(tmp_path, kind, f"/^{pattern}$/ whole <$1>\n", keys)
    if "?" not in pattern.rpartition(")")[2][:1]:
        both(tmp_path, kind, f"/{pattern}/ part <$1>\n", keys)

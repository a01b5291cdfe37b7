"""hash:, btree:, lmdb: and texthash: tables, compared with postmap -q of the installed Postfix."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.postfix.tables import Hit, LookupFailure, Miss
from audits.postfix.text_tables import TEXT_TYPES, parse_text_table

from .oracle import config_folder, queried, written

EXAMPLE = """\
# Per-site policies
 \t# indented comment
msa.example.net\t\tMUST
[msa.example.net]:587       MUST
Example.ORG \t  NONE  \t
"quoted key" NONE
back\\ slash MAY
two  words here
  continued
[IPv6:2001:db8::1]:25 MAY\r
BÜCHER.example MAY
ﬃ.example MAY
key: colon
"""
KEYS = [
    "msa.example.net",
    "MSA.Example.Net",
    "[msa.example.net]:587",
    "[msa.example.net]",
    "example.org",
    "sub.example.org",
    ".org",
    '"quoted key"',
    '"quoted',
    "back\\",
    "back\\ slash",
    "two",
    "[ipv6:2001:db8::1]:25",
    "bücher.example",
    "Bücher.EXAMPLE",
    "ffi.example",
    "ﬃ.example",
    "key",
    "key:",
    " example.org",
]


def ours(text: str, kind: str, keys: list[str]) -> dict[str, str]:
    """What our table finds."""
    table = parse_text_table(text, "table", kind)
    found = {key: table.lookup(key) for key in keys}
    return {key: hit.value for key, hit in found.items() if isinstance(hit, Hit)}


@pytest.mark.parametrize("kind", TEXT_TYPES)
def test_a_table_of_every_construct(kind: str, tmp_path: Path) -> None:
    table, _ = written(config_folder(tmp_path), kind, EXAMPLE)
    theirs, _ = queried(tmp_path, table, KEYS)
    assert ours(EXAMPLE, kind, KEYS) == theirs
    assert len(theirs) == 13


@pytest.mark.parametrize("kind", TEXT_TYPES)
def test_without_smtputf8_only_ascii_is_folded(kind: str, tmp_path: Path) -> None:
    config_folder(tmp_path, "compatibility_level = 3.6\nsmtputf8_enable = no\n")
    table, _ = written(tmp_path, kind, EXAMPLE)
    theirs, _ = queried(tmp_path, table, KEYS)
    parsed = parse_text_table(EXAMPLE, "table", kind, utf8=False)
    found = {key: parsed.lookup(key) for key in KEYS}
    assert {key: hit.value for key, hit in found.items() if isinstance(hit, Hit)} == theirs
    assert "bücher.example" not in theirs


PROBLEMS = {
    "example.org": "no-value",
    'example.org" MUST': "quote",
    "example\udcff.org MUST": "not-utf8",
    "example.org: MUST": "colon",
}


@pytest.mark.parametrize("kind", TEXT_TYPES)
@pytest.mark.parametrize(("line", "code"), PROBLEMS.items())
def test_lines_that_postfix_warns_about(kind: str, line: str, code: str, tmp_path: Path) -> None:
    text = f"first MAY\n{line}\nlast MAY\n"
    table, log = written(config_folder(tmp_path), kind, text)
    theirs, second_log = queried(tmp_path, table, ["first", "example.org", "example.org:", "last"])
    parsed = parse_text_table(text, "table", kind)
    assert ours(text, kind, ["first", "example.org", "example.org:", "last"]) == theirs
    assert [(problem.line, problem.code, problem.ignored) for problem in parsed.problems] == [
        (2, code, code != "colon")
    ]
    assert "line 2" in log + second_log


def test_text_that_continues_nothing_is_ignored_with_a_warning(tmp_path: Path) -> None:
    text = " example.org MUST\nlast MAY\n"
    table, log = written(config_folder(tmp_path), "hash", text)
    assert (
        queried(tmp_path, table, ["example.org", "last"])[0]
        == ours(text, "hash", ["example.org", "last"])
        == {"last": "MAY"}
    )
    assert "must not start with whitespace" in log
    assert [problem.code for problem in parse_text_table(text, "table").problems] == ["orphan"]


@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb"])
def test_the_first_of_two_equal_keys_counts_in_an_indexed_file(kind: str, tmp_path: Path) -> None:
    text = "example.org MUST\nother NONE\nEXAMPLE.org NONE\n"
    table, log = written(config_folder(tmp_path), kind, text)
    assert "duplicate entry" in log
    assert queried(tmp_path, table, ["example.org"])[0] == ours(text, kind, ["example.org"]) == {"example.org": "MUST"}
    entries = parse_text_table(text, "table", kind).entries
    assert [(entry.line, entry.first) for entry in entries] == [(1, 0), (2, 0), (3, 1)]


def test_two_equal_keys_spoil_a_texthash_table() -> None:
    """As smtp(8) opens it; postmap -q is more lenient. Observed in the lab test of the policy engine."""
    table = parse_text_table("example.org MUST\nother NONE\nEXAMPLE.org NONE\n", "table", "texthash")
    assert table.lookup("other") == LookupFailure('table:3: the duplicate key "EXAMPLE.org" spoils the texthash: table')


def test_a_hit_names_its_line_and_a_key_of_bad_bytes_is_a_miss() -> None:
    table = parse_text_table("\n# c\nexample.org\n  MUST\n", "tls_per_site")
    assert table.lookup("EXAMPLE.org") == Hit("MUST", "tls_per_site:3")
    assert table.lookup("example.org\udcff") == Miss()
    assert table.name == "hash:tls_per_site"


CHARS = st.sampled_from(list('ab"\\ \t.:#[]ÄäßİıſΣςKöA\u00a0'))
LINES = st.text(CHARS, min_size=1, max_size=10).map(lambda line: line + " v")
QUERIES = st.text(CHARS, min_size=1, max_size=6).filter(lambda key: key.strip(" \t") == key and key)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=6), keys=st.lists(QUERIES, max_size=8))
def test_any_table_answers_as_in_postfix(tmp_path: Path, lines: list[str], keys: list[str]) -> None:
    text = "".join(f"{line}{number}\n" for number, line in enumerate(lines))
    for line in lines:
        keys += [line, line.partition(" ")[0], line.casefold().partition(" ")[0], line.removesuffix(" v")]
    keys = [key for key in dict.fromkeys(keys) if key and "\t" not in key]
    table, _ = written(config_folder(tmp_path), "hash", text)
    assert queried(tmp_path, table, keys)[0] == ours(text, "hash", keys)

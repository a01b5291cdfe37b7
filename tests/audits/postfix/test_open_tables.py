"""Lists of tables in main.cf."""

import pytest

from audits.postfix.errors import ConfigError
from audits.postfix.open_tables import open_tables
from audits.postfix.tables import Hit, LookupFailure, Miss

FILES = {
    "/etc/postfix/one": "example.org MUST\n",
    "/etc/postfix/two": "example.org NONE\nexample.net MAY\n",
    "/etc/postfix/re": "/example/ MUST_NOPEERMATCH\n",
}
WHERE = ("main.cf", 7)


def reader(path: str) -> str:
    """A disk with three files."""
    try:
        return FILES[path]
    except KeyError:
        raise ConfigError(path, 0, "cannot be read: No such file or directory") from None


def test_the_first_table_with_an_answer_decides() -> None:
    tables = open_tables("hash:/etc/postfix/one, regexp:/etc/postfix/re\ttexthash:/etc/postfix/two", reader, WHERE)
    assert tables.name == "hash:/etc/postfix/one regexp:/etc/postfix/re texthash:/etc/postfix/two"
    assert tables.lookup("Example.org") == Hit("MUST", "/etc/postfix/one:1")
    assert tables.lookup("example.net") == Hit("MUST_NOPEERMATCH", "/etc/postfix/re:1")
    assert tables.lookup("192.0.2.1") == Miss()
    assert tables.lookup("") == Miss()


def test_braces_keep_a_table_together() -> None:
    tables = open_tables("inline:{ {a = x y}, b=z } static:{ MAY }", reader, WHERE)
    assert [tables.lookup(key) for key in ("a", "c")] == [Hit("x y", "inline:"), Hit("MAY", "static:MAY")]


def test_patterns_may_stand_in_main_cf() -> None:
    tables = open_tables("regexp:{ {/^a/ A}, {!/b/ notb} } pcre:{{/b/ B}}", reader, WHERE)
    assert [tables.lookup(key) for key in ("ab", "c", "b")] == [
        Hit("A", "{ {/^a/ A}, {!/b/ notb} }:1"),
        Hit("notb", "{ {/^a/ A}, {!/b/ notb} }:2"),
        Hit("B", "{{/b/ B}}:1"),
    ]


def test_an_empty_value_is_a_lookup_error_and_ends_the_search() -> None:
    tables = open_tables("inline:{a=} static:MAY", reader, WHERE)
    assert isinstance(tables.lookup("a"), LookupFailure)
    assert isinstance(tables.lookup("b"), Hit)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (
            "ldap:/etc/postfix/ldap.cf",
            'main.cf:7: tables of the type "ldap" cannot be read here, only hash, btree, lmdb',
        ),
        ("proxy:hash:/etc/postfix/one", 'the type "proxy"'),
        ("/etc/postfix/one", 'main.cf:7: "/etc/postfix/one" is no table'),
        ("hash:", '"hash:" is no table'),
        ("inline:{a}", "main.cf:7: inline: "),
        ("static:{a", "main.cf:7: static: "),
        ("regexp:{/a/ b}", "main.cf:7: regexp: "),
        ("hash:/etc/postfix/missing", "/etc/postfix/missing: cannot be read"),
    ],
)
def test_what_cannot_be_opened_is_named(listed: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_tables(f"hash:/etc/postfix/one {listed}", reader, WHERE)
    assert words in str(caught.value)

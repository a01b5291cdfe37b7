"""The tables that a main.cf names."""

from audits.postfix.errors import ConfigError
from audits.postfix.lint import lint_main_cf

FILES = {"/p": "example.org MUST # x\n", "/r": "/a/ TLS\n/(/ MUST\n"}


def reader(path: str) -> str:
    """Two files."""
    if path not in FILES:
        raise ConfigError(path, 0, "cannot be read")
    return FILES[path]


def found(listed: str, with_files: bool = True) -> list[tuple[str, int, str]]:
    """File, line and id of the messages about the tables."""
    text = f"smtp_tls_CApath = /c\nsmtp_tls_per_site = {listed}\n"
    messages = lint_main_cf(text, "main.cf", reader=reader if with_files else None)
    return [(m.path, m.line, m.id) for m in messages if m.id != "cf-replaced"]


def test_files_are_checked_where_they_are() -> None:
    assert found("hash:/p regexp:/r") == [
        ("/p", 1, "value-comment"),
        ("/r", 1, "site-value"),
        ("/r", 2, "table-pattern"),
    ]


def test_without_a_reader_files_are_left_alone() -> None:
    assert found("hash:/p regexp:/r", with_files=False) == []


def test_a_table_that_cannot_be_read_does_not_hide_the_others() -> None:
    assert found("hash:/missing, inline:{a=x}") == [("main.cf", 2, "cf-table-unread"), ("main.cf", 2, "site-value")]


def test_tables_inside_of_main_cf_are_checked_in_its_line() -> None:
    assert found("inline:{a.=MUST}") == [("main.cf", 2, "key-trailing-dot")]
    assert found("inline:{a=MUST, A=MAY}") == [("main.cf", 2, "table-duplicate")]
    assert found("static:TLS") == [("main.cf", 2, "site-value")]
    assert found("regexp:{{/a/ TLS} {/(/ MUST}}") == [("main.cf", 2, "site-value"), ("main.cf", 2, "table-pattern")]


def test_what_is_no_table_is_named() -> None:
    for listed in ("/p", "hsah:/p", "mysql:", "inline:{a}", "hash:"):
        assert found(listed) == [("main.cf", 2, "cf-table")]


def test_a_table_in_a_server_is_no_mistake_and_was_not_checked() -> None:
    for listed in ("mysql:/p", "proxy:mysql:/p", "cdb:/p", "socketmap:unix:/p:tls"):
        assert found(listed) == [("main.cf", 2, "cf-table-unread")]
        assert found(listed, with_files=False) == [("main.cf", 2, "cf-table-unread")]

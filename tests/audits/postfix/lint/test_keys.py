"""Keys that cannot match, and keys that can."""

import pytest

from audits.postfix.lint import Kind, lint_table

DEAD = {
    "example.org.": "key-trailing-dot",
    "smtp:[mx.example.org]": "key-transport",
    "relay:[mx.example.org]:25": "key-transport",
    "*.example.org": "key-wildcard",
    ".example.org": "key-wildcard",
    "user@example.org": "key-address",
    "/example/": "key-pattern",
    "a,b": "key-not-a-name",
    '"a"': "key-not-a-name",
}
NARROW = {"[mx.example.org]": "key-brackets", "[192.0.2.1]:25": "key-brackets", "mx.example.org:25": "key-port"}
FINE = ["example.org", "EXAMPLE.org", "mx_1.example.org", "192.0.2.1", "localhost", "xn--bcher-kva.example"]


def ids(key: str, kind: Kind = Kind.PER_SITE) -> list[str]:
    """The checks that a key trips."""
    value = "MUST" if kind is Kind.PER_SITE else "may"
    return [message.id for message in lint_table(f"{key} {value}\n", "t", kind)]


@pytest.mark.parametrize(("key", "id"), [*DEAD.items(), *NARROW.items()])
def test_each_kind_of_key_is_named_once(key: str, id: str) -> None:
    assert ids(key) == [id]


@pytest.mark.parametrize("key", FINE)
def test_names_and_addresses_are_fine(key: str) -> None:
    assert ids(key) == ids(key, Kind.POLICY_MAPS) == []


def test_policy_maps_know_parent_domains() -> None:
    assert ids(".example.org", Kind.POLICY_MAPS) == []
    assert ids("*.example.org", Kind.POLICY_MAPS) == ["key-wildcard"]


def test_a_u_label_is_told_its_a_label() -> None:
    (message,) = lint_table(".bücher.example may\n", "t", Kind.POLICY_MAPS)
    assert message.message.endswith("its A-label is .xn--bcher-kva.example")

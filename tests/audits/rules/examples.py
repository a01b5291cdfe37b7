"""What the test of each rule gives: facts with which it passes, fails and stays open, and what a baseline expects."""

from typing import Any

import msgspec


class Examples(msgspec.Struct, frozen=True, kw_only=True):
    """`expects` as a baseline writes it (TOML); each fact is an instance of the rule's fact type.

    `opens`: facts that were established in part, so that the rule itself must leave the question open.
    """

    expects: dict[str, Any]
    passes: tuple[Any, ...]
    fails: tuple[Any, ...]
    opens: tuple[Any, ...] = ()

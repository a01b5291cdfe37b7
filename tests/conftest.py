"""What all tests share: names of tests that are the same in every process."""

import pytest


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are no part of a test's name: they may be made anew in each process, and control characters are in them."""
    return argname if isinstance(val, bytes) else None

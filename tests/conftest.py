"""What all tests share: names of tests that are the same in every process, and properties without a clock."""

import pytest
from hypothesis import settings

settings.register_profile("tlsaudit", deadline=None)  # machines are shared: how long an example takes says nothing
settings.load_profile("tlsaudit")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are no part of a test's name: they may be made anew in each process, and control characters are in them."""
    return argname if isinstance(val, bytes) else None

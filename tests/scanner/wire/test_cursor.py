"""Taking numbers and vectors off the front of a message."""

import pytest

from scanner.failures import ProtocolError
from scanner.wire.cursor import Cursor


def test_takes_numbers_vectors_and_the_rest():
    cursor = Cursor(b"\x01\x00\x02ab\x03xyz", "test")
    assert cursor.number(1) == 1
    assert cursor.vector(2) == b"ab"
    assert cursor.left == 4
    assert cursor.vector(1) == b"xyz"
    cursor.finish()


@pytest.mark.parametrize(
    "use",
    [
        lambda: Cursor(b"", "test").number(1),
        lambda: Cursor(b"\x00", "test").number(2),
        lambda: Cursor(b"\x05abc", "test").vector(1),
        lambda: Cursor(b"\xff\xff\xff", "test").vector(3),
        lambda: Cursor(b"\x04abcd", "test").vector(1, 3),
        lambda: Cursor(b"a", "test").finish(),
    ],
)
def test_every_length_is_checked(use):
    with pytest.raises(ProtocolError, match="test: "):
        use()

"""Take numbers and vectors off the front of a message, with every length checked (RFC 8446 section 3)."""

from scanner.failures import ProtocolError


class Cursor:
    """A position in the bytes of one message; `what` names it in the error."""

    __slots__ = ("_at", "_data", "_size", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._size = data, len(data)
        self._at = 0
        self._what = what

    @property
    def left(self) -> int:
        """How many bytes are not yet taken."""
        return self._size - self._at

    def take(self, size: int) -> bytes:
        start, end = self._at, self._at + size
        if end > self._size:
            raise ProtocolError(f"{self._what}: {size} bytes announced, {self._size - start} left")
        self._at = end
        return self._data[start:end]

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, length_size: int, limit: int | None = None) -> bytes:
        """Bytes behind a length field of `length_size` bytes, no more than `limit` of them."""
        size = self.number(length_size)
        if limit is not None and size > limit:
            raise ProtocolError(f"{self._what}: {size} bytes where {limit} are the limit")
        return self.take(size)

    def finish(self) -> None:
        """The message must end here."""
        if self.left:
            raise ProtocolError(f"{self._what}: {self.left} bytes too many")

"""Read the server's first flight: feed bytes in any pieces, get events (RFC 5246 section 7.3, RFC 8446 section 5.1).

The reader stops where a probe has learned all that it can without keys: at ServerHelloDone, at a TLS 1.3 ServerHello
or HelloRetryRequest (what follows is encrypted), at ChangeCipherSpec of a resumed session, at a fatal alert, or when
the bytes are no TLS. A server that breaks the protocol or a limit gets a `ProtocolError`; the events before it stay.
"""

import struct
from collections.abc import Callable

from scanner.failures import ProtocolError
from scanner.settings import MAX_CHAIN_BYTES
from scanner.wire import events, messages
from scanner.wire.code_points import SSL2, TLS13, AlertDescription, HandshakeType, RecordType
from scanner.wire.cursor import Cursor

MAX_RECORD_BYTES = 1 << 14
"""RFC 5246 section 6.2.1; records in the clear never grow."""
MAX_MESSAGE_BYTES = MAX_CHAIN_BYTES + 4096
"""A chain as large as we keep, with the lengths inside it."""
MAX_FLIGHT_BYTES = 2 * MAX_CHAIN_BYTES
"""Everything the server sends before we stop listening."""
MAX_RECORDS = 4096
"""A flight in records of 128 bytes; less a record is an attack on our time."""
MAX_WARNINGS = 8
"""Alerts at warning level, such as unrecognized_name (RFC 6066 section 3), and HelloRequests."""
MAX_TEXT_BYTES = 512
"""How much is kept of an answer that is no TLS."""

_RECORD_TYPES = frozenset({20, 21, 22, 23, 24})
_RECORD_HEADER = struct.Struct(">BHH")
_SSL2_ERROR, _SSL2_SERVER_HELLO = 0, 4
_ORDER = {
    HandshakeType.SERVER_HELLO: 1,
    HandshakeType.SUPPLEMENTAL_DATA: 2,
    HandshakeType.CERTIFICATE: 3,
    HandshakeType.CERTIFICATE_STATUS: 4,
    HandshakeType.SERVER_KEY_EXCHANGE: 5,
    HandshakeType.CERTIFICATE_REQUEST: 6,
    HandshakeType.SERVER_HELLO_DONE: 7,
    HandshakeType.NEW_SESSION_TICKET: 8,
}
"""RFC 5246 section 7.3: each at most once, in this order. A ticket comes only when a session is resumed."""
_RESUMPTION = frozenset({HandshakeType.SERVER_HELLO, HandshakeType.NEW_SESSION_TICKET})
_READERS: dict[int, Callable[[bytes, events.ServerHello], events.Event]] = {
    HandshakeType.CERTIFICATE: lambda body, _hello: messages.certificate(body),
    HandshakeType.CERTIFICATE_STATUS: lambda body, _hello: messages.certificate_status(body),
    HandshakeType.SERVER_KEY_EXCHANGE: lambda body, hello: messages.server_key_exchange(
        body, hello.version, hello.suite
    ),
    HandshakeType.CERTIFICATE_REQUEST: lambda body, hello: messages.certificate_request(body, hello.version),
    HandshakeType.SERVER_HELLO_DONE: lambda body, _hello: messages.server_hello_done(body),
    HandshakeType.NEW_SESSION_TICKET: lambda body, _hello: messages.new_session_ticket(body),
}
"""How the messages behind the ServerHello are read; others are passed over."""

_MESSAGE_HEADER = struct.Struct(">BBH")
_HANDSHAKE = int(RecordType.HANDSHAKE)
_HELLO_REQUEST, _SERVER_HELLO = int(HandshakeType.HELLO_REQUEST), int(HandshakeType.SERVER_HELLO)
_SERVER_HELLO_DONE, _NEW_SESSION_TICKET = int(HandshakeType.SERVER_HELLO_DONE), int(HandshakeType.NEW_SESSION_TICKET)
"""As plain numbers, which are several times faster to look up; these lines run thousands of times."""


class FlightReader:
    """Give it what arrives with `receive` until `finished`; at the end of the stream call `receive_eof`.

    Both return the new events; `events` has all of them.
    """

    def __init__(self) -> None:
        self.events: list[events.Event] = []
        self.finished = False
        self._bytes = bytearray()
        self._handshake = bytearray()
        self._total = self._records = self._warnings = 0
        self._hello: events.ServerHello | None = None
        self._last = HandshakeType.HELLO_REQUEST

    def receive(self, data: bytes) -> tuple[events.Event, ...]:
        """Take the next bytes of the stream. Raises ProtocolError, after which the reader is finished."""
        before = len(self.events)
        if not self.finished:
            room = MAX_FLIGHT_BYTES - self._total
            self._total += len(data)
            self._bytes += data[:room]
            try:
                self._read_stream(overflow=len(data) > room)
            except ProtocolError:
                self._stop()
                raise
        return tuple(self.events[before:])

    def receive_eof(self) -> tuple[events.Event, ...]:
        """The stream ended, or nobody wants to wait any longer."""
        before = len(self.events)
        if not self.finished:
            if not self._records and self._begins_as_text():
                self.events.append(events.NotTls(bytes(self._bytes[:MAX_TEXT_BYTES])))
            else:
                self.events.append(events.EndOfStream(len(self._bytes) + len(self._handshake)))
            self._stop()
        return tuple(self.events[before:])

    def _stop(self) -> None:
        self.finished = True
        self._bytes.clear()
        self._handshake.clear()

    def _read_stream(self, overflow: bool) -> None:
        if not self._records and self._bytes and self._bytes[0] not in _RECORD_TYPES:
            self._read_foreign()
        else:
            while not self.finished and len(self._bytes) >= 5:
                if not self._read_record():
                    break
        if overflow and not self.finished:
            raise ProtocolError(f"more than {MAX_FLIGHT_BYTES} bytes in the first flight")

    def _begins_as_text(self) -> bool:
        """Neither a TLS record nor an SSL 2.0 hello or error: an SMTP reply, for instance."""
        begin = self._bytes[:3]
        if not begin or begin[0] in _RECORD_TYPES:
            return False
        return begin[0] < 0x80 or (len(begin) == 3 and begin[2] not in (_SSL2_ERROR, _SSL2_SERVER_HELLO))

    def _read_foreign(self) -> None:
        """The stream does not begin with a TLS record."""
        if self._begins_as_text():
            line = self._bytes.find(b"\n", 0, MAX_TEXT_BYTES) + 1
            if line or len(self._bytes) >= MAX_TEXT_BYTES:
                self.events.append(events.NotTls(bytes(self._bytes[: line or MAX_TEXT_BYTES])))
                self._stop()
        elif len(self._bytes) >= 3:
            size = int.from_bytes(self._bytes[:2], "big") & 0x7FFF
            if len(self._bytes) >= 2 + size:
                self.events.append(_ssl2_event(bytes(self._bytes[2 : 2 + size])))
                self._stop()

    def _read_record(self) -> bool:
        """Take one record off the front; false where it is not complete yet."""
        kind, version, size = _RECORD_HEADER.unpack_from(self._bytes)
        if kind not in _RECORD_TYPES or version >> 8 != 3:
            raise ProtocolError(f"no TLS record: type {kind}, version 0x{version:04X}")
        if not 0 < size <= MAX_RECORD_BYTES:
            raise ProtocolError(f"a record of {size} bytes")
        if len(self._bytes) < 5 + size:
            return False
        self._records += 1
        if self._records > MAX_RECORDS:
            raise ProtocolError(f"more than {MAX_RECORDS} records in the first flight")
        payload = bytes(self._bytes[5 : 5 + size])
        del self._bytes[: 5 + size]
        if kind == _HANDSHAKE:
            self._handshake += payload
            self._read_messages()
        elif kind == RecordType.ALERT:
            self._read_alert(payload)
        else:
            self._read_change(kind, payload)
        return True

    def _read_alert(self, payload: bytes) -> None:
        if len(payload) != 2 or payload[0] not in (1, 2):
            raise ProtocolError("an alert that is none")
        alert = events.Alert(payload[0], payload[1])
        self.events.append(alert)
        if alert.level == 2 or alert.description == AlertDescription.CLOSE_NOTIFY:
            self._stop()
        else:
            self._count_warning()

    def _count_warning(self) -> None:
        self._warnings += 1
        if self._warnings > MAX_WARNINGS:
            raise ProtocolError(f"more than {MAX_WARNINGS} warnings")

    def _read_change(self, kind: int, payload: bytes) -> None:
        """ChangeCipherSpec is legal here only where the server resumes a session."""
        resuming = self._hello is not None and self._last in _RESUMPTION and not self._handshake
        if kind != RecordType.CHANGE_CIPHER_SPEC or payload != b"\x01" or not resuming:
            raise ProtocolError(f"a record of type {kind} inside the first flight")
        self.events.append(events.ChangeCipherSpec())
        self._stop()

    def _read_messages(self) -> None:
        while not self.finished and len(self._handshake) >= 4:
            kind, high, low = _MESSAGE_HEADER.unpack_from(self._handshake)
            size = high << 16 | low
            if size > MAX_MESSAGE_BYTES:
                raise ProtocolError(f"a handshake message of {size} bytes")
            if len(self._handshake) < 4 + size:
                return
            body = bytes(self._handshake[4 : 4 + size])
            del self._handshake[: 4 + size]
            self._read_message(kind, body)

    def _read_message(self, kind: int, body: bytes) -> None:
        if kind == _HELLO_REQUEST and not body:
            self._count_warning()
            return
        if _ORDER.get(kind, 0) <= _ORDER.get(self._last, 0):
            raise ProtocolError(f"handshake message {kind} after {self._last}")
        if self._hello is None:
            self._read_hello(kind, body)
            return
        if kind == _NEW_SESSION_TICKET and self._last != _SERVER_HELLO:
            raise ProtocolError("a session ticket before the end of the handshake")
        self._last = kind
        if read := _READERS.get(kind):
            self.events.append(read(body, self._hello))
        if kind == _SERVER_HELLO_DONE:
            self._stop()

    def _read_hello(self, kind: int, body: bytes) -> None:
        if kind != _SERVER_HELLO:
            raise ProtocolError(f"handshake message {kind} before the ServerHello")
        self._last = kind
        hello = messages.server_hello(body)
        self.events.append(hello)
        if isinstance(hello, events.HelloRetryRequest) or hello.version >= TLS13:
            self._stop()
        else:
            self._hello = hello


def _ssl2_event(body: bytes) -> events.Event:
    """draft-hickman-netscape-ssl-00 sections 2.6 and 2.8."""
    cursor = Cursor(body, "SSL 2.0 message")
    if cursor.number(1) == _SSL2_ERROR:
        return events.Ssl2Error(cursor.number(2))
    cursor.take(2)
    version = cursor.number(2)
    sizes = [cursor.number(2) for _ in range(3)]
    certificate, kinds, _ = (cursor.take(size) for size in sizes)
    if version != SSL2 or len(kinds) % 3:
        raise ProtocolError("an illegal SSL 2.0 hello")
    return events.Ssl2ServerHello(
        version, certificate, tuple(int.from_bytes(kinds[at : at + 3], "big") for at in range(0, len(kinds), 3))
    )

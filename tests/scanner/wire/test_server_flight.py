"""A flight summed up."""

import msgspec
import pytest

from scanner.wire import events
from scanner.wire.code_points import ExtensionType
from scanner.wire.flight import FlightReader
from scanner.wire.server_flight import FlightEnd, ServerFlight, flight_from_events
from tests.scanner.wire import flight_bytes as made


def flight_of(data: bytes) -> ServerFlight:
    reader = FlightReader()
    reader.receive(data)
    reader.receive_eof()
    return flight_from_events(reader.events)


def test_full_flight():
    flight = flight_of(made.record(22, b"".join(made.FULL_FLIGHT)))
    assert flight.accepted
    assert (flight.end, flight.version, flight.suite, flight.group) == (FlightEnd.DONE, 0x0303, 0xC02F, 29)
    assert flight.has(ExtensionType.EXTENDED_MASTER_SECRET)
    assert not flight.has(ExtensionType.ENCRYPT_THEN_MAC)
    assert (flight.scheme, flight.signed, flight.client_certificate) == (0x0804, True, True)
    assert (len(flight.chain), flight.staple, flight.session_id) == (2, b"ocsp", b"session")


def test_dhe_flight():
    flight = flight_of(made.record(22, made.server_hello(0x009E) + made.certificate(b"c") + made.dhe() + made.DONE))
    assert (flight.prime, flight.generator, flight.group) == (made.PRIME, b"\x02", None)


@pytest.mark.parametrize(
    ("data", "end", "accepted"),
    [
        (made.record(22, made.retry_request(0x1301, 29)), FlightEnd.RETRY, True),
        (made.record(22, made.server_hello(0xC02F)) + made.record(20, b"\1"), FlightEnd.RESUMED, True),
        (made.record(21, b"\x02\x46"), FlightEnd.ALERT, False),
        (made.record(22, made.server_hello(0xC02F)) + made.record(21, b"\x02\x50"), FlightEnd.ALERT, False),
        (made.record(22, made.server_hello(0xC02F)), FlightEnd.CLOSED, False),
        (made.record(21, b"\x01\x70"), FlightEnd.CLOSED, False),
        (b"", FlightEnd.CLOSED, False),
        (b"421 no\r\n", FlightEnd.NOT_TLS, False),
        (bytes.fromhex("8003 00 0001"), FlightEnd.SSL2_ERROR, False),
        (bytes.fromhex("8012 04 00 01 0002 0001 0003 0003 ee 010080 abcdef"), FlightEnd.SSL2, True),
    ],
)
def test_ends(data, end, accepted):
    flight = flight_of(data)
    assert (flight.end, flight.accepted) == (end, accepted)


def test_a_warning_alone_does_not_end_a_flight():
    flight = flight_of(made.record(21, b"\x01\x70") + made.record(22, b"".join(made.FULL_FLIGHT)))
    assert flight.end is FlightEnd.DONE
    assert flight.alert == events.Alert(1, 112)


def test_export_and_ticket():
    exported = events.RsaKeyExchange(b"n" * 64, b"\3")
    ticket = events.NewSessionTicket(3600, b"t")
    flight = flight_from_events([exported, ticket])
    assert (flight.export_modulus, flight.ticket_lifetime_s) == (b"n" * 64, 3600)


def test_a_flight_is_a_value():
    flight = flight_of(made.record(22, b"".join(made.FULL_FLIGHT)))
    assert msgspec.json.decode(msgspec.json.encode(flight), type=ServerFlight) == flight

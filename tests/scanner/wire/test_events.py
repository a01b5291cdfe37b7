"""Events are values that can be told apart after a round trip."""

from typing import get_args

import msgspec

from scanner.wire import events
from scanner.wire.flight import FlightReader
from tests.scanner.wire import flight_bytes as made


def test_events_survive_a_round_trip():
    reader = FlightReader()
    reader.receive(made.record(22, b"".join(made.FULL_FLIGHT)))
    encoded = msgspec.json.encode(reader.events)
    assert msgspec.json.decode(encoded, type=list[events.Event]) == reader.events


def test_every_event_is_in_the_union():
    structs = {
        thing
        for thing in vars(events).values()
        if isinstance(thing, type) and issubclass(thing, msgspec.Struct) and thing is not events.Extension
    }
    assert structs == set(get_args(events.Event))

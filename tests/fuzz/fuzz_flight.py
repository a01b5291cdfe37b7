#!/usr/bin/env python3
"""Coverage-guided fuzzing of the flight reader (needs atheris, which no other test needs).

    python tests/fuzz/fuzz_flight.py [-max_total_time=60] [tests/fuzz/corpus_flight]

The first byte of an input says in which pieces the rest is fed. Nothing but ProtocolError may leave the reader, any
two ways to cut a stream must show the same events, and no more may be held than the limit of a flight. Inputs worth
keeping lie in corpus_flight; an ordinary test (tests/scanner/wire/test_flight_corpus.py) reads them all in every run.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scanner.failures import ProtocolError  # noqa: E402
from scanner.wire.events import Event  # noqa: E402
from scanner.wire.flight import MAX_FLIGHT_BYTES, FlightReader  # noqa: E402
from scanner.wire.server_flight import flight_from_events  # noqa: E402


def read(data: bytes, piece: int) -> tuple[list[Event], bool]:
    """The events of a stream fed in pieces of this size, and whether the reader refused it."""
    reader = FlightReader()
    try:
        for start in range(0, len(data), piece):
            reader.receive(data[start : start + piece])
            if len(reader._bytes) + len(reader._handshake) > MAX_FLIGHT_BYTES:
                raise AssertionError("the reader holds more than it may")
        reader.receive_eof()
    except ProtocolError:
        return reader.events, True
    return reader.events, False


def check_one(data: bytes) -> None:
    """One input of the fuzzer."""
    if not data:
        return
    piece, stream = data[0] + 1, data[1:]
    whole = read(stream, max(len(stream), 1))
    if read(stream, piece) != whole:
        raise AssertionError(f"pieces of {piece} bytes show something else")
    flight_from_events(whole[0])


def main() -> None:
    import atheris

    atheris.instrument_all()
    corpus = Path(__file__).with_name("corpus_flight")
    arguments = sys.argv if any(not a.startswith("-") for a in sys.argv[1:]) else [*sys.argv, str(corpus)]
    atheris.Setup(arguments, check_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

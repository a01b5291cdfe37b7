"""The flight reader: any chunking, coalesced and fragmented messages, limits, and bytes that are no TLS."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.failures import ProtocolError
from scanner.wire import events
from scanner.wire.flight import MAX_FLIGHT_BYTES, MAX_MESSAGE_BYTES, MAX_RECORDS, MAX_WARNINGS, FlightReader
from tests.scanner.wire import flight_bytes as made

KINDS_OF_FULL_FLIGHT = [
    events.ServerHello,
    events.Certificate,
    events.CertificateStatus,
    events.EcdheKeyExchange,
    events.CertificateRequest,
    events.ServerHelloDone,
]


def read(data: bytes, cuts: list[int] | None = None, eof: bool = True) -> tuple[list[events.Event], bool]:
    """All events, and whether the reader raised; `cuts` are the places where the stream is cut."""
    reader = FlightReader()
    places = sorted({cut % (len(data) + 1) for cut in cuts or []})
    try:
        for start, end in zip([0, *places], [*places, len(data)], strict=True):
            reader.receive(data[start:end])
        if eof:
            reader.receive_eof()
    except ProtocolError:
        assert reader.finished
        return reader.events, True
    return reader.events, False


def one_record(*handshake: bytes) -> bytes:
    return made.record(22, b"".join(handshake))


def record_each(*handshake: bytes) -> bytes:
    return b"".join(made.record(22, part) for part in handshake)


def test_full_flight_coalesced_and_apart():
    together, failed = read(one_record(*made.FULL_FLIGHT))
    assert not failed
    assert [type(event) for event in together] == KINDS_OF_FULL_FLIGHT
    assert read(record_each(*made.FULL_FLIGHT)) == (together, False)


@given(st.integers(1, 700))
def test_messages_may_be_fragmented_over_records(size):
    stream = b"".join(made.FULL_FLIGHT)
    pieces = (stream[at : at + size] for at in range(0, len(stream), size))
    assert read(b"".join(made.record(22, piece) for piece in pieces)) == read(one_record(*made.FULL_FLIGHT))


STREAMS = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([
        one_record(*made.FULL_FLIGHT),
        record_each(*made.FULL_FLIGHT),
        one_record(made.retry_request(0x1301, 29)) + b"encrypted",
        made.record(21, b"\x02\x28"),
        made.record(21, b"\x01\x70") + one_record(*made.FULL_FLIGHT),
        b"454 4.7.0 TLS not available\r\n",
        b"\xc3\xa9t\xc3\xa9\n",
        bytes.fromhex("8003 00 0001"),
    ]),
    st.builds(
        lambda data, at, byte: data[: at % len(data)] + bytes([byte]) + data[at % len(data) + 1 :],
        st.sampled_from([one_record(*made.FULL_FLIGHT), record_each(*made.FULL_FLIGHT)]),
        st.integers(0, 10_000),
        st.integers(0, 255),
    ),
    st.lists(st.sampled_from([*made.FULL_FLIGHT, made.dhe(), made.retry_request(0x1301, 29)]), max_size=8).map(
        lambda parts: one_record(*parts) if parts else b""
    ),
)  # fmt: skip


@given(STREAMS, st.lists(st.integers(0, 2000), max_size=30))
@example(one_record(*made.FULL_FLIGHT), list(range(2000)))
def test_any_chunking_gives_the_same_events(data, cuts):
    assert read(data, cuts) == read(data)


@given(STREAMS)
def test_nothing_but_protocol_error_is_ever_raised(data):
    seen, failed = read(data)
    assert failed or seen, "a stream that ended without a word"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", [events.EndOfStream(0)]),
        (b"\x16\x03", [events.EndOfStream(2)]),
        (made.record(22, made.FULL_FLIGHT[0][:20]), [events.EndOfStream(20)]),
        (made.record(21, b"\x02\x28"), [events.Alert(2, 40)]),
        (made.record(21, b"\x01\x00"), [events.Alert(1, 0)]),
        (made.record(21, b"\x01\x70"), [events.Alert(1, 112), events.EndOfStream(0)]),
        (b"454 4.7.0 TLS not available\r\n", [events.NotTls(b"454 4.7.0 TLS not available\r\n")]),
        (b"421 bye", [events.NotTls(b"421 bye")]),
        (b"x" * 600, [events.NotTls(b"x" * 512)]),
        ("é\n".encode(), [events.NotTls("é\n".encode())]),
        (bytes.fromhex("8003 00 0001"), [events.Ssl2Error(1)]),
        (bytes.fromhex("8012 04 00 01 0002 0001 0003 0003 ee 010080 abcdef"),
         [events.Ssl2ServerHello(2, b"\xee", (0x010080,))]),
    ],
)  # fmt: skip
def test_ends(data, expected):
    assert read(data) == (expected, False)


def test_tls13_stops_at_the_hello_and_reads_nothing_behind_it():
    share = made.extension(51, b"\x00\x1d" + made.sized(2, b"k" * 32))
    hello = made.server_hello(0x1301, made.extension(43, b"\x03\x04"), share)
    seen, failed = read(one_record(hello) + made.record(20, b"\1") + made.record(23, b"secret") + b"\xff" * 100)
    assert not failed
    assert [type(event) for event in seen] == [events.ServerHello]


def test_retry_request_ends_the_flight():
    assert read(one_record(made.retry_request(0x1302, 0x11EC))) == (
        [events.HelloRetryRequest(0x0304, b"session", 0x1302, group=0x11EC)],
        False,
    )


def test_resumed_session_with_and_without_a_new_ticket():
    ticket = made.message(4, b"\0\0\x0e\x10" + made.sized(2, b"ticket"))
    change = made.record(20, b"\1")
    seen, _ = read(one_record(made.server_hello(0xC02F), ticket) + change)
    assert seen[1:] == [events.NewSessionTicket(3600, b"ticket"), events.ChangeCipherSpec()]
    seen, _ = read(one_record(made.server_hello(0xC02F)) + change)
    assert seen[1:] == [events.ChangeCipherSpec()]


@pytest.mark.parametrize(
    "data",
    [
        made.record(22, b""),
        made.record(22, b"x" * 16384)[:3] + b"\x40\x01",
        made.record(23, b"data"),
        made.record(24, b"beat"),
        made.record(20, b"\1"),
        made.record(22, made.DONE, version=0x0505),
        made.record(21, b"\x02"),
        made.record(21, b"\x03\x28"),
        made.record(21, b"\x02\x28\x02\x28"),
        one_record(made.DONE),
        one_record(made.FULL_FLIGHT[1]),
        one_record(made.FULL_FLIGHT[0], made.FULL_FLIGHT[0]),
        one_record(made.FULL_FLIGHT[0], made.FULL_FLIGHT[1], made.FULL_FLIGHT[1]),
        one_record(made.FULL_FLIGHT[0], made.ecdhe(29), made.FULL_FLIGHT[1]),
        one_record(made.FULL_FLIGHT[0], made.FULL_FLIGHT[1]) + made.record(20, b"\1"),
        one_record(made.FULL_FLIGHT[0]) + made.record(20, b"\2"),
        one_record(made.FULL_FLIGHT[0], made.FULL_FLIGHT[1], made.message(4, b"\0\0\0\0\0\0")),
        one_record(made.message(99, b"")),
        made.record(22, b"\x0b" + (MAX_MESSAGE_BYTES + 1).to_bytes(3, "big")),
        made.record(21, b"\x01\x70") * (MAX_WARNINGS + 1),
        one_record(*[made.message(0, b"")] * (MAX_WARNINGS + 1)),
        bytes.fromhex("8001 04"),
        bytes.fromhex("800b 04 00 01 0003 0000 0000 0000"),
        one_record(made.FULL_FLIGHT[0]) + b"250 hello\r\n",
    ],
)
def test_illegal_streams(data):
    assert read(data)[1], "should have raised"


def test_supplemental_data_is_passed_over():
    seen, failed = read(one_record(made.FULL_FLIGHT[0], made.message(23, b"extra"), *made.FULL_FLIGHT[1:]))
    assert not failed
    assert [type(event) for event in seen] == KINDS_OF_FULL_FLIGHT


def test_a_finished_reader_takes_nothing_more():
    reader = FlightReader()
    assert reader.receive(one_record(*made.FULL_FLIGHT)) == tuple(reader.events)
    assert reader.finished
    assert reader.receive(b"anything") == ()
    assert reader.receive_eof() == ()


def hostile_streams() -> dict[str, bytes]:
    """Streams that try to make the reader keep or compute much."""
    big = made.certificate(b"c" * 60_000)
    return {
        "tiny records": made.record(22, b"\x0b") * 200_000,
        "endless message": b"".join(made.record(22, b"\x02\x03\xff\xff" + b"x" * 16_000) for _ in range(80)),
        "hello requests": made.record(22, made.message(0, b"") * 4000) * 20,
        "endless text": b"\x30" * 2_000_000,
        "endless SSL 2.0": b"\xff\xff\x04" + b"x" * 2_000_000,
        "big chain": one_record(made.FULL_FLIGHT[0]) + b"".join(made.record(22, big[:16_000]) for _ in range(60)),
    }


@pytest.mark.parametrize("name", hostile_streams())
def test_memory_and_time_are_bounded(name):
    data, reader = hostile_streams()[name], FlightReader()
    started = time.process_time()
    raised = False
    try:
        for at in range(0, len(data), 1000):
            reader.receive(data[at : at + 1000])
            assert len(reader._bytes) + len(reader._handshake) <= MAX_FLIGHT_BYTES
            if reader.finished:
                break
    except ProtocolError:
        raised = True
    assert raised or reader.finished
    assert time.process_time() - started < 2, "the bound is far above what any flight costs"


def test_total_limit_holds_even_if_each_message_is_legal():
    padding = made.extension(0x1234, b"x" * 16_000)
    stream = made.record(22, b"\x02\x00\xff\xff" + made.hello_body(0xC02F, padding)[:16_000]) * 40
    assert len(stream) > MAX_FLIGHT_BYTES
    assert read(stream)[1]


def test_limits_are_not_so_small_that_real_chains_fail():
    chain = [b"c" * 40_000] * 5
    stream = made.certificate(*chain)
    records = b"".join(made.record(22, stream[at : at + 16_384]) for at in range(0, len(stream), 16_384))
    seen, failed = read(one_record(made.FULL_FLIGHT[0]) + records, eof=False)
    assert not failed
    assert seen[1] == events.Certificate(tuple(chain))
    assert len(stream) / 128 < MAX_RECORDS

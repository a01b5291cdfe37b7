"""Drive plans over TCP without STARTTLS, one connection after the other: the smallest driver that can exist."""

import socket

from scanner.failures import Kind, ProbeFailure, ProtocolError, Stage
from scanner.wire.asking import Answer
from scanner.wire.code_points import TLS12
from scanner.wire.flight import FlightReader
from scanner.wire.hello import Hello, encode_hello, farewell, fresh_entropy
from scanner.wire.server_flight import flight_from_events
from scanner.wire.tls_plans import Plan, TlsPicture

TIMEOUT_S = 10.0


def ask(port: int, hello: Hello) -> Answer:
    """One connection, one hello, one answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
            connection.sendall(encode_hello(hello, fresh_entropy()))
            reader = FlightReader()
            while not reader.finished:
                data = connection.recv(16 * 1024)
                if data:
                    reader.receive(data)
                else:
                    reader.receive_eof()
            flight = flight_from_events(reader.events)
            _leave(connection)
            return flight
    except TimeoutError:
        return ProbeFailure(Stage.HANDSHAKE, Kind.TIMEOUT)
    except ConnectionRefusedError:
        return ProbeFailure(Stage.CONNECT, Kind.REFUSED)
    except ConnectionError:
        return ProbeFailure(Stage.HANDSHAKE, Kind.RESET)
    except ProtocolError as error:
        return ProbeFailure(Stage.HANDSHAKE, Kind.PROTOCOL, str(error))


def _leave(connection: socket.socket) -> None:
    try:
        connection.sendall(farewell(TLS12))
    except OSError:
        return


def run(plan: Plan, port: int) -> tuple[TlsPicture, int]:
    """The picture, and how many connections were made for it."""
    connections = 0
    try:
        hello = next(plan)
        while True:
            connections += 1
            hello = plan.send(ask(port, hello))
    except StopIteration as finished:
        return finished.value, connections

"""The socket of the probes on loopback: it waits where it must, gives the kernel's errors, and leaves nothing open."""

import errno
import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from scanner.connection import probe_session
from scanner.facts import Endpoint
from scanner.failures import Kind, LocalTroubleError, Stage
from scanner.smtp import SessionRequest
from scanner.tcp import TcpSocket, connect_tcp, without_route
from scanner.tls_facts import HelloStyle


@contextmanager
def listening(family: socket.AddressFamily = socket.AF_INET) -> Iterator[socket.socket]:
    with socket.socket(family) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


async def connected(listener: socket.socket) -> tuple[TcpSocket, socket.socket]:
    ours = await connect_tcp(*listener.getsockname())
    theirs, _ = listener.accept()
    return ours, theirs


async def test_bytes_go_both_ways_and_the_end_is_seen():
    with listening() as listener:
        ours, theirs = await connected(listener)
        with ours, theirs:
            assert await ours.send(b"ping") == 4
            assert theirs.recv(10) == b"ping"
            theirs.sendall(b"pong")
            assert await ours.recv(2) == b"po"
            assert await ours.recv(10) == b"ng"
            theirs.shutdown(socket.SHUT_WR)
            assert await ours.recv(10) == b""


async def test_a_full_buffer_is_waited_for():
    """More than the kernel keeps for us: the sender waits, and nothing is lost."""
    whole = bytes(range(256)) * 40_000
    with listening() as listener:
        ours, theirs = await connected(listener)
        received = bytearray()

        async def read_all() -> None:
            theirs.setblocking(False)
            reader = TcpSocket(theirs)
            while data := await reader.recv(65_536):
                received.extend(data)

        with theirs:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read_all)
                left = memoryview(whole)
                while left:
                    left = left[await ours.send(left) :]
                ours.close()
    assert bytes(received) == whole


async def test_reading_is_a_checkpoint_even_where_bytes_are_there():
    with listening() as listener:
        ours, theirs = await connected(listener)
        with ours, theirs, trio.CancelScope() as scope:
            theirs.sendall(b"x")
            scope.cancel()
            await ours.recv(1)
    assert scope.cancelled_caught


async def test_as_a_stream_of_trio():
    with listening() as listener:
        ours, theirs = await connected(listener)
        with theirs:
            async with ours.stream() as stream:
                await stream.send_all(b"ping")
                assert theirs.recv(10) == b"ping"
            assert theirs.recv(10) == b""


async def test_a_peer_that_resets_is_an_error_of_the_kernel():
    with listening() as listener:
        ours, theirs = await connected(listener)
        with ours:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            theirs.close()
            with pytest.raises(ConnectionResetError):
                await ours.recv(10)


async def test_a_refusal_leaves_no_socket():
    with listening() as listener:
        place = listener.getsockname()
    with pytest.raises(ConnectionRefusedError) as caught:
        await connect_tcp(*place)
    assert caught.value.errno == errno.ECONNREFUSED
    del caught
    gc.collect()


async def test_a_connector_that_is_cancelled_leaves_no_socket():
    with listening() as listener, trio.CancelScope() as scope:
        scope.cancel()
        await connect_tcp(*listener.getsockname())
    assert scope.cancelled_caught
    gc.collect()


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
async def test_a_machine_without_ipv6_is_not_out_of_ports(address):
    """Both say EADDRNOTAVAIL; only for IPv4 is it the machine's own trouble, which ends the run."""

    async def connect(_address: str, _port: int) -> TcpSocket:
        await trio.lowlevel.checkpoint()
        raise without_route(address, OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"))

    request = SessionRequest(HelloStyle.POSTFIX_MUST)
    if ":" not in address:
        with pytest.raises(LocalTroubleError):
            await probe_session(Endpoint(address, 25), request, connect)
        return
    facts = (await probe_session(Endpoint(address, 25), request, connect)).facts
    assert facts.failure
    assert (facts.failure.stage, facts.failure.kind) == (Stage.CONNECT, Kind.UNREACHABLE)


def test_other_errors_stay_what_they_are():
    error = OSError(errno.ECONNREFUSED, "refused")
    assert without_route("2001:db8::1", error) is error

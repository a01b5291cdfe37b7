"""A TCP forwarder that counts and delays: it prints one line, the address that was called, for each connection.

Runs as a child process: `python forwarder.py CONFIG.json`, {"delay": seconds, "ways": {address: address behind}}.
The delay is that of one way: what arrives goes on so much later, in both directions, and the connection to the server
behind is made one round trip after that of the client, as if the client's SYN had had the way to go.
"""

import json
import sys
from functools import partial
from pathlib import Path

import trio

PORT = 25
READ_SIZE = 65_536
QUEUE = 1_000


async def main(delay: float, ways: dict[str, str]) -> None:
    async with trio.open_nursery() as nursery:
        for address, behind in ways.items():
            handler = partial(forward, delay, address, behind)
            nursery.start_soon(partial(trio.serve_tcp, handler, PORT, host=address, backlog=500))


async def forward(delay: float, address: str, behind: str, client: trio.SocketStream) -> None:
    """One connection: both directions until both have ended, or one breaks."""
    print(address, flush=True)
    await trio.sleep(2 * delay)
    try:
        server = await trio.open_tcp_stream(behind, PORT)
    except OSError:
        await trio.aclose_forcefully(client)
        return
    async with server, trio.open_nursery() as nursery:
        nursery.start_soon(one_way, delay, client, server, nursery.cancel_scope)
        nursery.start_soon(one_way, delay, server, client, nursery.cancel_scope)


async def one_way(delay: float, source: trio.SocketStream, sink: trio.SocketStream, both: trio.CancelScope) -> None:
    """What arrived goes on when it is due; an end of the stream is as late as data."""
    arrived, leaving = trio.open_memory_channel[tuple[float, bytes]](QUEUE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect, source, arrived)
        try:
            while data := await next_due(leaving, delay):
                await sink.send_all(data)
            await sink.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            both.cancel()


async def next_due(leaving: "trio.MemoryReceiveChannel[tuple[float, bytes]]", delay: float) -> bytes:
    at, data = await leaving.receive()
    await trio.sleep_until(at + delay)
    return data


async def collect(source: trio.SocketStream, arrived: "trio.MemorySendChannel[tuple[float, bytes]]") -> None:
    """Everything that arrives, with its time; a break counts as the end."""
    while True:
        try:
            data = await source.receive_some(READ_SIZE)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        await arrived.send((trio.current_time(), data))
        if not data:
            return


if __name__ == "__main__":
    config = json.loads(Path(sys.argv[1]).read_text())
    trio.run(main, config["delay"], config["ways"])

"""`tlsaudit` in a process of its own, whose connector maps (address, port) to loopback ports from a JSON file."""

import errno
import json
import os
import sys
from functools import partial
from pathlib import Path

import trio

import audits.scan
from audits.cli import main
from scanner.tcp import TcpSocket, connect_tcp


def run() -> None:
    ports: dict[str, int] = json.loads(Path(sys.argv.pop(1)).read_text())

    async def connect(address: str, port: int) -> TcpSocket:
        mapped = ports.get(f"{address} {port}")
        if mapped is None:
            await trio.lowlevel.checkpoint()
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return await connect_tcp("127.0.0.1", mapped)

    real = audits.scan.run_scan_command
    audits.scan.run_scan_command = partial(real, connect=connect)
    main()


if __name__ == "__main__":
    run()

"""A small internet on loopback for tests and benchmarks of the whole command: servers and a DNS in a thread.

The command runs in a process of its own (`mapped_command`), as a user runs it; only its connector is told which
loopback port stands for which address and port.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import trio
from msgspec import Struct

from audits.demo.behaviour import Behaviour
from audits.demo.certificates import Authority, new_authority
from audits.demo.dns_answers import Zone
from audits.demo.dns_server import DnsServer, serve_dns
from audits.demo.smtp_server import SmtpServer, serve

ROOT = Path(__file__).parent.parent


class World(Struct, frozen=True, kw_only=True):
    """The running servers, by (address, port) as the DNS has them."""

    folder: Path
    authority: Authority
    dns: DnsServer
    servers: dict[tuple[str, int], SmtpServer]

    def arguments(self, store: str = "runs.db") -> list[str]:
        """The options by which a scan stays in this world."""
        trust = ["--no-system-trust", "--cafile", str(self.folder / "root.pem")]
        manners = ["--depth", "policy", "--allow-private", "--interval", "0", "--ehlo", "scanner.example"]
        return [*trust, *manners, "--resolver", f"127.0.0.1:{self.dns.port}", "--store", str(self.folder / store)]

    def connections(self, address: str, port: int = 25) -> int:
        """How many connections a server has seen."""
        return self.servers[address, port].connections

    def command(self, *arguments: str, **options: object) -> "subprocess.Popen[str]":
        """Starts `tlsaudit` with these arguments, in this world."""
        ports = {f"{address} {port}": server.port for (address, port), server in self.servers.items()}
        (self.folder / "ports.json").write_text(json.dumps(ports))
        script = [sys.executable, "-P", str(ROOT / "tests" / "mapped_command.py"), str(self.folder / "ports.json")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": self.folder}
        return subprocess.Popen([*script, *arguments], **(pipes | options))  # type: ignore[call-overload, no-any-return]

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Runs `tlsaudit` to its end."""
        process = self.command(*arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(stdin, timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@contextmanager
def world(
    folder: Path,
    zone: Zone,
    behaviours: Mapping[tuple[str, int], Behaviour],
    authority: Authority | None = None,
    signed: Iterable[str] = (),
) -> Iterator[World]:
    """Serves the zone and the behaviours until the block ends; names below those in `signed` are answered as secure."""
    known = authority or new_authority()
    (folder / "root.pem").write_bytes(known.root_pem)
    started: SimpleQueue[tuple[World, trio.lowlevel.TrioToken, trio.Event] | BaseException] = SimpleQueue()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            dns = await nursery.start(partial(serve_dns, zone, signed=tuple(signed)))
            servers = {place: await nursery.start(serve, behaviour) for place, behaviour in behaviours.items()}
            stop = trio.Event()
            running = World(folder=folder, authority=known, dns=dns, servers=servers)
            started.put((running, trio.lowlevel.current_trio_token(), stop))
            await stop.wait()
            nursery.cancel_scope.cancel()

    def run() -> None:
        try:
            trio.run(main)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            started.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    found = started.get()
    if isinstance(found, BaseException):
        raise found
    running, token, stop = found
    try:
        yield running
    finally:
        token.run_sync_soon(stop.set)
        thread.join()

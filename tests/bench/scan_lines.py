"""Measures `tlsaudit scan` of a long list whose domains share a few hosts: CPU time, memory, size of the store.

Processor time is counted, not the clock, because machines are shared; and that of the scan alone, which runs in a
process of its own, as do the servers and the DNS.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import dns.message
import dns.query
from msgspec import Struct

from audits.demo.behaviour import Behaviour, TlsServer
from audits.demo.certificates import new_authority
from tests.loopback_world import ROOT, World, world

HOSTS = 200
POLL_S = 0.5


class Measured(Struct, frozen=True, kw_only=True):
    """One scan: what it took. `memory_mb` is the peak, `memory_at` its level at each quarter of the time."""

    lines: int
    user_s: float
    system_s: float
    wall_s: float
    memory_mb: float
    memory_at: tuple[float, ...]
    store_mb: float
    connections: int
    queries: int

    @property
    def cpu_s(self) -> float:
        return self.user_s + self.system_s

    @property
    def rate(self) -> float:
        """Domains a second and core."""
        return self.lines / self.cpu_s


class Bench(Struct, frozen=True):
    """The running world, and where its DNS listens."""

    world: World
    dns_port: int

    def scan(self, lines: int, *more: str, another_night: bool = False) -> Measured:
        """Scans so many domains into a new store; or into that of the scan before, as another night."""
        folder = self.world.folder
        write_domains(folder / "domains.txt", lines)
        for old in [] if another_night else [*folder.glob("bench.db*")]:
            old.unlink()
        connections, queries = self._connections(), self._queries()
        started = time.monotonic()
        arguments = ("scan", *self._arguments(), *more, "domains.txt")
        with self.world.command(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            levels, peak = watched(process.pid)
            _, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise RuntimeError(f"the scan ended with {process.returncode}: {process.stderr.read()[-2000:]}")
        return Measured(
            lines=lines,
            user_s=used.ru_utime,
            system_s=used.ru_stime,
            wall_s=wall,
            memory_mb=peak,
            memory_at=tuple(levels[len(levels) * quarter // 4 - 1] for quarter in (1, 2, 3, 4)) if levels else (),
            store_mb=sum(file.stat().st_size for file in folder.glob("bench.db*")) / 1e6,
            connections=self._connections() - connections,
            queries=self._queries() - queries,
        )

    def _connections(self) -> int:
        return sum(server.connections for server in self.world.servers.values())

    def _queries(self) -> int:
        """How many queries the name server has had."""
        told = dns.query.udp(dns.message.make_query("queries.invalid", "A"), "127.0.0.1", 10, self.dns_port)
        return int(ip_address(told.answer[0][0].to_text()))

    def _arguments(self) -> list[str]:
        trust = ["--no-system-trust", "--cafile", "root.pem", "--allow-private", "--interval", "0"]
        where = [
            "--depth",
            "policy",
            "--resolver",
            f"127.0.0.1:{self.dns_port}",
            "--store",
            "bench.db",
            "--ehlo",
            "scanner.example",
        ]
        return [*trust, *where, "--format", "jsonl", "-q"]


@contextmanager
def bench(folder: Path, hosts: int = HOSTS) -> Iterator[Bench]:
    """Healthy servers and their DNS, until the block ends."""
    authority = new_authority()
    names = [f"mx{number}.example" for number in range(hosts)]
    behaviours = {
        (f"192.0.2.{number}", 25): Behaviour(name=name, tls=TlsServer(chains=(authority.credential(name).chain_pem,)))
        for number, name in enumerate(names)
    }
    responder = [sys.executable, "-m", "tests.bench.wildcard_dns", str(hosts)]
    with (
        world(folder, {}, behaviours, authority) as running,
        subprocess.Popen(responder, stdout=subprocess.PIPE, cwd=ROOT) as server,
    ):
        assert server.stdout is not None
        try:
            yield Bench(running, int(server.stdout.readline()))
        finally:
            server.kill()


def write_domains(path: Path, lines: int) -> None:
    with path.open("w") as stream:
        stream.writelines(f"d{number:07}.example\n" for number in range(lines))


def watched(pid: int, poll_s: float = POLL_S) -> tuple[list[float], float]:
    """Resident memory now and then until the process ends, and its peak; in MB, from /proc (Linux).

    Not what wait4(2) tells: that begins with the memory of the process that started it.
    """
    levels: list[float] = []
    peak = 0.0
    while fields := _memory(pid):
        levels.append(fields["VmRSS"])
        peak = fields["VmHWM"]
        time.sleep(poll_s)
    return levels, peak


def _memory(pid: int) -> dict[str, float]:
    """The memory fields of a process, in MB; empty once it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    rows = (line.split() for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM")))
    return {row[0].removesuffix(":"): int(row[1]) * 1024 / 1e6 for row in rows}

"""Servers whose TLS is to be enumerated, each behind a forwarder that counts the connections made to it.

The DNS leads tlsaudit to the forwarder; the truth about a server is asked at its own address and is not counted.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.loopback_world import World, world

from . import certificate_states
from .authority import pem
from .exim_servers import PROGRAM, USER, configuration, libraries
from .namespace import add_user, lab_folder, require_own_namespaces, run
from .postfix_instance import lay_out, postfix
from .postfix_servers import MAIN, services_of
from .processes import running, wait_for_ports
from .scanning import Scan
from .states import Kind, Placed, State
from .suite_truth import Pair, true_pairs

FORWARDER = Path(__file__).with_name("forwarder.py")
FRONT = Path(__file__).with_name("starttls_front.py")
POSTSCREEN_SERVICES = (
    "smtpd pass - - n - - smtpd\n",
    "dnsblog unix - - n - 0 dnsblog\n",
    "tlsproxy unix - - n - 0 tlsproxy\n",
)


class Enumerated:
    """A server: `address` is the forwarder's, `behind` its own. The truth is found out once."""

    def __init__(self, state: State, number: int) -> None:
        self.state = state
        self.address = f"127.{61 + number // 250}.{number % 250}.1"
        self.behind = f"127.60.{number % 250}.1"

    def again(self, number: int) -> "Enumerated":
        """The same server under one more name and address."""
        other = Enumerated(State(name=f"{self.state.name}-{number}", kind=Kind.NOBODY), number)
        other.behind = self.behind
        return other

    @property
    def placed(self) -> Placed:
        return Placed(self.state, self.behind)

    @cached_property
    def true_pairs(self) -> frozenset[Pair]:
        return true_pairs(self.behind)


class EnumerationLab:
    """The running servers by the names of their states; a class because the forwarder's log grows."""

    def __init__(self, folder: Path, servers: Sequence[Enumerated], loopback: World) -> None:
        self.folder = folder
        self.servers = {server.state.name: server for server in servers}
        self._world = loopback
        self._scans = 0

    def connections(self) -> Counter[str]:
        """How many connections the forwarder has seen, by state."""
        names = {server.address: name for name, server in self.servers.items()}
        return Counter(names[line] for line in (self.folder / "forwarder.log").read_text().split())

    @contextmanager
    def scanning(self, names: Sequence[str], *options: str) -> Iterator[Scan]:
        """A scan of these servers, in a process of its own, while the block runs."""
        self._scans += 1
        work = self.folder / f"scan-{self._scans}"
        targets, output = work.with_suffix(".txt"), work.with_suffix(".jsonl")
        targets.write_text("".join(f"{name}.test\n" for name in names))
        command = [sys.executable, "-m", "audits.cli", "scan", "--format", "jsonl", "--ports", "25", "--envelope"]
        command += [*self._world.arguments(f"scan-{self._scans}.db"), "--cafile", str(self.folder / "root-lab.pem")]
        command += ["--max-inconclusive", "100", "--output", str(output), *options, str(targets)]
        scan = Scan(command, output, work.with_suffix(".err"))
        try:
            yield scan
        except BaseException:
            scan.process.kill()
            scan.process.wait()
            raise
        scan.finish()

    def scan(self, names: Sequence[str], *options: str) -> dict[str, dict[str, Any]]:
        """The report on the one endpoint of each server, with the grade in it, by the server's name."""
        with self.scanning(names, *options) as scan:
            pass
        return endpoints(scan)


def endpoints(scan: Scan) -> dict[str, dict[str, Any]]:
    """The endpoint of each domain of a finished scan, with the domain's grade."""
    return {
        domain.removesuffix(".test"): {**report["endpoints"][0], "grade": report["grade"]}
        for domain, report in scan.reports.items()
    }


@contextmanager
def enumeration_lab(
    states: Sequence[State], main: Mapping[str, str] = MappingProxyType({}), delay_s: float = 0.0, names: int = 1
) -> Iterator[EnumerationLab]:
    """All of these states up in namespaces of our own; `main` is added to main.cf, each server has so many names."""
    require_own_namespaces()
    run("ip", "link", "set", "lo", "up")
    servers = [Enumerated(state, number) for number, state in enumerate(states, 1)]
    more = [
        server.again(at * len(states) + number) for at in range(1, names) for number, server in enumerate(servers, 1)
    ]
    with ExitStack() as stack:
        folder = stack.enter_context(lab_folder())
        certificates = write_certificates(folder, servers)
        stack.enter_context(_postfix(folder / "postfix", _of(servers, Kind.POSTFIX, Kind.POSTSCREEN), main))
        exim = _of(servers, Kind.EXIM)
        for limit in {each.state.options.get("stock", "") for each in exim}:
            chosen = [each for each in exim if each.state.options.get("stock", "") == limit]
            stack.enter_context(_exim(folder / f"exim-{limit or 'roomy'}", chosen, certificates))
        stack.enter_context(_fronts(folder, _of(servers, Kind.ODD)))
        servers += more
        stack.enter_context(_forwarder(folder, servers, delay_s))
        loopback = stack.enter_context(world(folder, zone_of(servers), {}))
        yield EnumerationLab(folder, servers, loopback)


def write_certificates(folder: Path, servers: Sequence[Enumerated]) -> Path:
    """The chains of all servers, and the root that the scan trusts."""
    authorities = certificate_states.make_authorities()
    for server in servers:
        place = folder / "certificates" / server.state.domain
        place.mkdir(parents=True)
        for name in filter("none".__ne__, server.state.chains):
            chain = certificate_states.CHAINS[name](authorities, server.state.host)
            (place / f"{name}.pem").write_bytes(chain.pem())
    root = pem(authorities.root.certificate)
    for name in ("root-lab.pem", "certificates/root.pem"):
        (folder / name).write_bytes(root)
    return folder / "certificates"


def zone_of(servers: Sequence[Enumerated]) -> dict[str, dict[str, tuple[str, ...]]]:
    zone: dict[str, dict[str, tuple[str, ...]]] = {}
    for server in servers:
        zone[server.state.domain] = {"MX": (f"10 {server.state.host}",)}
        zone[server.state.host] = {"A": (server.address,)}
    return zone


def _of(servers: Sequence[Enumerated], *kinds: Kind) -> list[Placed]:
    return [server.placed for server in servers if server.state.kind in kinds]


@contextmanager
def _postfix(folder: Path, states: Sequence[Placed], main: Mapping[str, str]) -> Iterator[None]:
    services = [each for state in states for each in services_of(state, folder.parent / "certificates")]
    lay_out(folder, {**MAIN, **main}, [*POSTSCREEN_SERVICES, *services])
    with postfix(folder, [(each.address, 25) for each in states]):
        yield


@contextmanager
def _exim(folder: Path, states: list[Placed], certificates: Path) -> Iterator[None]:
    """One daemon: as many places as there are, or the 20 of a configuration that says nothing of them."""
    add_user(folder.parent, USER)
    for name in ("spool", "log"):
        (folder / name).mkdir(parents=True)
        (folder / name).chmod(0o777)
    text = configuration(folder, states, certificates)
    if "stock" in states[0].state.options:
        text = text.replace("smtp_accept_max = 500\n", "")
        assert "smtp_accept_max" not in text
    (folder / "exim.conf").write_text(text)
    with running(["env", libraries(), PROGRAM, "-C", folder / "exim.conf", "-bdf"], folder / "exim.out") as child:
        wait_for_ports(child, [(each.address, 25) for each in states], folder / "exim.out")
        yield


@contextmanager
def _fronts(folder: Path, states: Sequence[Placed]) -> Iterator[None]:
    """STARTTLS in front of tlslite-ng, pyOpenSSL and `openssl s_server`."""
    with ExitStack() as stack:
        fronts = []
        for number, placed in enumerate(states, 1):
            files = [folder / "certificates" / placed.state.domain / f"{name}.pem" for name in placed.state.chains]
            front = {"address": placed.address, "kind": placed.state.options["kind"], "chain": str(files[0])}
            if front["kind"] == "pipe":
                front |= {"behind": placed.address, "port": str(40_000 + number)}
                stack.enter_context(_s_server(folder, files, placed, front["port"]))
            fronts.append(front)
        (folder / "fronts.json").write_text(json.dumps(fronts))
        child = stack.enter_context(running([sys.executable, FRONT, folder / "fronts.json"], folder / "fronts.log"))
        wait_for_ports(child, [(placed.address, 25) for placed in states], folder / "fronts.log")
        yield


@contextmanager
def _s_server(folder: Path, files: Sequence[Path], placed: Placed, port: str) -> Iterator[None]:
    command = ["openssl", "s_server", "-accept", f"{placed.address}:{port}", "-rev", "-quiet", "-key", files[0]]
    command += ["-cert", files[0], *placed.state.options["arguments"].split()]
    if len(files) > 1:
        command += ["-dcert", files[1], "-dkey", files[1]]
    log = folder / f"s_server-{port}.log"
    with running(command, log) as child:
        wait_for_ports(child, [(placed.address, int(port))], log)
        yield


@contextmanager
def _forwarder(folder: Path, servers: Sequence[Enumerated], delay_s: float) -> Iterator[None]:
    ways = {server.address: server.behind for server in servers}
    (folder / "forwarder.json").write_text(json.dumps({"delay": delay_s, "ways": ways}))
    with running([sys.executable, FORWARDER, folder / "forwarder.json"], folder / "forwarder.log") as child:
        wait_for_ports(child, [(address, 25) for address in ways], folder / "forwarder.log")
        yield

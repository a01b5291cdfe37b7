"""A DNS and a network in memory, and whole scans of them."""

from collections.abc import Iterable, Mapping
from typing import Any

import trio

from scanner.egress import EgressBlocked
from scanner.endpoint_probe import Shells
from scanner.facts import AddressRecord, DnsAnswer, DnsRecord, DnsStatus, EndpointRef, Lookup, MxRecord, Target
from scanner.failures import LocalTroubleError, ProbeFailure
from scanner.pipeline import ProbedDomain, run_scan
from scanner.route import Question
from scanner.settings import ScanSettings
from tests.scanner.memory_network import MemoryNetwork

Zone = Mapping[tuple[str, str], Iterable[DnsRecord] | ProbeFailure]


def mx(*names: str) -> list[DnsRecord]:
    return [MxRecord(10 * at, name) for at, name in enumerate(names, 1)]


def at(*addresses: str) -> list[DnsRecord]:
    return [AddressRecord(address) for address in addresses]


class World:
    """A DNS and a network; what was asked and delivered in a scan of it."""

    def __init__(self, zone: Zone, servers: dict[tuple[str, int], Any]) -> None:
        self.zone = zone
        self.servers = servers
        self.asked: list[Question] = []
        self.delivered: dict[str, ProbedDomain] = {}
        self.network: MemoryNetwork

    async def look_up(self, question: Question) -> Lookup:
        self.asked.append(question)
        await trio.sleep(0.01)
        found = self.zone.get((question.name, question.rdtype))
        if isinstance(found, ProbeFailure):
            return found
        records = tuple(found or ())
        status = DnsStatus.RECORDS if records else DnsStatus.NODATA if found is not None else DnsStatus.NXDOMAIN
        return DnsAnswer(question.name, question.rdtype, status, records)

    async def deliver(self, result: ProbedDomain) -> None:
        await trio.lowlevel.checkpoint()
        self.delivered[result.facts.target.entry] = result

    async def scan(self, targets: Iterable[Target | str], shells: dict[str, Any] | None = None, **choices: Any) -> None:
        """Raises what `run_scan` raises, and not in a group of its own."""
        named = (t if isinstance(t, Target) else Target(t, t) for t in targets)
        settings = ScanSettings(**{"ports": (25,), "interval_s": 1.0, **choices})
        raised: Exception | None = None
        async with trio.open_nursery() as nursery:
            self.network = MemoryNetwork(nursery, self.servers)
            doors = {"look_up": self.look_up, "connect": self.network.connect, **(shells or {})}
            try:
                await run_scan(named, settings, Shells(**doors), self.deliver)
            except (EgressBlocked, LocalTroubleError, ExceptionGroup) as error:
                raised = error
            nursery.cancel_scope.cancel()
        if raised:
            raise raised

    @property
    def contacted(self) -> set[tuple[str, int]]:
        return set(self.network.attempts)

    def refs(self, domain: str) -> dict[tuple[str, int], EndpointRef]:
        return {(r.endpoint.address, r.endpoint.port): r for r in self.delivered[domain].facts.endpoints}

"""A stored run as the facts of a simulation: domains, hosts and endpoints, fetched in batches and kept for a while."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from audits.simulate.next_hops import RunFacts
from audits.store import Store
from scanner.facts import DomainFacts, Endpoint, EndpointFacts, EndpointRef, MxHost

BATCH = 200
"""Domains whose endpoints are fetched together."""
KEPT = 20_000
"""Endpoints in memory, some kilobytes each; beyond it they are fetched anew."""


class StoredRun(RunFacts):
    """The facts of one run of an open store; a class because what was fetched is kept."""

    def __init__(self, store: Store, run: int) -> None:
        self._store = store
        self._run = run
        self._endpoints: dict[Endpoint, EndpointFacts | None] = {}
        self._hosts: dict[str, MxHost] | None = None

    def domain(self, entry: str) -> DomainFacts | None:
        found = self._store.domain(self._run, entry)
        return found.facts if found else None

    def host(self, name: str) -> MxHost | None:
        if self._hosts is None:
            routes = (result.facts.route for result in self._store.domains(self._run))
            self._hosts = {host.name: host for route in routes for host in route.hosts if host.addresses}
        return self._hosts.get(name)

    def endpoints(self, wanted: Iterable[Endpoint]) -> Mapping[Endpoint, EndpointFacts]:
        asked = list(dict.fromkeys(wanted))
        if len(self._endpoints) > KEPT:
            self._endpoints.clear()
        missing = [endpoint for endpoint in asked if endpoint not in self._endpoints]
        if missing:
            self._fetch(missing)
        return {endpoint: facts for endpoint in asked if (facts := self._endpoints.get(endpoint)) is not None}

    def all_domains(self) -> Iterator[DomainFacts]:
        """Every domain of the run, in the order of the input."""
        return self._prefetched(result.facts for result in self._store.domains(self._run))

    def these_domains(self, entries: Iterable[str]) -> Iterator[tuple[str, DomainFacts | None]]:
        """The entries with their facts; None for what the run has not."""
        rest = iter(entries)
        while batch := list(islice(rest, BATCH)):
            found = [(entry, self.domain(entry)) for entry in batch]
            self._prefetch([facts for _, facts in found if facts is not None])
            yield from found

    def _prefetched(self, domains: Iterator[DomainFacts]) -> Iterator[DomainFacts]:
        while batch := list(islice(domains, BATCH)):
            self._prefetch(batch)
            yield from batch

    def _prefetch(self, domains: Sequence[DomainFacts]) -> None:
        self.endpoints([ref.endpoint for facts in domains for ref in facts.endpoints])

    def _fetch(self, missing: Sequence[Endpoint]) -> None:
        found = self._store.endpoints_of(self._run, [EndpointRef("", 0, endpoint) for endpoint in missing])
        self._endpoints.update({endpoint: found.get(endpoint) for endpoint in missing})

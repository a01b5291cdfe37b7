"""Makes the demo history, fourteen nights of some 300 domains, which the notebooks and their tests read.

    python data/make_demo_history.py [FILE]        (data/demo/history.db)

No network and no clock: facts as a scan writes them, of servers that stand in data/demo/nights.py, judged by the real
judge and stored in a real store. The content is the same each time.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
from demo import nights, published, servers, world

from audits.baseline import shipped_baseline
from audits.evaluate import Evaluator
from audits.judge import Judge
from audits.store import DomainResult, RunStart, Store, input_digest
from audits.trust import TrustStore
from scanner.facts import (
    Dnssec,
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    Level,
    MailRoute,
    MxHost,
    RouteStatus,
    Target,
)

DEFAULT = Path(__file__).parent / "demo" / "history.db"
BASELINE = "mozilla-intermediate"
REQUIRED_OF = 20
"""The first domains of the list must sustain MUST, as a list of partners might demand."""
_OPTIONS = b'{"depth":"standard","ports":[25]}'


class Night:
    """One night: the facts of every domain, and those of every endpoint once."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.begins = nights.night_of(number)
        self.listed = world.listed(number)
        self._seen: dict[Endpoint, EndpointFacts] = {}
        self._places = _places()

    def targets(self) -> list[Target]:
        """The list, normalised."""
        demanded = {d.name for d in world.listed(0)[:REQUIRED_OF]}
        return [Target(d.name, d.name, required=Level.MUST if d.name in demanded else None) for d in self.listed]

    def results(self) -> Iterator[tuple[DomainFacts, list[EndpointFacts]]]:
        """Each domain with the facts of its endpoints."""
        for target, domain in zip(self.targets(), self.listed, strict=True):
            yield self._domain(target, domain)

    def _domain(self, target: Target, domain: world.Domain) -> tuple[DomainFacts, list[EndpointFacts]]:
        operator, place = nights.operator_on(domain, self.number), self._places[domain.name]
        if operator == "-":
            status = RouteStatus.NULL_MX if place % 3 else RouteStatus.NO_SUCH_DOMAIN
            return DomainFacts(target, MailRoute(status)), []
        if operator:
            hosts = nights.operator_hosts(operator)
            found = {host: nights.operated(operator, host, self.number) for host in hosts}
        else:
            hosts = nights.own_hosts(domain, place, self.number)
            found = {host: nights.self_hosted(domain, place, host, self.number) for host in hosts}
        policy = published.policy_facts(domain, place, hosts, self.number, self.begins)
        signed = operator in world.OPERATORS and world.OPERATORS[operator].signed
        dnssec = Dnssec.SECURE if signed else Dnssec.INSECURE
        mx = tuple(MxHost(h.name, 10 * n, h.addresses, dnssec=dnssec) for n, h in enumerate(hosts, 1))
        refs = [ref for host in mx for ref in _refs(host, published.publishes(policy))]
        seen = [self._endpoint(ref.endpoint, found[_host(hosts, ref)]) for ref in refs]
        route = MailRoute(RouteStatus.MX, mx, mx_dnssec=dnssec)
        return DomainFacts(target, route, tuple(refs), policy), seen

    def _endpoint(self, endpoint: Endpoint, server: servers.Server) -> EndpointFacts:
        """Each endpoint is asked once a night, one after the other."""
        if endpoint not in self._seen:
            at = self.begins + timedelta(seconds=2 * len(self._seen))
            self._seen[endpoint] = servers.endpoint_facts(server, endpoint, at)
        return self._seen[endpoint]


def _places() -> dict[str, int]:
    """The number of each domain among those of the same operator."""
    counts: Counter[str] = Counter()
    places = {}
    for domain in world.domains():
        places[domain.name] = counts[domain.operator]
        counts[domain.operator] += 1
    return places


def _refs(host: MxHost, published_policy: bool) -> Iterator[EndpointRef]:
    for address in host.addresses:
        yield EndpointRef(host.name, host.preference, Endpoint(address, 25))
        if published_policy:
            yield EndpointRef(host.name, host.preference, Endpoint(address, 25, host.name), EndpointUse.POLICY)


def _host(hosts: tuple[world.Host, ...], ref: EndpointRef) -> world.Host:
    return next(host for host in hosts if host.name == ref.mx_host)


def make(file: Path) -> None:
    """Writes the history into a new store."""
    trust = TrustStore([nights.QUICK.root, nights.ASSURED.root])
    evaluator = Evaluator([shipped_baseline(BASELINE)])
    with Store.open(file, writing=True) as store:
        for number in range(world.NIGHTS):
            night, judge = Night(number), Judge(trust, 9, None, evaluator)
            digest = input_digest(night.targets(), _OPTIONS)
            start = RunStart(
                started=night.begins,
                input_digest=digest,
                options=_OPTIONS,
                tool_version="demo",
                trust_digest=trust.digest,
            )
            run = store.begin_run(start, night.targets())
            domains, endpoints = [], {}
            for seq, (facts, seen) in enumerate(night.results(), 1):
                record = judge.record(facts, seen)
                domains.append(DomainResult(seq, facts, record.grade.value, msgspec.json.encode(record)))
                endpoints.update({each.endpoint: each for each in seen})
            store.save(run.id, domains, list(endpoints.values()))
            store.finish_run(run.id, night.begins + timedelta(seconds=2 * len(endpoints)))


def main() -> None:
    """Writes to the file that is named, or to the usual one; an older one is replaced."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT, help="the store to write")
    file = parser.parse_args().file
    half_made = file.with_name(f".{file.name}.new")
    for left in half_made.parent.glob(f"{half_made.name}*"):
        left.unlink()
    make(half_made)
    half_made.replace(file)
    for left in half_made.parent.glob(f"{half_made.name}*"):
        left.unlink()
    print(file)


if __name__ == "__main__":
    main()

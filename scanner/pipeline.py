"""From targets to facts: N workers over one shared iterator; every name and every endpoint is asked once.

The only room with nurseries. A worker takes a target, resolves its route, asks each endpoint (or waits for the task
that asks it already), and delivers the facts of the domain together with those of its endpoints.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address
from typing import TypeVar

import msgspec
import trio

from scanner.addresses import Exclusions, is_public
from scanner.egress import EgressBlocked
from scanner.endpoint_probe import EndpointProbe, Shells
from scanner.facts import (
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    Lookup,
    MailRoute,
    RouteStatus,
    Target,
)
from scanner.failures import Kind, LocalTroubleError, ProbeFailure, Stage
from scanner.once import OnceEach
from scanner.route import Question, endpoint_refs, route_plan
from scanner.settings import CACHE_ENTRIES, ScanSettings

K = TypeVar("K")
V = TypeVar("V")


class ProbedDomain(msgspec.Struct, frozen=True):
    """One finished domain: its facts, and those of each endpoint that was to be asked."""

    facts: DomainFacts
    endpoints: tuple[EndpointFacts, ...] = ()


Deliver = Callable[[ProbedDomain], Awaitable[None]]


async def run_scan(targets: Iterable[Target], settings: ScanSettings, shells: Shells, deliver: Deliver) -> None:
    """Scans every target and delivers each as it is finished, in no order. Raises EgressBlocked."""
    scan = _Scan(settings, shells)
    shared = iter(targets)

    async def work() -> None:
        for target in shared:
            await deliver(await scan.domain(target))

    try:
        async with trio.open_nursery() as nursery:
            for _ in range(settings.jobs):
                nursery.start_soon(work)
    except* (EgressBlocked, LocalTroubleError) as group:
        raise next(_leaves(group)) from None
    scan.probe.egress.conclude()


class _Scan:
    """What the workers of one run share."""

    def __init__(self, settings: ScanSettings, shells: Shells) -> None:
        self.probe = EndpointProbe(settings, shells)
        self._settings = settings
        self._look_up = shells.look_up
        self._excluded = Exclusions(settings.excluded_names, settings.excluded_networks)
        self._answers: OnceEach[Question, Lookup] = OnceEach(CACHE_ENTRIES)
        self._endpoints: OnceEach[Endpoint, EndpointFacts] = OnceEach(CACHE_ENTRIES)

    async def domain(self, target: Target) -> ProbedDomain:
        if self._excluded.covers_name(target.name):
            left_alone = ProbeFailure(Stage.DNS, Kind.EXCLUDED, target.name)
            return ProbedDomain(DomainFacts(target, MailRoute(RouteStatus.UNRESOLVED, failure=left_alone)))
        route = await self._route(target)
        refs = tuple(map(self._filtered, endpoint_refs(target, route, self._settings.ports)))
        hosts = {ref.endpoint: ref.mx_host for ref in reversed(refs) if ref.failure is None}
        facts = DomainFacts(target, route, refs)
        return ProbedDomain(facts, await _all(lambda endpoint: self._endpoint(endpoint, hosts), facts.probed))

    async def _endpoint(self, endpoint: Endpoint, hosts: dict[Endpoint, str]) -> EndpointFacts:
        return await self._endpoints.get(endpoint, lambda: self.probe.facts(endpoint, hosts[endpoint]))

    async def _route(self, target: Target) -> MailRoute:
        submission = target.port is None and not {465, 587}.isdisjoint(self._settings.ports)
        plan = route_plan(target, submission)
        try:
            questions = next(plan)
            while True:
                answers = await _all(self._answer, questions)
                questions = plan.send(dict(zip(questions, answers, strict=True)))
        except StopIteration as stop:
            route: MailRoute = stop.value
            return route

    async def _answer(self, question: Question) -> Lookup:
        return await self._answers.get(question, lambda: self._look_up(question))

    def _filtered(self, ref: EndpointRef) -> EndpointRef:
        """The reference, with the reason where this endpoint is not to be contacted."""
        kind = self._obstacle(ref.mx_host, ref.endpoint.address)
        if kind is None:
            return ref
        return msgspec.structs.replace(ref, failure=ProbeFailure(Stage.CONNECT, kind, ref.endpoint.address))

    def _obstacle(self, mx_host: str, address: str) -> Kind | None:
        is_v6 = ip_address(address).version == 6
        if self._excluded.covers_name(mx_host) or self._excluded.covers_address(address):
            return Kind.EXCLUDED
        if not (self._settings.ipv6 if is_v6 else self._settings.ipv4):
            return Kind.FAMILY_NOT_ASKED
        if not is_public(address):
            return None if self._settings.allow_private else Kind.ADDRESS_NOT_PUBLIC
        return Kind.NO_LOCAL_IPV6 if is_v6 and not self._settings.ipv6_route else None


async def _all(ask: Callable[[K], Awaitable[V]], keys: Sequence[K]) -> tuple[V, ...]:
    """The answers for all keys, asked for at the same time, in the order of the keys."""
    if len(keys) == 1:
        return (await ask(keys[0]),)
    answers: dict[K, V] = {}

    async def one(key: K) -> None:
        answers[key] = await ask(key)

    async with trio.open_nursery() as nursery:
        for key in keys:
            nursery.start_soon(one, key)
    return tuple(answers[key] for key in keys)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for inner in group.exceptions:
        if isinstance(inner, BaseExceptionGroup):
            yield from _leaves(inner)
        else:
            yield inner

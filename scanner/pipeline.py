"""From targets to facts: N workers over one shared iterator; every name and every endpoint is asked once.

The only room with nurseries. A worker takes a target, resolves its route, asks each endpoint (or waits for the task
that asks it already), and delivers the facts of the domain together with those of its endpoints.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from ipaddress import ip_address
from typing import TypeVar

import msgspec
import trio

from scanner.addresses import Exclusions, is_public
from scanner.egress import EgressBlocked
from scanner.endpoint_probe import EndpointProbe, Shells
from scanner.facts import (
    NO_MAIL_ROUTES,
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    Lookup,
    MailRoute,
    RouteStatus,
    Target,
)
from scanner.failures import Kind, LocalTroubleError, ProbeFailure, Stage
from scanner.once import OnceEach
from scanner.policy_plan import policy_refs
from scanner.policy_probe import PolicyProbe
from scanner.route import Answers, Question, endpoint_refs, route_plan
from scanner.settings import CACHE_ENTRIES, ENDPOINT_CACHE_ENTRIES, ScanSettings

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ProbedDomain(msgspec.Struct, frozen=True):
    """One finished domain: its facts, and those of each endpoint that was to be asked."""

    facts: DomainFacts
    endpoints: tuple[EndpointFacts, ...] = ()


Deliver = Callable[[ProbedDomain], Awaitable[None]]


async def run_scan(targets: Iterable[Target], settings: ScanSettings, shells: Shells, deliver: Deliver) -> None:
    """Scans every target and delivers each as it is finished, in no order. Raises EgressBlocked, LocalTroubleError."""
    scan = _Scan(settings, shells)
    shared = iter(targets)

    async def work() -> None:
        for target in shared:
            await deliver(await scan.domain(target))

    try:
        async with trio.open_nursery() as nursery:
            for _ in range(settings.jobs):
                nursery.start_soon(work)
    except BaseExceptionGroup as group:  # not `except*`: before Python 3.11.4 that wraps what it raises in a new group
        stops, others = group.split((EgressBlocked, LocalTroubleError, KeyboardInterrupt))
        if stops is None or others is not None:
            raise
        raise next(_leaves(stops)) from None
    scan.probe.egress.conclude()


class _Scan:
    """What the workers of one run share."""

    def __init__(self, settings: ScanSettings, shells: Shells) -> None:
        self.probe = EndpointProbe(settings, shells)
        self._settings = settings
        self._look_up = shells.look_up
        self._excluded = Exclusions(settings.excluded_names, settings.excluded_networks)
        self._answers: OnceEach[Question, Lookup] = OnceEach(CACHE_ENTRIES)
        self._endpoints: OnceEach[Endpoint, EndpointFacts] = OnceEach(ENDPOINT_CACHE_ENTRIES)
        self._obstacle = lru_cache(CACHE_ENTRIES)(self._look_for_obstacle)
        self._policy = PolicyProbe(
            settings=settings,
            answer=self._ask_all,
            obstacle=self._obstacle,
            connect=shells.connect,
            now=shells.now,
        )

    async def domain(self, target: Target) -> ProbedDomain:
        if self._excluded.covers_name(target.name):
            left_alone = ProbeFailure(Stage.DNS, Kind.EXCLUDED, target.name)
            return ProbedDomain(DomainFacts(target, MailRoute(RouteStatus.UNRESOLVED, failure=left_alone)))
        route = await self._route(target)
        known = (*route.hosts, *(service.host for service in route.submission))
        names = {host.name: (host.name, *host.aliases) for host in known}
        refs = endpoint_refs(target, route, self._settings.ports)
        refs = tuple(self._filtered(ref, names[ref.mx_host]) for ref in refs)
        policy = None
        if self._settings.published and route.status not in NO_MAIL_ROUTES:
            policy = await self._policy.facts(target, route)
            refs += policy_refs(refs, policy)
        hosts = {ref.endpoint: ref.mx_host for ref in reversed(refs) if ref.failure is None}
        facts = DomainFacts(target, route, refs, policy)
        return ProbedDomain(facts, await self._probed(facts, hosts))

    async def _probed(self, facts: DomainFacts, hosts: dict[Endpoint, str]) -> tuple[EndpointFacts, ...]:
        """The facts of the endpoints: first those that decide the grade, while the servers' patience is fresh."""

        def ask(endpoint: Endpoint) -> Awaitable[EndpointFacts]:
            return self.probe.facts(endpoint, hosts[endpoint])

        mail = {ref.endpoint for ref in facts.endpoints if ref.use is EndpointUse.MAIL}
        first = tuple(endpoint for endpoint in facts.probed if endpoint in mail)
        others = tuple(endpoint for endpoint in facts.probed if endpoint not in mail)
        found = dict(zip(first, await _all(self._endpoints, first, ask), strict=True))
        found |= zip(others, await _all(self._endpoints, others, ask), strict=True)
        return tuple(found[endpoint] for endpoint in facts.probed)

    async def _route(self, target: Target) -> MailRoute:
        submission = target.port is None and not {465, 587}.isdisjoint(self._settings.ports)
        plan = route_plan(target, submission)
        try:
            questions = next(plan)
            while True:
                questions = plan.send(await self._ask_all(questions))
        except StopIteration as stop:
            route: MailRoute = stop.value
            return route

    async def _ask_all(self, questions: tuple[Question, ...]) -> Answers:
        answers = await _all(self._answers, questions, self._answer)
        return dict(zip(questions, answers, strict=True))

    async def _answer(self, question: Question) -> Lookup:
        if self._excluded.covers_name(question.name):
            return ProbeFailure(Stage.DNS, Kind.EXCLUDED, question.name)
        return await self._look_up(question)

    def _filtered(self, ref: EndpointRef, names: tuple[str, ...]) -> EndpointRef:
        """The reference, with the reason where this endpoint is not to be contacted; `names` are all of its host."""
        kind = self._obstacle(names, ref.endpoint.address)
        if kind is None:
            return ref
        return msgspec.structs.replace(ref, failure=ProbeFailure(Stage.CONNECT, kind, ref.endpoint.address))

    def _look_for_obstacle(self, names: tuple[str, ...], address: str) -> Kind | None:
        is_v6 = ip_address(address).version == 6
        if any(map(self._excluded.covers_name, names)) or self._excluded.covers_address(address):
            return Kind.EXCLUDED
        if not (self._settings.ipv6 if is_v6 else self._settings.ipv4):
            return Kind.FAMILY_NOT_ASKED
        if not is_public(address):
            return None if self._settings.allow_private else Kind.ADDRESS_NOT_PUBLIC
        return Kind.NO_LOCAL_IPV6 if is_v6 and not self._settings.ipv6_route else None


async def _all(once: OnceEach[K, V], keys: Sequence[K], ask: Callable[[K], Awaitable[V]]) -> tuple[V, ...]:
    """The answers for all keys, asked for at the same time, in the order of the keys.

    Where at most one is still unknown nothing can be done at the same time, and a nursery would be most of the work.
    """
    if sum(key not in once for key in keys) <= 1:
        return tuple([await once.get(key, partial(ask, key)) for key in keys])
    answers: dict[K, V] = {}

    async def one(key: K) -> None:
        answers[key] = await once.get(key, partial(ask, key))

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

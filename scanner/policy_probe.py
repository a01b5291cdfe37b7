"""Finds what a domain publishes: asks by `policy_plan`, fetches the MTA-STS policy, reads it.

The policy host obeys the same rules as a mail server: excluded names and networks, and addresses that are not public,
are never contacted; the connection goes to the address that was looked at.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from scanner.facts import MailRoute, Target
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.https_fetch import PolicyRequest, fetch_policy
from scanner.mta_sts import sts_policy
from scanner.policy_facts import PolicyFacts, PolicyFetch
from scanner.policy_plan import Published, policy_plan
from scanner.route import Answers, Question
from scanner.settings import ScanSettings
from scanner.tcp import Connector

Answer = Callable[[tuple[Question, ...]], Awaitable[Answers]]
Obstacle = Callable[[tuple[str, ...], str], Kind | None]
"""(the names of a host, its address) -> why it is not to be contacted."""


class PolicyProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What finding a policy needs of the scan that it belongs to."""

    settings: ScanSettings
    answer: Answer
    obstacle: Obstacle
    connect: Connector
    now: Callable[[], datetime]

    async def facts(self, target: Target, route: MailRoute) -> PolicyFacts:
        """All that is published for this target."""
        published = await self._look_up(target, route)
        facts = published.facts
        if not published.host or facts.mta_sts is None:
            return facts
        fetch = await self._fetch(published)
        policy = sts_policy(fetch.body) if fetch.failure is None and fetch.status == 200 else None
        sts = msgspec.structs.replace(facts.mta_sts, fetch=fetch, policy=policy)
        return msgspec.structs.replace(facts, mta_sts=sts)

    async def _look_up(self, target: Target, route: MailRoute) -> Published:
        ports = (target.port,) if target.port else tuple(dict.fromkeys((25, *self.settings.ports)))
        plan = policy_plan(target, route, ports)
        try:
            questions = next(plan)
            while True:
                questions = plan.send(await self.answer(questions))
        except StopIteration as stop:
            published: Published = stop.value
            return published

    async def _fetch(self, published: Published) -> PolicyFetch:
        obstacles = {address: self.obstacle((published.host,), address) for address in published.addresses}
        allowed = tuple(address for address, kind in obstacles.items() if kind is None)
        if not allowed:
            kind = next(filter(None, obstacles.values()), Kind.UNREACHABLE)
            left = ProbeFailure(Stage.POLICY_FETCH, kind, ", ".join(obstacles) or f"{published.host} has no address")
            failure = published.failure or left
            return PolicyFetch(self.now(), failure=failure, addresses_dnssec=published.addresses_dnssec)
        request = PolicyRequest(
            published.host, allowed, published.path, self.settings.policy_port, published.addresses_dnssec
        )
        return await fetch_policy(request, self.connect, self.now)

"""Asks one endpoint by its plan: session after session, paced, until the plan is done or the manners say stop."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import trio

from scanner.certificates import certificate_from_der
from scanner.connection import Connector, SessionResult, Tap, connect_tcp, probe_session
from scanner.egress import EgressWatch
from scanner.facts import Endpoint, EndpointFacts, Lookup, SessionFacts
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.pace import Pace
from scanner.plans import plan_of
from scanner.providers import providers_of
from scanner.route import Question
from scanner.settings import ScanSettings
from scanner.smtp import SessionRequest
from scanner.tls_facts import CertificateFacts, HelloStyle


async def _nothing_known(_endpoint: Endpoint) -> EndpointFacts | None:
    return None


class Shells(msgspec.Struct, frozen=True, kw_only=True):
    """The doors to the world. `recall` gives facts that this run has already; `observe` sees each finished session."""

    look_up: Callable[[Question], Awaitable[Lookup]]
    connect: Connector = connect_tcp
    recall: Callable[[Endpoint], Awaitable[EndpointFacts | None]] = _nothing_known
    observe: Callable[[Endpoint, SessionFacts], None] = lambda _endpoint, _session: None
    tap: Callable[[Endpoint], Tap | None] = lambda _endpoint: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class EndpointProbe:
    """Probes endpoints with the manners that all of a run share."""

    def __init__(self, settings: ScanSettings, shells: Shells) -> None:
        self.egress = EgressWatch()
        self._settings = settings
        self._shells = shells
        self._pace = Pace(settings.interval_s, settings.provider_jobs)
        self._in_flight = trio.Semaphore(settings.jobs)

    async def facts(self, endpoint: Endpoint, mx_host: str) -> EndpointFacts:
        """All that the plan for this endpoint sees; `mx_host` is the name that led here, for the provider's manners.

        Raises EgressBlocked when this machine seems cut off.
        """
        known = await self._shells.recall(endpoint)
        if known is not None:
            return known
        providers = providers_of(mx_host, endpoint.address)
        sessions: list[SessionFacts] = []
        certificates: dict[str, CertificateFacts] = {}
        failure = None
        plan = plan_of(self._request(endpoint))
        wanted: SessionRequest | None = next(plan)
        while wanted is not None:
            result = await self._session(endpoint, wanted, providers)
            if result is None:
                failure = ProbeFailure(Stage.CONNECT, Kind.PROVIDER_PAUSED, ", ".join(providers))
                break
            sessions.append(result.facts)
            certificates |= {facts.sha256: facts for facts in map(certificate_from_der, result.certificates)}
            try:
                wanted = plan.send(result.facts)
            except StopIteration:
                wanted = None
        return EndpointFacts(endpoint, self._shells.now(), tuple(sessions), tuple(certificates.values()), failure)

    def _request(self, endpoint: Endpoint) -> SessionRequest:
        settings = self._settings
        return SessionRequest(
            HelloStyle.POSTFIX_MUST, endpoint.transport, settings.ehlo, settings.envelope, endpoint.sni
        )

    async def _session(
        self, endpoint: Endpoint, request: SessionRequest, providers: tuple[str, ...]
    ) -> SessionResult | None:
        """One connection when its turn has come; None where the provider was paused while it waited."""
        async with self._pace.turn(endpoint.address, providers), self._in_flight:
            if self._pace.is_paused(providers):
                return None
            result = await probe_session(endpoint, request, self._shells.connect, self._shells.tap(endpoint))
            self._pace.note(endpoint.address, providers, result.facts)
        self._shells.observe(endpoint, result.facts)
        self.egress.note(endpoint, result.facts)
        return result

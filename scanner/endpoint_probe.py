"""Asks one endpoint by its plans, paced: first the sessions that decide the grade, then hellos about its TLS."""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from functools import partial

import msgspec
import trio

from scanner.certificates import certificate_from_der
from scanner.confirmation import confirming_plan, same_session
from scanner.connection import SessionResult, Tap, TlsSide, probe_hello, probe_injection, probe_session
from scanner.deep_facts import DeepFacts
from scanner.egress import EgressWatch
from scanner.facts import Endpoint, EndpointFacts, Fact, Lookup, SessionFacts, Transport
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.pace import Pace, is_refusal
from scanner.plans import plan_of, tls_plan_of
from scanner.providers import providers_of
from scanner.resumption import ResumingClient, resumption_facts, ways_of
from scanner.route import Question
from scanner.settings import SUBMISSION_PORTS, Depth, ScanSettings
from scanner.smtp import SessionRequest
from scanner.sslyze_probe import doubted, relay, vulnerability_facts
from scanner.tcp import Connector, connect_tcp
from scanner.tls_facts import CertificateFacts, HelloStyle
from scanner.wire.hello import Hello
from scanner.wire.picture import TlsPicture, beside_sessions
from scanner.wire.server_flight import ServerFlight
from scanner.wire_facts import TlsFacts


async def _nothing_known(_endpoint: Endpoint) -> EndpointFacts | None:
    return None


class Shells(msgspec.Struct, frozen=True, kw_only=True):
    """The doors to the world. `recall` gives facts that this run has already; `observe` sees each finished session.

    `earlier` gives what an earlier run saw of an endpoint, where it need not be asked in full tonight. `in_flight` is
    how many targets this run may have left half done when it was interrupted, after others had answered.
    """

    look_up: Callable[[Question], Awaitable[Lookup]]
    connect: Connector = connect_tcp
    recall: Callable[[Endpoint], Awaitable[EndpointFacts | None]] = _nothing_known
    earlier: Callable[[Endpoint], Awaitable[EndpointFacts | None]] = _nothing_known
    observe: Callable[[Endpoint, SessionFacts], None] = lambda _endpoint, _session: None
    tap: Callable[[Endpoint], Tap | None] = lambda _endpoint: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    in_flight: int = 0


class EndpointProbe:
    """Probes endpoints with the manners that all of a run share."""

    def __init__(self, settings: ScanSettings, shells: Shells) -> None:
        self.egress = EgressWatch(shells.in_flight)
        self._settings = settings
        self._shells = shells
        self._pace = Pace(settings.interval_s, settings.provider_jobs, settings.jobs)

    async def facts(self, endpoint: Endpoint, mx_host: str) -> EndpointFacts:
        """All that the plans for this endpoint see; `mx_host` is the name that led here, for the provider's manners.

        Raises EgressBlocked when this machine seems cut off.
        """
        known = await self._shells.recall(endpoint)
        if known is not None:
            return known
        visit = _Visit(endpoint, providers_of(mx_host, endpoint.address), self._request(endpoint))
        await self._hold_sessions(visit)
        if visit.tls_started and visit.failure is None and not endpoint.sni and not await self._unchanged(visit):
            if self._settings.depth is not Depth.POLICY:
                await self._ask_hellos(visit)
            await self._ask_deeper(visit)
        return visit.facts(self._shells.now())

    def _request(self, endpoint: Endpoint) -> SessionRequest:
        """The first session. MAIL is not asked on submission ports, which answer it with 530 before AUTH."""
        settings = self._settings
        envelope = settings.envelope and endpoint.port not in SUBMISSION_PORTS
        return SessionRequest(HelloStyle.POSTFIX_MUST, endpoint.transport, settings.ehlo, envelope, endpoint.sni)

    async def _hold_sessions(self, visit: "_Visit") -> None:
        plan = plan_of(visit.request)
        patience_ends = trio.current_time() + self._settings.patience_s
        wanted: SessionRequest | None = next(plan)
        while wanted is not None:
            result = await self._patient_session(visit, wanted, patience_ends)
            if result is None:
                visit.failure = ProbeFailure(Stage.CONNECT, Kind.PROVIDER_PAUSED, ", ".join(visit.providers))
                return
            visit.sessions.append(result.facts)
            visit.keep(result.certificates)
            try:
                wanted = plan.send(result.facts)
            except StopIteration:
                wanted = None

    async def _patient_session(
        self, visit: "_Visit", request: SessionRequest, patience_ends: float
    ) -> SessionResult | None:
        """One session. While there is patience, one that a 4xx ended at its start is only counted, and held again."""
        before: SessionResult | None = None
        while True:
            result = await self._session(visit, request)
            if result is None:
                return before
            visit.hello_connections += before is not None
            before = result
            failure = result.facts.failure
            throttled = failure is not None and failure.kind is Kind.TEMPORARY
            at_once = failure is not None and failure.stage in (Stage.GREETING, Stage.EHLO)
            if not (throttled and at_once) or trio.current_time() >= patience_ends:
                return result

    async def _session(
        self, visit: "_Visit", request: SessionRequest, tls: TlsSide | None = None
    ) -> SessionResult | None:
        """One session when its turn has come; None where the provider was paused while it waited."""
        endpoint, tap = visit.endpoint, self._shells.tap(visit.endpoint)
        async with self._pace.turn(endpoint.address, visit.providers) as free:
            if not free:
                return None
            result = await probe_session(endpoint, request, self._shells.connect, tap, tls)
            self._pace.note(endpoint.address, visit.providers, result.facts.failure)
        self._shells.observe(endpoint, result.facts)
        self.egress.note(endpoint, result.facts)
        return result

    async def _unchanged(self, visit: "_Visit") -> bool:
        """Whether the server is as an earlier run saw it; the visit then takes over what that run saw of its TLS."""
        before = await self._shells.earlier(visit.endpoint)
        if before is None or before.tls is None or not same_session(before, visit.sessions):
            return False
        handshake = visit.sessions[0].handshake
        plan = confirming_plan(before.tls, handshake.chain if handshake else ())
        try:
            hello = next(plan)
            while True:
                hello = plan.send(await self._answer(visit, hello))
        except StopIteration as stop:
            if stop.value:
                visit.take_over(before)
            return bool(stop.value)

    async def _ask_hellos(self, visit: "_Visit") -> None:
        """Puts the questions of the depth's plan. The plan ends itself where a server no longer answers."""
        plan = tls_plan_of(self._settings.depth)
        patience_ends = trio.current_time() + self._settings.patience_s
        hello = next(plan)
        while True:
            answer = await self._patient_answer(visit, hello, patience_ends)
            try:
                hello = plan.send(answer)
            except StopIteration as stop:
                visit.see(stop.value)
                return

    async def _patient_answer(self, visit: "_Visit", hello: Hello, patience_ends: float) -> ServerFlight | ProbeFailure:
        """The answer to one hello; while there is patience a refusal is waited out and the question put again."""
        while True:
            answer = await self._answer(visit, hello)
            refused = isinstance(answer, ProbeFailure) and is_refusal(answer)
            if not refused or trio.current_time() >= patience_ends:
                return answer

    async def _answer(self, visit: "_Visit", hello: Hello) -> ServerFlight | ProbeFailure:
        endpoint, tap = visit.endpoint, self._shells.tap(visit.endpoint)
        asked = msgspec.structs.replace(hello, sni=endpoint.sni) if endpoint.sni else hello
        async with self._pace.turn(endpoint.address, visit.providers) as free:
            if not free:
                return ProbeFailure(Stage.CONNECT, Kind.PROVIDER_PAUSED, ", ".join(visit.providers))
            answer = await probe_hello(endpoint, visit.request, asked, self._shells.connect, tap)
            visit.hello_connections += 1
            trouble = answer if isinstance(answer, ProbeFailure) else None
            self._pace.note(endpoint.address, visit.providers, trouble)
        return answer

    async def _ask_deeper(self, visit: "_Visit") -> None:
        """Resumption at depth full; command injection and the intrusive tests only where they are wanted."""
        deep = DeepFacts()
        if self._settings.depth is Depth.FULL:
            ways = [await resumption_facts(way, partial(self._resuming, visit)) for way in ways_of(visit.tls)]
            deep = msgspec.structs.replace(deep, resumption=tuple(ways))
        if self._settings.injection and visit.endpoint.transport is Transport.STARTTLS:
            deep = msgspec.structs.replace(deep, command_injection=await self._injection(visit))
        if self._settings.vulnerabilities:
            deep = await self._vulnerabilities(visit, deep)
        visit.deep = deep if deep != DeepFacts() else None

    async def _resuming(self, visit: "_Visit", client: ResumingClient) -> SessionResult | None:
        """One session of the test for resumption: without MAIL, and not among those that decide the grade."""
        result = await self._session(visit, msgspec.structs.replace(visit.request, envelope=False), client)
        visit.hello_connections += result is not None
        return result

    async def _injection(self, visit: "_Visit") -> Fact:
        endpoint, tap = visit.endpoint, self._shells.tap(visit.endpoint)
        async with self._pace.turn(endpoint.address, visit.providers) as free:
            if not free:
                return Fact.INCONCLUSIVE
            answer = await probe_injection(endpoint, visit.request, self._shells.connect, tap)
            visit.hello_connections += 1
            trouble = answer if isinstance(answer, ProbeFailure) else None
            self._pace.note(endpoint.address, visit.providers, trouble)
        return Fact.INCONCLUSIVE if isinstance(answer, ProbeFailure) else answer

    async def _vulnerabilities(self, visit: "_Visit", deep: DeepFacts) -> DeepFacts:
        """sslyze's tests; each of its connections waits for its turn like ours."""
        made = refused = 0
        endpoint = visit.endpoint

        async def carry(near: trio.SocketStream) -> None:
            nonlocal made, refused
            async with self._pace.turn(endpoint.address, visit.providers) as free:
                if not free:
                    refused += 1
                    return
                made += 1
                try:
                    far = await self._shells.connect(endpoint.address, endpoint.port)
                except OSError:
                    refused += 1
                    return
                refused += not await relay(near, far, endpoint.transport)

        found = await vulnerability_facts(endpoint, visit.request.ehlo, carry)
        answers = doubted(found) if refused else found
        return msgspec.structs.replace(deep, vulnerabilities=answers, vulnerability_connections=made)


class _Visit:
    """What is known so far of the endpoint that is being asked."""

    def __init__(self, endpoint: Endpoint, providers: Collection[str], request: SessionRequest) -> None:
        self.endpoint = endpoint
        self.providers = providers
        self.request = request
        self.sessions: list[SessionFacts] = []
        self.failure: ProbeFailure | None = None
        self.hello_connections = 0
        self.tls: TlsFacts | None = None
        self.deep: DeepFacts | None = None
        self._certificates: dict[str, CertificateFacts] = {}
        self._tls_seen_at: datetime | None = None

    @property
    def tls_started(self) -> bool:
        """Whether the server let TLS begin, so that asking about it makes sense, and did not refuse us since."""
        began = any(s.handshake or (s.starttls and s.starttls.severity == 2) for s in self.sessions)
        implicit_failed = [s.failure for s in self.sessions if s.failure and s.failure.stage is Stage.HANDSHAKE]
        return (began or bool(implicit_failed)) and not is_refusal(self.sessions[-1].failure)

    def keep(self, ders: Collection[bytes]) -> None:
        """Reads certificates, each once."""
        self._certificates |= {facts.sha256: facts for facts in map(certificate_from_der, ders)}

    def see(self, picture: TlsPicture) -> None:
        """Takes what a plan of hellos has seen, as far as it agrees with the sessions."""
        spoken = (session.handshake.version for session in self.sessions if session.handshake)
        picture = beside_sessions(picture, ("TLSv1.0" if word == "TLSv1" else word for word in spoken))
        self.tls = picture.facts
        self.keep(picture.certificates)

    def take_over(self, before: EndpointFacts) -> None:
        """What an earlier run saw, with the time at which it did."""
        self.tls, self.deep = before.tls, before.deep
        self._tls_seen_at = before.tls_seen_at or before.seen_at
        self._certificates = {facts.sha256: facts for facts in before.certificates} | self._certificates

    def facts(self, seen_at: datetime) -> EndpointFacts:
        return EndpointFacts(
            self.endpoint,
            seen_at,
            tuple(self.sessions),
            tuple(self._certificates.values()),
            self.failure,
            self.tls,
            self.hello_connections,
            self.deep,
            self._tls_seen_at,
        )

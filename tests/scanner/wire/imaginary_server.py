"""A server that exists only as a rule from hello to flight, for plans without a network."""

from collections.abc import Callable
from enum import Enum, auto

import msgspec

from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire.asking import Answer
from scanner.wire.code_points import SSL2, SSL3, TLS12, TLS13
from scanner.wire.events import Alert
from scanner.wire.hello import Hello
from scanner.wire.registry import suite
from scanner.wire.server_flight import FlightEnd, ServerFlight
from scanner.wire.suite_traits import Trait
from scanner.wire.tls_plans import Plan, TlsPicture

RESET = ProbeFailure(Stage.HANDSHAKE, Kind.RESET)
TIMEOUT = ProbeFailure(Stage.HANDSHAKE, Kind.TIMEOUT)
THROTTLED = ProbeFailure(Stage.GREETING, Kind.TEMPORARY, "421 too many connections")
STOPPED = ProbeFailure(Stage.CONNECT, Kind.STOPPED)


class Manner(Enum):
    """How the server refuses."""

    ALERT = auto()
    CLOSE = auto()
    RESET = auto()
    INTERNAL_ERROR = auto()


class ImaginaryServer(msgspec.Struct, frozen=True, kw_only=True):
    """`pairs` are the (version, suite) pairs in the server's order; `server_order` says whose order counts."""

    pairs: tuple[tuple[int, int], ...]
    groups: tuple[int, ...] = (29, 23)
    server_order: bool = False
    manner: Manner = Manner.ALERT
    largest_hello: int = 1 << 16
    """Suites in a hello beyond which the server closes."""
    prime: bytes = b"\xf7" * 256

    @property
    def versions(self) -> frozenset[int]:
        return frozenset(version for version, _ in self.pairs)

    def answer(self, hello: Hello) -> Answer:
        if len(hello.suites) > self.largest_hello:
            return ServerFlight(end=FlightEnd.CLOSED)
        version = self._version(hello)
        if version is None:
            return self._refusal(70)
        groups = [group for group in self._ordered(self.groups, hello.groups) if group < 256 or version == TLS13]
        needs_group = version == TLS13
        suites = [
            code
            for code in self._ordered(tuple(code for v, code in self.pairs if v == version), hello.suites)
            if groups or not (needs_group or (suite(code).has(Trait.ECDHE) and hello.groups))
        ]
        if not suites:
            return self._refusal(40)
        return self._flight(version, suites[0], groups)

    def _version(self, hello: Hello) -> int | None:
        if SSL2 in hello.versions:
            return None
        if TLS13 in hello.versions:
            return TLS13 if TLS13 in self.versions else None
        return max((v for v in self.versions if SSL3 <= v <= min(hello.highest, TLS12)), default=None)

    def _ordered(self, ours: tuple[int, ...], theirs: tuple[int, ...]) -> list[int]:
        first, second = (ours, theirs) if self.server_order else (theirs, ours)
        return [code for code in first if code in second]

    def _flight(self, version: int, code: int, groups: list[int]) -> ServerFlight:
        if version == TLS13:
            return ServerFlight(end=FlightEnd.RETRY, version=version, suite=code, group=groups[0])
        chosen = suite(code)
        group = groups[0] if chosen.has(Trait.ECDHE) and groups else None
        return ServerFlight(
            end=FlightEnd.DONE,
            version=version,
            suite=code,
            group=group,
            chain=() if chosen.has(Trait.ANONYMOUS) else (chosen.parts.authentication.encode(),),
            prime=self.prime if chosen.has(Trait.DHE) else None,
        )

    def _refusal(self, alert: int) -> Answer:
        match self.manner:
            case Manner.ALERT:
                return ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, alert))
            case Manner.INTERNAL_ERROR:
                return ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, 80))
            case Manner.CLOSE:
                return ServerFlight(end=FlightEnd.CLOSED)
            case Manner.RESET:
                return RESET


def run(plan: Plan, answer: Callable[[Hello], Answer], limit: int = 5000) -> tuple[TlsPicture, list[Hello]]:
    """Drive a plan to its end; the picture, and the hellos it asked for."""
    asked: list[Hello] = []
    try:
        hello = next(plan)
        while True:
            asked.append(hello)
            assert len(asked) < limit, "the plan does not end"
            hello = plan.send(answer(hello))
    except StopIteration as finished:
        return finished.value, asked


def with_failures(server: ImaginaryServer, failures: dict[int, Answer]) -> Callable[[Hello], Answer]:
    """The same server, but the n-th question gets another answer."""
    count = iter(range(1 << 30))
    return lambda hello: failures.get(next(count)) or server.answer(hello)

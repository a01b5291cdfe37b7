"""Put one question to the server and decide what the answer proves (RFC 8446 section 6.2).

A plan is a generator: it yields a `Hello` and is sent the `ServerFlight` or the `ProbeFailure` that came of it. What
counts as a "no" is decided here alone:

- an alert that speaks of what was offered (handshake_failure, protocol_version, ...) refuses at once;
- a connection closed (with close_notify or without) or reset behind the hello is doubtful: some servers refuse in no
  other way, but an overloaded one does the same. It refuses only if a hello that was taken up before is still taken up
  right after, and the question then meets the same silence again; and never from a server that is known to refuse with
  alerts, except to SSL 2.0;
- an alert that could mean anything (internal_error, decode_error, ...) is doubtful as well; OpenSSL 3 says
  internal_error to TLS 1.1. Twice the same alert refuses, provided that any later hello is taken up; if none is, the
  refusal is taken back at the end. In TLS 1.2 and 1.3, and in a version that was taken up, servers in trouble say so:
  what was taken up before must be taken up between the two. Once is enough where the next higher version was just
  refused so, because a server with a lower version would have answered with that (RFC 5246 appendix E.1);
- where every other connection fails, as with two machines in turn behind one address, a refusal around an accepted
  hello looks the same: so after the first of these that hello must be taken up twice in a row, except for SSL 2.0;
- everything else leaves the question open: it is put once more, and after three in a row the plan ends.
"""

from collections.abc import Generator
from enum import Enum, auto

import msgspec

from scanner.answers import Fact
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire.code_points import SSL2, SSL3, TLS11, TLS12, AlertDescription
from scanner.wire.hello import Hello
from scanner.wire.ledger import WHOLE_OFFER, Ledger, failure_of
from scanner.wire.questions import small_hello
from scanner.wire.server_flight import FlightEnd, ServerFlight

MAX_UNANSWERED = 3
"""Questions in a row without an answer, after which a server is left alone."""

Answer = ServerFlight | ProbeFailure
Question = Generator[Hello, Answer, "Reply"]
Steps = Generator[Hello, Answer, None]

REFUSALS = frozenset(
    {
        AlertDescription.HANDSHAKE_FAILURE,
        AlertDescription.ILLEGAL_PARAMETER,
        AlertDescription.PROTOCOL_VERSION,
        AlertDescription.INSUFFICIENT_SECURITY,
        AlertDescription.INAPPROPRIATE_FALLBACK,
        AlertDescription.MISSING_EXTENSION,
    }
)
"""Alerts about the offer."""


class Verdict(Enum):
    """What an answer proves."""

    ACCEPTED = auto()
    REFUSED = auto()
    BROKEN = auto()
    """The server chose a suite and failed with it."""
    OPEN = auto()
    DOUBTFUL = auto()


class Reply(msgspec.Struct, frozen=True):
    """The verdict on one question: never DOUBTFUL. `flight` is the answer where there was one."""

    verdict: Verdict
    flight: ServerFlight | None = None

    @property
    def accepted(self) -> ServerFlight | None:
        """The flight of a server that took the offer up."""
        return self.flight if self.verdict is Verdict.ACCEPTED else None


class PlanStopped(Exception):
    """No further question is to be put. It never leaves this package."""


class Asker:
    """Asks for one plan and writes the answers into its ledger."""

    def __init__(self, ledger: Ledger, limit: int | None = None) -> None:
        self.ledger = ledger
        self._limit = limit
        self._unanswered = 0
        self._control: Hello | None = None
        self._speaks = False
        """Whether this server has refused with an alert."""
        self._steady = False
        """Whether it has taken up the same hello twice in a row right after a doubtful refusal."""
        self._unconfirmed: dict[int, list[Hello]] = {}

    def ask(self, hello: Hello) -> Question:
        """Put a question, if need be again. The ledger learns what was taken up, and which suite is broken."""
        small = self.ledger.offer_size != WHOLE_OFFER and hello.highest > SSL3
        reply = yield from self._settled(small_hello(hello) if small else hello)
        if reply.verdict is Verdict.OPEN:
            self.ledger.leave_open(hello)
        elif reply.verdict is Verdict.BROKEN and reply.flight is not None:
            self.ledger.break_suite(reply.flight.version or 0, reply.flight.suite or 0)
        return reply

    def ask_suites(self, hello: Hello) -> Question:
        """The same for a hello that leaves the server no other reason to refuse than its suites."""
        reply = yield from self.ask(hello)
        if reply.verdict is Verdict.REFUSED:
            self.ledger.refuse(hello, reply.flight)
        return reply

    def confirm(self) -> Steps:
        """At the end of a plan: one more acceptance, if there are refusals that wait for it."""
        if self._unconfirmed and self._control is not None:
            yield from self._once(self._control)

    def take_back(self) -> None:
        """Forget the refusals that nothing confirmed."""
        for hello in (hello for hellos in self._unconfirmed.values() for hello in hellos):
            self.ledger.take_back(hello)

    def _settled(self, hello: Hello) -> Question:
        first = yield from self._once(hello)
        if first.verdict in (Verdict.ACCEPTED, Verdict.REFUSED):
            return first
        between = False
        if first.verdict is Verdict.DOUBTFUL and _alert_of(first.flight) is None:
            mute = hello.highest == SSL2 or not self._speaks
            between = mute and (yield from self._still_answers())
            if not between:
                return Reply(Verdict.OPEN)
        elif first.verdict is Verdict.DOUBTFUL and self._control and self._is_strict(hello.highest):
            between = yield from self._still_answers()
            if not between:
                return Reply(Verdict.OPEN)
        second = yield from self._once(hello)
        if second.verdict in (Verdict.ACCEPTED, Verdict.REFUSED):
            return second
        same = first.verdict is second.verdict and _alert_of(first.flight) == _alert_of(second.flight)
        if not same or second.verdict is Verdict.OPEN:
            return Reply(Verdict.OPEN)
        if between and hello.highest > SSL2 and not (yield from self._is_steady()):
            return Reply(Verdict.OPEN)
        return second if second.verdict is Verdict.BROKEN else self._refused(hello, second)

    def _is_strict(self, version: int) -> bool:
        """Whether a vague alert is no usual refusal: OpenSSL says internal_error to versions below TLS 1.2 alone."""
        return version >= TLS12 or self.ledger.versions.get(version) is Fact.YES

    def _refused(self, hello: Hello, reply: Reply) -> Reply:
        """Twice the same doubtful answer, and for silence an acceptance between them."""
        alert = _alert_of(reply.flight)
        if alert is not None:
            self._unconfirmed.setdefault(alert, []).append(hello)
        return Reply(Verdict.REFUSED, reply.flight)

    def _was_just_refused(self, hello: Hello, alert: int | None) -> bool:
        """Whether this alert has just refused the next higher versions, and no hello was taken up since."""
        known = self.ledger.versions
        higher = [one.highest for one in self._unconfirmed.get(alert, ()) if one.highest <= TLS11] if alert else []
        if known.get(hello.highest) is Fact.YES:
            return False
        return any(hello.highest < version and known.get(version) is Fact.NO for version in higher)

    def _still_answers(self) -> Generator[Hello, Answer, bool]:
        """Whether the server still takes up what it took up before."""
        if self._control is None:
            return False
        control = yield from self._once(self._control)
        return control.verdict is Verdict.ACCEPTED

    def _is_steady(self) -> Generator[Hello, Answer, bool]:
        """Whether it does not fail at every other connection; asked once."""
        if not self._steady:
            self._steady = (yield from self._still_answers()) and (yield from self._still_answers())
        return self._steady

    def _once(self, hello: Hello) -> Question:
        if self._limit is not None and self.ledger.connections >= self._limit:
            raise PlanStopped
        answer = yield hello
        if isinstance(answer, ProbeFailure) and not answer.asked:
            self.ledger.fail(answer)
            raise PlanStopped
        self.ledger.connections += 1
        flight = answer if isinstance(answer, ServerFlight) else None
        verdict = verdict_on(hello, answer)
        if verdict is Verdict.DOUBTFUL and self._was_just_refused(hello, _alert_of(flight)):
            verdict = self._refused(hello, Reply(verdict, flight)).verdict
        if verdict in (Verdict.OPEN, Verdict.DOUBTFUL):
            self.ledger.fail(answer if isinstance(answer, ProbeFailure) else failure_of(answer))
        self._speaks = self._speaks or verdict is Verdict.REFUSED
        self._count_silence(hello, flight)
        if verdict is Verdict.ACCEPTED and flight is not None:
            self._take_up(hello, flight)
        return Reply(verdict, flight)

    def _take_up(self, hello: Hello, flight: ServerFlight) -> None:
        self._control = hello
        self._unconfirmed.clear()
        self.ledger.take_up(hello, flight)

    def _count_silence(self, hello: Hello, flight: ServerFlight | None) -> None:
        """A server that says nothing in TLS three times in a row is not asked further."""
        silent = flight is None or flight.end in (FlightEnd.CLOSED, FlightEnd.NOT_TLS) or _is_closing(flight)
        self._unanswered = self._unanswered + 1 if silent else 0
        if self._unanswered >= MAX_UNANSWERED:
            self.ledger.leave_open(hello)
            raise PlanStopped


def _alert_of(flight: ServerFlight | None) -> int | None:
    """The alert that ended the flight. One that closes in good order did not, nor a warning of something else."""
    if flight is None or flight.alert is None or _is_closing(flight):
        return None
    description = flight.alert.description
    return description if flight.end is FlightEnd.ALERT or description in REFUSALS else None


def _is_closing(flight: ServerFlight) -> bool:
    return flight.alert is not None and flight.alert.description == AlertDescription.CLOSE_NOTIFY


def verdict_on(hello: Hello, answer: Answer) -> Verdict:
    """What one answer to one hello proves by itself."""
    if isinstance(answer, ProbeFailure):
        silent = answer.stage is Stage.HANDSHAKE and answer.kind in (Kind.CLOSED, Kind.RESET)
        return Verdict.DOUBTFUL if silent else Verdict.OPEN
    if answer.end is FlightEnd.NOT_TLS:
        return Verdict.OPEN
    if answer.end is FlightEnd.SSL2_ERROR:
        return Verdict.REFUSED if hello.highest == SSL2 else Verdict.DOUBTFUL
    if answer.accepted:
        return Verdict.ACCEPTED if _answers(hello, answer) else Verdict.OPEN
    if answer.suite is not None:
        return Verdict.BROKEN if _answers(hello, answer) else Verdict.OPEN
    refusing = answer.end is FlightEnd.ALERT and _alert_of(answer) in REFUSALS
    return Verdict.REFUSED if refusing else Verdict.DOUBTFUL


def _answers(hello: Hello, flight: ServerFlight) -> bool:
    """Whether the server kept to the offer; one that did not has answered some other question."""
    if flight.end is FlightEnd.SSL2:
        return hello.highest == flight.version == SSL2
    if hello.highest == SSL2 or flight.version is None or flight.version > hello.highest:
        return False
    return flight.suite in hello.suites

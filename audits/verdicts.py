"""What a judgement says: the verdict on each endpoint and on the domain, as values that are stored and shown."""

from enum import StrEnum

import msgspec

from audits.levels import LevelAnswer
from audits.reasons import Reason
from audits.sessions import Observed, Starttls
from audits.trust import ChainVerdict
from scanner.facts import EndpointRef, Fact, Level
from scanner.tls_facts import HandshakeFacts


class Grade(StrEnum):
    """The strongest level that a sender can enforce without losing mail; the levels' own words, and two more."""

    NONE = "NONE"
    MAY = "MAY"
    MUST_NOPEERMATCH = "MUST_NOPEERMATCH"
    MUST = "MUST"
    INCONCLUSIVE = "INCONCLUSIVE"
    NO_MAIL = "NO_MAIL"


class State(StrEnum):
    """How far we came with an endpoint."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    """A submission port that refuses or times out."""
    REFUSED = "refused"
    """The greeting says 4xx or 5xx, or the connection is cut before it."""
    INCONCLUSIVE = "inconclusive"
    NOT_ASKED = "not-asked"


class Today(StrEnum):
    """What mail gets today from a sender that uses TLS where it is offered."""

    LOST = "lost"
    """Not even MAY delivers."""
    CLEAR = "clear"
    ENCRYPTED = "encrypted"
    AUTHENTICATED = "authenticated"
    UNKNOWN = "unknown"


class EndpointVerdict(msgspec.Struct, frozen=True):
    """The levels of one endpoint for one MX host. `answers` is empty where nobody answered.

    `trust` is what verification said of the deciding chain, where there is one.
    """

    ref: EndpointRef
    state: State
    answers: tuple[LevelAnswer, ...] = ()
    seen: Observed | None = None
    handshake: HandshakeFacts | None = None
    reason: Reason | None = None
    trust: ChainVerdict | None = None

    def answer(self, level: Level) -> LevelAnswer | None:
        return next((answer for answer in self.answers if answer.level is level), None)

    @property
    def sustained(self) -> tuple[Level, ...]:
        return tuple(a.level for a in self.answers if a.sustained is Fact.YES)

    @property
    def unknown(self) -> tuple[Level, ...]:
        return tuple(a.level for a in self.answers if a.sustained is Fact.INCONCLUSIVE)

    @property
    def starttls(self) -> Fact:
        """STARTTLS as a fact: no where it is not offered, or refused for good; nobody asks where TLS begins at once."""
        if self.seen is None or self.seen.starttls is Starttls.IMPLICIT:
            return Fact.NOT_TESTED
        if self.seen.starttls is Starttls.ACCEPTED:
            return Fact.YES
        refused = (Starttls.NOT_OFFERED, Starttls.REFUSED, Starttls.REFUSED_AND_CLOSED)
        return Fact.NO if self.seen.starttls in refused else Fact.INCONCLUSIVE


class Binding(msgspec.Struct, frozen=True):
    """The constraint that caps the grade: which host and address, and the reason."""

    reason: Reason
    mx_host: str = ""
    address: str = ""
    port: int = 0


class Coverage(msgspec.Struct, frozen=True):
    """How many mail endpoints were to be asked, and how many of them answered; beside it those left alone."""

    asked: int
    answered: int
    not_asked: int = 0


class DomainVerdict(msgspec.Struct, frozen=True):
    """The judgement of one domain."""

    grade: Grade
    some_mx_grade: Grade
    sustained: tuple[Level, ...]
    unknown: tuple[Level, ...]
    today: Today
    coverage: Coverage
    endpoints: tuple[EndpointVerdict, ...]
    binding: Binding | None = None
    remarks: tuple[str, ...] = ()
    compliant: bool | None = None

"""What a plan has learned so far: which suites and groups were taken up or refused, in which version.

One `Ledger` belongs to one run of one plan. It is the only mutable thing in a plan; `scanner.wire.picture` turns it
into facts at any moment, so a plan may be stopped anywhere.
"""

from functools import cache, lru_cache

import msgspec

from scanner.answers import Fact
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire.code_points import FFDHE_GROUPS, SSL3, TLS13, VERSION_NAMES, alert_name
from scanner.wire.hello import Hello
from scanner.wire.preference import Choices, Pick
from scanner.wire.registry import offered_suites, suite
from scanner.wire.server_flight import FlightEnd, ServerFlight
from scanner.wire.suite_traits import Trait
from scanner.wire.weakness import worst_first

MAX_FAILURES_KEPT = 8
"""Failures shown with the result; the later ones say the same."""
WHOLE_OFFER = 1000
"""More suites than exist: one hello offers all."""
SMALL_OFFER = 40
"""Suites in a hello for a server that answers only small ones: it stays below 256 bytes, where old stacks stumble."""


class Shown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a flight showed beside suite, group and chain, and which of it the hello had asked for.

    A hundred flights of one server make a handful of these, so a full audit of many servers at a time stays small.
    """

    version: int
    end: FlightEnd
    anonymous: bool
    cbc: bool
    signed: bool
    scheme: int | None
    extensions: tuple[int, ...]
    compressed: bool
    downgrade: bool
    client_certificate: bool
    offered_compression: bool
    offered_encrypt_then_mac: bool
    offered_truncated_hmac: bool
    offered_heartbeat: bool
    offered_staple: bool

    def has(self, extension: int) -> bool:
        """Whether the ServerHello carried this extension."""
        return extension in self.extensions


class PrimeSeen(msgspec.Struct, frozen=True):
    """A finite-field group in use, and whether the hello had named groups of RFC 7919."""

    prime: bytes
    generator: bytes
    ffdhe_offered: bool


class Ledger:
    """Everything is by code point; `versions` has an entry as soon as the question was put."""

    def __init__(self) -> None:
        self.connections = 0
        self.failures: list[ProbeFailure] = []
        self.stopped = False
        self.offer_size = WHOLE_OFFER
        self.versions: dict[int, Fact] = {}
        self.evidence: dict[int, str] = {}
        self.accepted: dict[int, dict[int, None]] = {}
        self.refused: dict[int, tuple[int, ...]] = {}
        """Tuples, because sets of hundreds are large, and these are read for whole."""
        self.broken: dict[int, dict[int, None]] = {}
        self.groups: dict[int, dict[int, None]] = {}
        self.groups_complete: set[int] = set()
        self.exact = False
        """Whether the plan wants every suite of every version."""
        self.groups_wanted: set[int] = set()
        """Versions of which it wants every group."""
        self.shown: dict[Shown, None] = {}
        self.suite_choices: dict[int, Choices] = {}
        self.group_picks: dict[int, dict[Pick, None]] = {}
        self.chains: dict[str, tuple[bytes, ...]] = {}
        self.stapled: set[str] = set()
        self.primes: dict[PrimeSeen, tuple[set[int], int]] = {}
        self.export_modulus: bytes | None = None
        self.ssl2_kinds: tuple[int, ...] = ()
        self.planned: tuple[int, ...] = ()
        """Versions that the plan is going to ask for."""
        self.special: dict[str, Fact] = {}
        """Answers to questions of their own, by the name of the field of `TlsFacts`."""

    # --- questions -------------------------------------------------------------------------------------------------

    def open_suites(self, version: int) -> tuple[int, ...]:
        """Suites neither accepted, refused nor broken in this version, worst first."""
        settled = {*self.accepted.get(version, ()), *self.refused.get(version, ()), *self.broken.get(version, ())}
        return tuple(code for code in all_offers(version) if code not in settled)

    def known_last(self, version: int, groups: tuple[int, ...]) -> tuple[int, ...]:
        """The same groups, those already seen in this version at the end: a server that follows us shows another.

        They are never dropped, because an ECDSA certificate needs its own curve among them (RFC 8422 section 5.1).
        """
        return _known_last(groups, tuple(self.groups.get(version, ())))

    def open_groups(self, version: int, groups: tuple[int, ...]) -> tuple[int, ...]:
        """Those of the groups that were not seen in this version."""
        known = self.groups.get(version, {})
        return tuple(group for group in groups if group not in known)

    def portions(self, suites: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The suites in portions that this server answers."""
        return [suites[at : at + self.offer_size] for at in range(0, len(suites), self.offer_size)]

    # --- answers ---------------------------------------------------------------------------------------------------

    def take_up(self, hello: Hello, flight: ServerFlight) -> None:
        """The server took up something of this hello, to the end of its flight."""
        version = flight.version or 0
        self.versions[version] = Fact.YES
        self.evidence.pop(version, None)
        if flight.end is FlightEnd.SSL2:
            self.ssl2_kinds = flight.ssl2_kinds
            return
        self._refuse_between(version, hello)
        code = flight.suite or 0
        self.accepted.setdefault(version, {})[code] = None
        self.suite_choices.setdefault(version, Choices()).note(hello.suites, code)
        if flight.group is not None:
            self.groups.setdefault(version, {})[flight.group] = None
            self.group_picks.setdefault(version, {})[Pick(hello.groups, flight.group)] = None
        self._keep_once(hello, flight, version, code)
        self.shown[_shown(hello, flight, version)] = None

    def _keep_once(self, hello: Hello, flight: ServerFlight, version: int, code: int) -> None:
        authentication = suite(code).parts.authentication
        if flight.chain:
            self.chains.setdefault(authentication, flight.chain)
        if flight.staple:
            self.stapled.add(authentication)
        if flight.prime is not None:
            ffdhe = any(group in FFDHE_GROUPS for group in hello.groups)
            seen = PrimeSeen(flight.prime.lstrip(b"\0"), flight.generator.lstrip(b"\0"), ffdhe)
            self.primes.setdefault(seen, (set(), code))[0].add(version)
        self.export_modulus = flight.export_modulus or self.export_modulus

    def _refuse_between(self, version: int, hello: Hello) -> None:
        """A server that answers lower than asked has none of the versions between (RFC 5246 appendix E.1)."""
        offered = hello.versions if TLS13 in hello.versions else tuple(VERSION_NAMES)
        for between in offered:
            if version < between <= hello.highest:
                self.refuse_version(between, f"answers {VERSION_NAMES.get(version, hex(version))}")

    def refuse(self, hello: Hello, answer: ServerFlight | None) -> None:
        """The server refused all of this hello: these suites in this version, and the version if all were offered."""
        version = hello.highest
        known = self.refused.get(version)
        self.refused[version] = tuple(dict.fromkeys((*known, *hello.suites))) if known else hello.suites
        if self.broken.get(version):
            self.versions.setdefault(version, Fact.INCONCLUSIVE)
        elif not self.open_suites(version):
            self.refuse_version(version, refusal_text(answer))

    def take_back(self, hello: Hello) -> None:
        """The refusal of this hello was not confirmed: what rests on it is open again."""
        version = hello.highest
        again = frozenset(hello.suites)
        self.refused[version] = tuple(code for code in self.refused.get(version, ()) if code not in again)
        self.groups_complete.discard(version)
        if self.versions.get(version) is Fact.NO:
            self.versions[version] = Fact.INCONCLUSIVE
        self.special = {k: v if v is Fact.YES else Fact.INCONCLUSIVE for k, v in self.special.items()}

    def refuse_version(self, version: int, evidence: str) -> None:
        if self.versions.get(version) is not Fact.YES:
            self.versions[version] = Fact.NO
            self.evidence[version] = evidence

    def leave_open(self, hello: Hello) -> None:
        """The question stayed without an answer."""
        self.versions.setdefault(hello.highest, Fact.INCONCLUSIVE)

    def fail(self, failure: ProbeFailure) -> None:
        if len(self.failures) < MAX_FAILURES_KEPT:
            self.failures.append(failure)

    def break_suite(self, version: int, code: int) -> None:
        """The server chose this suite and then failed, twice."""
        self.broken.setdefault(version, {})[code] = None


@lru_cache(1024)
def _known_last(groups: tuple[int, ...], known: tuple[int, ...]) -> tuple[int, ...]:
    """Shared by all servers that show their groups in the same order."""
    return tuple(sorted(groups, key=known.__contains__))


def _shown(hello: Hello, flight: ServerFlight, version: int) -> Shown:
    chosen = suite(flight.suite or 0)
    return Shown(
        version=version,
        end=flight.end,
        anonymous=chosen.has(Trait.ANONYMOUS),
        cbc=chosen.has(Trait.CBC),
        signed=flight.signed,
        scheme=flight.scheme,
        extensions=flight.extensions,
        compressed=flight.compression != 0,
        downgrade=flight.downgrade is not None,
        client_certificate=flight.client_certificate,
        offered_compression=len(hello.compressions) > 1,
        offered_encrypt_then_mac=hello.encrypt_then_mac,
        offered_truncated_hmac=hello.truncated_hmac,
        offered_heartbeat=hello.heartbeat,
        offered_staple=hello.status_request,
    )


@cache
def all_offers(version: int) -> tuple[int, ...]:
    """All suites for a version, worst first; SSL 2.0 has kinds of its own."""
    return worst_first(offered_suites(tls13=version == TLS13)) if version >= SSL3 else ()


def refusal_text(answer: ServerFlight | None) -> str:
    """The server's own word for a refusal."""
    if answer is None or answer.alert is None:
        return "closed without a word" if answer is None or answer.end is FlightEnd.CLOSED else str(answer.end)
    return f"alert {alert_name(answer.alert.description)}"


def failure_of(answer: ServerFlight) -> ProbeFailure:
    """A flight that answers nothing, as the failure that it is."""
    if answer.end is FlightEnd.NOT_TLS:
        return ProbeFailure(Stage.HANDSHAKE, Kind.TLS, answer.text.decode("latin-1").strip())
    if answer.end is FlightEnd.CLOSED:
        return ProbeFailure(Stage.HANDSHAKE, Kind.CLOSED, "closed inside the first flight")
    if answer.accepted:
        return ProbeFailure(Stage.HANDSHAKE, Kind.PROTOCOL, "took up what was not offered")
    return ProbeFailure(Stage.HANDSHAKE, Kind.TLS, refusal_text(answer))

"""Is a server what it was? One session and two hellos at the most decide whether an earlier picture of its TLS stands.

The session is the one that decides the grade anyway: greeting, EHLO in clear and inside TLS, the best handshake and its
certificates must be as before. Behind it one hello asks for the oldest version that was taken up, with every suite,
the worst first; and, where there were two chains, one for the other chain. Whatever differs or stays without an answer
confirms nothing: the server is then asked in full. An old version that was switched on since does not show here; a
full look every few nights finds it.
"""

import re
from collections.abc import Generator, Sequence
from hashlib import sha256

from scanner.answers import Fact
from scanner.facts import EndpointFacts, SessionFacts
from scanner.failures import SmtpReply
from scanner.tls_facts import HandshakeFacts, HelloStyle
from scanner.wire.asking import Answer
from scanner.wire.code_points import SSL3, TLS10, TLS11, TLS12, version_name
from scanner.wire.hello import Hello
from scanner.wire.questions import hello_for
from scanner.wire.registry import suite, suite_name
from scanner.wire.server_flight import ServerFlight
from scanner.wire.weakness import worst_first
from scanner.wire_facts import ChainFacts, TlsFacts

Confirmation = Generator[Hello, Answer, bool]

BUDGET = 3
"""Connections of a confirmation, the session included."""
_OLD_VERSIONS = (SSL3, TLS10, TLS11, TLS12)
_VARYING = re.compile(r"\S*\d\S*")
"""Words with digits in a greeting: dates, queue ids, back-ends. They change although the server is the same."""


def same_session(before: EndpointFacts, now: Sequence[SessionFacts]) -> bool:
    """Whether tonight's one session shows the same server as the session that was held before."""
    if len(now) != 1 or len(before.sessions) != 1 or before.tls is None:
        return False
    then, tonight = before.sessions[0], now[0]
    return (
        tonight.failure is None
        and then.failure is None
        and tonight.hello is HelloStyle.POSTFIX_MUST
        and _words(then.greeting) == _words(tonight.greeting)
        and _keywords(then.ehlo) == _keywords(tonight.ehlo)
        and _keywords(then.ehlo_tls) == _keywords(tonight.ehlo_tls)
        and tonight.handshake is not None
        and _best(then.handshake) == _best(tonight.handshake)
    )


def confirming_plan(before: TlsFacts, chain: tuple[str, ...]) -> Confirmation:
    """The hellos behind a session that was the same; true where all that they show is as before.

    `chain` is that of the session, by SHA-256: the other one is asked for.
    """
    other = next((each for each in before.chains if each.chain != chain), None)
    oldest = next((v for v in _OLD_VERSIONS if _offered(before, v)), None)
    if oldest is not None:
        known = before.version(version_name(oldest))
        answer = yield hello_for(oldest, worst_first(hello_for(oldest).suites))
        if not _as_known(answer, known.suites if known else (), before):
            return False
        if other is not None and _chain(answer) == other.chain:
            return True
    if other is None:
        return True
    answer = yield hello_for(TLS12, _suites_of(other))
    return _chain(answer) == other.chain


def _offered(before: TlsFacts, version: int) -> bool:
    known = before.version(version_name(version))
    return known is not None and known.offered is Fact.YES


def _as_known(answer: Answer, suites: Sequence[str], before: TlsFacts) -> bool:
    """A flight with a suite that is known, and with a chain that is known where it shows one."""
    if not isinstance(answer, ServerFlight) or not answer.accepted or answer.suite is None:
        return False
    chain = _chain(answer)
    return suite_name(answer.suite) in suites and (not chain or chain in {each.chain for each in before.chains})


def _chain(answer: Answer) -> tuple[str, ...]:
    return tuple(sha256(der).hexdigest() for der in answer.chain) if isinstance(answer, ServerFlight) else ()


def _suites_of(chain: ChainFacts) -> tuple[int, ...]:
    """The suites of TLS 1.2 that a key of this kind authenticates."""
    return tuple(code for code in hello_for(TLS12).suites if suite(code).parts.authentication == chain.authentication)


def _words(reply: SmtpReply | None) -> tuple[int, tuple[str, ...]] | None:
    """The code and the words of a greeting that do not vary."""
    if reply is None:
        return None
    return reply.code, tuple(" ".join(_VARYING.sub("", line).split()) for line in reply.lines)


def _keywords(reply: SmtpReply | None) -> dict[str, str] | None:
    return None if reply is None else reply.keywords


def _best(handshake: HandshakeFacts | None) -> tuple[object, ...] | None:
    if handshake is None:
        return None
    asked = handshake.client_certificate_requested
    return handshake.version, handshake.suite, handshake.group, handshake.chain, asked

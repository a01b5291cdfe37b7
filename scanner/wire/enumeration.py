"""The exact set of (version, suite) pairs and of groups, with the fewest connections that can exist.

Offer everything, then drop what the server chose: accepted + 1 connections per version, which is also the lower
bound, because each answer names one suite. TLS 1.3 answers an empty key share with a HelloRetryRequest that names a
suite and a group at once, without a signature. Groups up to TLS 1.2 need a second round with the suites known.
"""

from collections.abc import Generator

from scanner.answers import Fact
from scanner.wire.asking import Answer, Asker, Steps, Verdict
from scanner.wire.code_points import SSL3, TLS12, TLS13, VERSION_NAMES, AlertDescription, version_name
from scanner.wire.hello import Hello
from scanner.wire.leaf_curve import leaf_curve
from scanner.wire.ledger import SMALL_OFFER, WHOLE_OFFER, refusal_text
from scanner.wire.questions import CLASSIC_SUITES, GROUPS_TLS12, GROUPS_TLS13, hello_for, small_hello
from scanner.wire.registry import suite
from scanner.wire.server_flight import ServerFlight
from scanner.wire.suite_traits import Trait


def speaks_of_version(flight: ServerFlight | None) -> bool:
    """Whether a refusal names the version: then everything below it is refused as well."""
    return (
        flight is not None
        and flight.alert is not None
        and (flight.alert.description == AlertDescription.PROTOCOL_VERSION)
    )


def find_version(
    asker: Asker, version: int, *, speaks_for_lower: bool = False
) -> Generator[Hello, Answer, ServerFlight | None]:
    """Offer everything at one version; the flight, or the alert, that answered.

    A server that has taken up nothing yet may only be unable to read a large hello: then a small one decides, and
    further offers come in small portions. With `speaks_for_lower` an alert protocol_version refuses the versions
    below as well, down to SSL 3.0: a server chooses the highest version that it has at or below the one asked (RFC
    5246 appendix E.1).
    """
    ledger = asker.ledger
    reply = yield from asker.ask_suites(hello_for(version))
    by_version = speaks_of_version(reply.flight)
    unread = reply.verdict in (Verdict.REFUSED, Verdict.OPEN) and not by_version
    if unread and not ledger.asked and ledger.offer_size == WHOLE_OFFER:
        suites = CLASSIC_SUITES if version <= TLS12 else None
        small = yield from asker.ask(small_hello(hello_for(version, suites)))
        if small.accepted:
            ledger.offer_size = SMALL_OFFER
            ledger.refused.clear()
            reply = small
    if by_version and speaks_for_lower and ledger.versions.get(version) is Fact.NO:
        for lower in (lower for lower in VERSION_NAMES if SSL3 <= lower < min(version, TLS13)):
            ledger.refuse_version(lower, f"{refusal_text(reply.flight)} for {version_name(version)}")
    return reply.flight


def enumerate_suites(asker: Asker, version: int) -> Steps:
    """Every suite of one version up to TLS 1.2, the version having been found."""
    ledger = asker.ledger
    for portion in ledger.portions(ledger.open_suites(version)):
        left = set(portion)
        while left:
            suites = tuple(code for code in portion if code in left)
            groups = ledger.known_last(version, GROUPS_TLS12)
            reply = yield from asker.ask_suites(hello_for(version, suites, groups))
            if reply.verdict is Verdict.OPEN:
                return
            if reply.verdict is Verdict.REFUSED or reply.flight is None:
                break
            left.discard(reply.flight.suite or 0)


def enumerate_tls13(asker: Asker) -> Steps:
    """Suites and groups of TLS 1.3 together, the version having been found.

    Each answer names a suite and a group, and both are dropped. A refusal then says only that one of the two is
    exhausted, so the rest of each is asked beside what is known of the other until that is refused too.
    """
    ledger = asker.ledger
    if not ledger.groups.get(TLS13):
        return
    while True:
        suites, groups = ledger.open_suites(TLS13), _open_groups(asker, TLS13)
        if not suites or not groups:
            break
        reply = yield from asker.ask(hello_for(TLS13, suites, groups))
        if reply.accepted is None:
            break
    while suites := ledger.open_suites(TLS13):
        known = tuple(ledger.groups[TLS13])
        reply = yield from asker.ask_suites(hello_for(TLS13, suites, known))
        if reply.verdict in (Verdict.REFUSED, Verdict.OPEN):
            break
    yield from _rest_of_groups(asker, TLS13, tuple(ledger.accepted[TLS13]))


def enumerate_groups(asker: Asker, version: int) -> Steps:
    """Every group of ECDHE in one version up to TLS 1.2, its suites being known.

    Suites without an ECDSA certificate are used where there are any. With ECDSA alone the certificate's curve has to
    stay in the hello: a server that then picks it has no other group that a client could get.
    """
    accepted = asker.ledger.accepted.get(version, {})
    ephemeral = [code for code in accepted if suite(code).has(Trait.ECDHE)]
    free = tuple(code for code in ephemeral if suite(code).parts.authentication != "ECDSA")
    if free:
        yield from _rest_of_groups(asker, version, free)
    elif ephemeral:
        chain = asker.ledger.chains.get("ECDSA", ())
        yield from _rest_of_groups(asker, version, tuple(ephemeral), leaf_curve(chain[0]) if chain else None)


def _rest_of_groups(asker: Asker, version: int, suites: tuple[int, ...], kept: int | None = None) -> Steps:
    """Drop group after group until none is taken. The suites stand in the reverse of the order in which the server
    took them up: what it picks now tells whose order counts."""
    ledger = asker.ledger
    while groups := tuple(group for group in _open_groups(asker, version) if group != kept):
        offer = groups if kept is None else (*groups, kept)
        reply = yield from asker.ask(hello_for(version, suites[::-1], offer))
        if reply.accepted and reply.accepted.group in groups:
            continue
        if not reply.accepted and reply.verdict is not Verdict.REFUSED:
            return
        break
    if ledger.offer_size == WHOLE_OFFER:
        ledger.groups_complete.add(version)


def _open_groups(asker: Asker, version: int) -> tuple[int, ...]:
    known = asker.ledger.groups.get(version, {})
    return tuple(group for group in (GROUPS_TLS13 if version == TLS13 else GROUPS_TLS12) if group not in known)

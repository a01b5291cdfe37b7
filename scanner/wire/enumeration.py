"""The exact set of (version, suite) pairs and of groups, with the fewest connections that can exist.

Offer everything, then drop what the server chose: accepted + 1 connections per version, which is also the lower
bound, because each answer names one suite. TLS 1.3 answers an empty key share with a HelloRetryRequest that names a
suite and a group at once, without a signature; ECDHE of the older versions names its group in the ServerKeyExchange.
The groups that did not show in this way take a second round, with the suites known.
"""

import msgspec

from scanner.answers import Fact
from scanner.wire.asking import Asker, Question, Reply, Steps, Verdict
from scanner.wire.code_points import SSL3, TLS12, TLS13, VERSION_NAMES, AlertDescription, version_name
from scanner.wire.hello import Hello
from scanner.wire.leaf_curve import leaf_curve
from scanner.wire.ledger import SMALL_OFFER, WHOLE_OFFER, all_offers, refusal_text
from scanner.wire.questions import CLASSIC_SUITES, LARGE_HELLO, all_groups, hello_for, small_hello
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


def find_version(asker: Asker, version: int, *, speaks_for_lower: bool = False) -> Steps:
    """Offer everything at one version.

    A server that has taken up nothing yet may only be unable to read a large hello: then a small one decides, and
    further offers come in small portions. With `speaks_for_lower` an alert protocol_version refuses the versions
    below as well, down to SSL 3.0: a server chooses the highest version that it has at or below the one asked (RFC
    5246 appendix E.1).
    """
    ledger = asker.ledger
    reply = Reply(Verdict.OPEN)
    for portion in ledger.portions(all_offers(version)):
        reply = yield from asker.ask_suites(hello_for(version, portion))
        if reply.verdict is not Verdict.REFUSED:
            break
    by_version = speaks_of_version(reply.flight)
    unread = reply.verdict in (Verdict.REFUSED, Verdict.OPEN) and not by_version
    if unread and not ledger.shown and ledger.offer_size == WHOLE_OFFER:
        yield from _find_with_small_hello(asker, version)
    elif by_version and speaks_for_lower and ledger.versions.get(version) is Fact.NO:
        for lower in (lower for lower in VERSION_NAMES if SSL3 <= lower < min(version, TLS13)):
            ledger.refuse_version(lower, f"{refusal_text(reply.flight)} for {version_name(version)}")


def _find_with_small_hello(asker: Asker, version: int) -> Steps:
    suites = CLASSIC_SUITES if version <= TLS12 else None
    reply = yield from asker.ask(small_hello(hello_for(version, suites)))
    if reply.accepted:
        asker.ledger.offer_size = SMALL_OFFER
        asker.ledger.refused.clear()


def enumerate_suites(asker: Asker, version: int) -> Steps:
    """Every suite of one version, the version having been found.

    Groups that were seen stand last and are never dropped, so a refusal speaks of the suites alone, while a server
    that follows our order shows a new group with each answer.
    """
    ledger = asker.ledger
    for portion in ledger.portions(ledger.open_suites(version)):
        left = list(portion)
        while left:
            hello = hello_for(version, tuple(left), ledger.known_last(version, all_groups(version)))
            large = ledger.special.get("large_hello") is Fact.INCONCLUSIVE and version > SSL3
            reply = yield from (ask_large(asker, hello) if large else asker.ask_suites(hello))
            if reply.verdict is Verdict.OPEN:
                return
            if reply.verdict is Verdict.REFUSED or reply.flight is None:
                break
            left.remove(reply.flight.suite or 0)


def ask_large(asker: Asker, hello: Hello) -> Question:
    """Put a question in a hello of two TCP segments: being taken up, it has answered one question more.

    Refused or unanswered, it is put again at its own size, so that the size is never blamed on the suites.
    """
    large = yield from asker.ask(msgspec.structs.replace(hello, pad_to=LARGE_HELLO))
    if large.accepted:
        asker.ledger.special["large_hello"] = Fact.YES
        return large
    reply = yield from asker.ask_suites(hello)
    if reply.accepted and large.verdict is Verdict.REFUSED:
        asker.ledger.special["large_hello"] = Fact.NO
    return reply


def enumerate_groups(asker: Asker, version: int) -> Steps:
    """Every group of one version, its suites being known; up to TLS 1.2 those of ECDHE.

    Suites without an ECDSA certificate are used where there are any. With ECDSA alone the certificate's curve has to
    stay in the hello: a server that then picks it has no other group that a client could get.
    """
    accepted = tuple(asker.ledger.accepted.get(version, ()))
    ephemeral = accepted if version == TLS13 else tuple(code for code in accepted if suite(code).has(Trait.ECDHE))
    free = tuple(code for code in ephemeral if suite(code).parts.authentication != "ECDSA")
    if free:
        yield from _rest_of_groups(asker, version, free)
    elif ephemeral:
        chain = asker.ledger.chains.get("ECDSA", ())
        yield from _rest_of_groups(asker, version, ephemeral, leaf_curve(chain[0]) if chain else None)


def _rest_of_groups(asker: Asker, version: int, suites: tuple[int, ...], kept: int | None = None) -> Steps:
    """Drop group after group until none is taken. The suites stand in the reverse of the order in which the server
    took them up: what it picks now tells whose order counts."""
    ledger = asker.ledger
    while groups := tuple(code for code in ledger.open_groups(version, all_groups(version)) if code != kept):
        offer = groups if kept is None else (*groups, kept)
        reply = yield from asker.ask(hello_for(version, suites[::-1], offer))
        if reply.accepted and reply.accepted.group in groups:
            continue
        if not reply.accepted and reply.verdict is not Verdict.REFUSED:
            return
        break
    if ledger.offer_size == WHOLE_OFFER:
        ledger.groups_complete.add(version)

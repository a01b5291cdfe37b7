"""Questions with one answer, each for one connection: fallback protection, SHA-1 signatures, preference, DH groups.

The answers go into `Ledger.special` under the name of their field in `TlsFacts`. A question that does not apply to
this server is not put.
"""

import msgspec

from scanner.answers import Fact
from scanner.wire.asking import Asker, Steps, Verdict
from scanner.wire.code_points import FFDHE_GROUPS, SHA1_SCHEMES, SSL3, TLS10, TLS12, TLS13, AlertDescription, group_name
from scanner.wire.dh_primes import prime_name
from scanner.wire.enumeration import ask_large
from scanner.wire.preference import preference_of
from scanner.wire.questions import GROUPS_TLS12, hello_for
from scanner.wire.registry import suite
from scanner.wire.suite_traits import Trait
from scanner.wire_facts import Preference

_SIGNED = frozenset({"RSA", "ECDSA", "DSS"})


SPECIAL_QUESTIONS = ("large_hello", "fallback_scsv", "sha1_signatures")
"""Open until they are settled."""


def _settle(asker: Asker, name: str, fact: Fact) -> None:
    """NOT_TESTED is final only if no version stayed open that the question might apply to."""
    doubtful = fact is Fact.NOT_TESTED and Fact.INCONCLUSIVE in asker.ledger.versions.values()
    asker.ledger.special[name] = Fact.INCONCLUSIVE if doubtful else fact


def offered_versions(asker: Asker) -> list[int]:
    """The versions of TLS and SSL 3.0 that are taken up, highest first."""
    known = asker.ledger.versions
    return [version for version in sorted(known, reverse=True) if version >= SSL3 and known[version] is Fact.YES]


def _accepted(asker: Asker, version: int) -> tuple[int, ...]:
    return tuple(asker.ledger.accepted.get(version, ()))


def ask_preference(asker: Asker, version: int) -> Steps:
    """Offer the known suites in the reverse of the order in which they were taken up, if that still decides whose
    order counts."""
    suites = _accepted(asker, version)
    if len(suites) > 1 and preference_of(asker.ledger.suite_choices[version].picks()) is Preference.UNKNOWN:
        groups = (tuple(asker.ledger.groups.get(version, ())) or None) if version == TLS13 else None
        yield from asker.ask(hello_for(version, suites[::-1], groups))


def ask_large_hello(asker: Asker) -> Steps:
    """The size question, where no question about suites could carry it."""
    if asker.ledger.special.get("large_hello") is not Fact.INCONCLUSIVE:
        return
    for version in (version for version in offered_versions(asker) if version != SSL3):
        known = (tuple(asker.ledger.groups.get(version, ())) or None) if version == TLS13 else None
        yield from ask_large(asker, hello_for(version, _accepted(asker, version)[::-1], known))
        return
    _settle(asker, "large_hello", Fact.NOT_TESTED)


def ask_fallback_scsv(asker: Asker) -> Steps:
    """RFC 7507: does the server refuse a client that says it came down from a higher version?"""
    versions = offered_versions(asker)
    lower = [version for version in versions[1:] if version <= TLS12]
    if not lower:
        _settle(asker, "fallback_scsv", Fact.NOT_TESTED)
        return
    hello = hello_for(lower[0], _accepted(asker, lower[0]))
    reply = yield from asker.ask(msgspec.structs.replace(hello, fallback_scsv=True))
    alert = reply.flight.alert if reply.flight else None
    if reply.accepted:
        _settle(asker, "fallback_scsv", Fact.NO)
    elif alert is not None and alert.description == AlertDescription.INAPPROPRIATE_FALLBACK:
        _settle(asker, "fallback_scsv", Fact.YES)


def ask_sha1_signatures(asker: Asker) -> Steps:
    """Does the server sign a TLS 1.2 handshake with SHA-1 for a client that knows nothing better (RFC 9155)?"""
    signed = tuple(
        code
        for code in _accepted(asker, TLS12)
        if suite(code).parts.authentication in _SIGNED and suite(code).parts.key_exchange in ("ECDHE", "DHE")
    )
    if any(one.scheme in SHA1_SCHEMES for one in asker.ledger.shown):
        _settle(asker, "sha1_signatures", Fact.YES)
        return
    if not signed:
        _settle(asker, "sha1_signatures", Fact.NOT_TESTED)
        return
    hello = msgspec.structs.replace(hello_for(TLS12, signed[::-1]), schemes=SHA1_SCHEMES)
    reply = yield from asker.ask(hello)
    if reply.accepted:
        used = reply.accepted.scheme in SHA1_SCHEMES
        _settle(asker, "sha1_signatures", Fact.YES if used else Fact.NO)
    elif reply.verdict is Verdict.REFUSED:
        _settle(asker, "sha1_signatures", Fact.NO)


def ask_dh_groups(asker: Asker) -> Steps:
    """Every group of RFC 7919 that the server takes up to TLS 1.2, and the prime for clients that name none.

    A server that ignores the names shows the same prime whatever is offered, and one question proves it.
    """
    for version in (version for version in offered_versions(asker) if TLS10 <= version < TLS13):
        suites = tuple(code for code in _accepted(asker, version) if suite(code).has(Trait.DHE))[::-1]
        named = [code for code in FFDHE_GROUPS if group_name(code) not in _primes_seen(asker)]
        if not suites or len(named) == len(FFDHE_GROUPS):
            return
        curves = tuple(group for group in GROUPS_TLS12 if group not in FFDHE_GROUPS)
        while named:
            reply = yield from asker.ask(hello_for(version, suites, (*curves, *named)))
            taken = prime_name(reply.accepted.prime or b"") if reply.accepted else ""
            if taken not in map(group_name, named):
                break
            named = [code for code in named if group_name(code) != taken]
        if not named or reply.verdict is Verdict.REFUSED:
            yield from asker.ask(hello_for(version, suites, curves))
        return


def _primes_seen(asker: Asker) -> set[str]:
    return {prime_name(prime.prime) for prime in asker.ledger.primes}

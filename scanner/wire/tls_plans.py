"""The plans: which hellos to send to one server, in which order, for which depth.

A plan yields a `Hello`, is sent the `ServerFlight` or `ProbeFailure` that came of it, and returns a `TlsPicture`. It
knows nothing of pacing or time. To end it early, send it a failure that says nobody was asked
(`ProbeFailure.asked` false, such as Kind.STOPPED): it returns at once what was learned, the rest being inconclusive.
"""

from collections.abc import Callable, Generator
from inspect import GEN_CREATED, getgeneratorstate

from scanner.answers import Fact
from scanner.failures import ProbeFailure
from scanner.wire.asking import Answer, Asker, PlanStopped, Steps, Verdict
from scanner.wire.code_points import SSL2, SSL3, TLS10, TLS11, TLS12, TLS13, X25519MLKEM768
from scanner.wire.enumeration import enumerate_groups, enumerate_suites, find_version
from scanner.wire.hello import Hello
from scanner.wire.ledger import Ledger
from scanner.wire.picture import TlsPicture, picture_of
from scanner.wire.questions import hello_for
from scanner.wire.registry import suite
from scanner.wire.search import search_classes
from scanner.wire.single_questions import (
    SPECIAL_QUESTIONS,
    ask_dh_groups,
    ask_fallback_scsv,
    ask_large_hello,
    ask_preference,
    ask_sha1_signatures,
    offered_versions,
)

Plan = Generator[Hello, Answer, TlsPicture]

ALL_VERSIONS = (TLS13, TLS12, TLS11, TLS10, SSL3, SSL2)
OLD_VERSIONS = (TLS11, TLS10, SSL3)
STANDARD_BUDGET = 15
"""Connections that the standard plan needs at the most on a healthy server: TLS 1.2 and 1.3, no refusals in vain."""
STANDARD_LIMIT = 40
"""Where the standard plan stops asking a server that accepts everything; the rest is inconclusive."""


def full_plan(limit: int | None = None) -> Plan:
    """The exact set of (version, suite) pairs, groups, preference, and all that the flights show on the way."""
    return _run(_full_steps, limit)


def standard_plan(limit: int = STANDARD_LIMIT) -> Plan:
    """Every version, every class of suites that a standard forbids, both chains, the hybrid group, DH primes."""
    return _run(_standard_steps, limit)


def stop_plan(plan: Plan, reason: ProbeFailure) -> TlsPicture:
    """End a plan, started or not; `reason` must be one with `asked` false."""
    if getgeneratorstate(plan) == GEN_CREATED:
        next(plan)
    try:
        plan.send(reason)
    except StopIteration as stopped:
        picture: TlsPicture = stopped.value
        return picture
    raise ValueError(f"{reason.kind} does not stop a plan")


def _run(steps: Callable[[Asker], Steps], limit: int | None) -> Plan:
    ledger = Ledger()
    ledger.planned = ALL_VERSIONS
    asker = Asker(ledger, limit)
    try:
        yield from steps(asker)
        yield from asker.confirm()
    except PlanStopped:
        ledger.stopped = True
    asker.take_back()
    return picture_of(ledger)


def _full_steps(asker: Asker) -> Steps:
    ledger = asker.ledger
    ledger.exact = True
    ledger.special |= dict.fromkeys(SPECIAL_QUESTIONS, Fact.INCONCLUSIVE)
    yield from _find_modern(asker)
    for version in (TLS12, TLS13, *OLD_VERSIONS):
        if ledger.versions.get(version) in (None, Fact.INCONCLUSIVE):
            yield from find_version(asker, version)
        if ledger.versions.get(version) is Fact.YES:
            yield from enumerate_suites(asker, version)
    offered = offered_versions(asker)
    old = [version for version in offered if TLS10 <= version <= TLS12][:1]
    for version in [TLS13] * (TLS13 in offered) + old:
        ledger.groups_wanted.add(version)
        yield from enumerate_groups(asker, version)
        yield from ask_preference(asker, version)
    yield from asker.ask_suites(hello_for(SSL2))
    yield from ask_large_hello(asker)
    yield from ask_dh_groups(asker)
    yield from ask_sha1_signatures(asker)
    yield from ask_fallback_scsv(asker)


def _find_modern(asker: Asker, *, speaks_for_lower: bool = False) -> Steps:
    """TLS 1.2 first: nearly every server takes it up, and that is what a doubtful refusal is measured by."""
    ledger = asker.ledger
    yield from find_version(asker, TLS12, speaks_for_lower=speaks_for_lower)
    yield from find_version(asker, TLS13)
    if ledger.versions.get(TLS12) is Fact.INCONCLUSIVE and ledger.shown:
        yield from find_version(asker, TLS12, speaks_for_lower=speaks_for_lower)


def _standard_steps(asker: Asker) -> Steps:
    """Versions and chains first; the searches end with refusals, and so they come last."""
    ledger = asker.ledger
    yield from _find_modern(asker, speaks_for_lower=True)
    if ledger.versions.get(TLS12) is Fact.YES:
        yield from _ask_chains(asker, TLS12)
    for version in OLD_VERSIONS:
        if ledger.versions.get(version) in (None, Fact.INCONCLUSIVE):
            yield from find_version(asker, version, speaks_for_lower=True)
    yield from asker.ask_suites(hello_for(SSL2))
    for version in offered_versions(asker):
        if version == TLS13 and X25519MLKEM768 not in ledger.groups.get(TLS13, ()):
            yield from _ask_hybrid(asker)
        yield from search_classes(asker, version)


def _ask_chains(asker: Asker, version: int) -> Steps:
    """The chains of both kinds of certificates, if there are two."""
    for kind in ("ECDSA", "RSA"):
        suites = tuple(code for code in asker.ledger.open_suites(version) if suite(code).parts.authentication == kind)
        if kind not in asker.ledger.chains and suites:
            yield from asker.ask_suites(hello_for(version, suites))


def _ask_hybrid(asker: Asker) -> Steps:
    """X25519MLKEM768 alone, with the suites that the server is known to take: no other reason is left to refuse."""
    ledger = asker.ledger
    reply = yield from asker.ask(hello_for(TLS13, tuple(ledger.accepted[TLS13]), (X25519MLKEM768,)))
    facts = {Verdict.ACCEPTED: Fact.YES, Verdict.REFUSED: Fact.NO}
    ledger.special["hybrid_group"] = facts.get(reply.verdict, Fact.INCONCLUSIVE)

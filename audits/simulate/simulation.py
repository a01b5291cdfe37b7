"""One domain under one configuration: the level and the step at each host, and what becomes of the mail in the end."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

import msgspec

from audits.dane import EndpointDane, Seen, dane_verdict
from audits.grade import domain_verdict
from audits.postfix.resolution import Resolution
from audits.postfix.resolve import resolve
from audits.postfix.tls_levels import TlsLevel
from audits.reasons import Cause
from audits.simulate.delivery import step_at
from audits.simulate.host import Meeting
from audits.simulate.next_hops import Destination, Met, RunFacts, destination
from audits.simulate.outcomes import Kind, Outcome, SimulationCause, Step
from audits.simulate.routing import SMTP_SERVICES, Routing, Transport
from audits.simulate.sender import Sender
from audits.simulate.walk import Hop, as_scanned, possible_outcomes
from scanner.facts import DomainFacts, EndpointFacts


class HostResult(msgspec.Struct, frozen=True):
    """One host of a domain: the effective level, and what a delivery does there."""

    next_hop: str
    mx_host: str
    address: str
    port: int
    preference: int
    level: TlsLevel
    outcome: Outcome
    word: str = ""
    """The word of the log for the TLS connection, also where the mail goes on to another host afterwards."""
    rules: tuple[str, ...] = ()


class DomainSimulation(msgspec.Struct, frozen=True):
    """What becomes of mail for one domain. `possible` has several ends where chance decides (equal preferences).

    `as_scanned`: where the end is not known, the ends if every server behaves as it did during the scan.
    """

    domain: str
    transport: str
    possible: tuple[Outcome, ...]
    hosts: tuple[HostResult, ...] = ()
    as_scanned: tuple[Outcome, ...] = ()

    @property
    def outcome(self) -> Outcome | None:
        """The end; None where chance decides."""
        return self.possible[0] if len(self.possible) == 1 else None

    @property
    def words(self) -> str:
        """The ends in words."""
        return " or ".join(dict.fromkeys(map(str, self.possible)))


class Setup(msgspec.Struct, frozen=True):
    """A configuration that mail is sent under."""

    sender: Sender
    routing: Routing


def simulate(setup: Setup, run: RunFacts, facts: DomainFacts) -> DomainSimulation:
    """Mail to a domain of a run, or to a next-hop in brackets, which stands for itself."""
    target = facts.target
    if target.brackets or target.port:
        transport: Transport | str = Transport("smtp", (target.entry,), "the entry is a next-hop")
    else:
        transport = setup.routing.of(target.name)
    if isinstance(transport, str):
        failed = Outcome(Kind.DEFERRED, None, SimulationCause.TRANSPORT, transport)
        return DomainSimulation(target.entry, "", (failed,))
    elsewhere = _not_by_smtp(transport)
    name = ":".join((transport.service, ", ".join(transport.next_hops)))
    if elsewhere is not None:
        return DomainSimulation(target.entry, name, (elsewhere,))
    hops = [*transport.next_hops, *setup.sender.fallback]
    found = [_Visit(setup.sender, destination(setup.sender, run, hop, facts)) for hop in hops]
    # DNS errors about a relay host or a fallback relay are taken for our own mistake: the mail waits.
    soft = [transport.relay] * len(transport.next_hops) + [True] * len(setup.sender.fallback)
    walk = [visit.hop(defers) for visit, defers in zip(found, soft, strict=True)]
    results = tuple(result for visit in found for result in visit.results(visit is found[-1]))
    limits = setup.sender.limits
    possible = possible_outcomes(walk, limits)
    is_open = any(outcome.kind is Kind.UNKNOWN for outcome in possible)
    again = possible_outcomes(as_scanned(walk), limits) if is_open else ()
    return DomainSimulation(target.entry, name, possible, results, again)


def _not_by_smtp(transport: Transport) -> Outcome | None:
    """The end of mail that another delivery agent takes."""
    if transport.service in SMTP_SERVICES:
        return None
    detail = f"{transport.why}: {transport.service}"
    kinds = {"error": Kind.BOUNCED, "retry": Kind.DEFERRED, "discard": Kind.DISCARDED}
    if transport.service in kinds:
        return Outcome(kinds[transport.service], None, SimulationCause.TRANSPORT, detail)
    words = f"{detail} is not the smtp of main.cf; what master.cf says of it is not known"
    return Outcome(Kind.UNKNOWN, None, SimulationCause.NOT_SIMULATED, words)


class _Visit:
    """One next-hop with the steps at its hosts; a class because walk and report need the same."""

    def __init__(self, sender: Sender, there: Destination) -> None:
        self._there = there
        dane = lru_cache(maxsize=1)(lambda: _dane(sender, there))
        self._steps: list[tuple[Met, Resolution, Step]] = []
        for met in there.hosts:
            resolution = resolve(sender.config, there.next_hop.text, met.mx_host)
            ref = met.ref
            known = dane() if resolution.level.needs_dnssec else {}
            meeting = Meeting(
                ref,
                met.mx_host,
                there.next_hop.name,
                met.facts,
                met.named,
                known.get((ref.mx_host, ref.endpoint.address, ref.endpoint.port)),
                there.mx_secure,
            )
            self._steps.append((met, resolution, step_at(sender, resolution, meeting)))

    def hop(self, defers: bool) -> Hop:
        """For the walk; `defers`: what would bounce for want of hosts waits instead."""
        failure = self._there.failure or self._skipped()
        if failure is not None and failure.kind is Kind.BOUNCED and defers:
            failure = msgspec.structs.replace(failure, kind=Kind.DEFERRED)
        ordered = sorted(self._steps, key=lambda each: each[0].ref.preference)
        groups = groupby(ordered, key=lambda each: each[0].ref.preference)
        return Hop(tuple(tuple(step for _, _, step in group) for _, group in groups), failure)

    def _skipped(self) -> Outcome | None:
        """Hosts that smtp_tls_wrappermode passes over leave no reason, so that of one without an address stands."""
        causes = {step.why.cause if step.why else "" for _, _, step in self._steps}
        if not self._there.lacking or causes != {SimulationCause.WRAPPERMODE_LEVEL}:
            return None
        return Outcome(Kind.BOUNCED, None, Cause.NO_MX_ADDRESS, "beside hosts that smtp_tls_wrappermode passes over")

    def results(self, is_last: bool) -> Iterator[HostResult]:
        for place, (met, resolution, step) in enumerate(self._steps):
            endpoint = met.ref.endpoint
            final = is_last and place == len(self._steps) - 1
            yield HostResult(
                self._there.next_hop.text,
                met.mx_host,
                endpoint.address,
                endpoint.port,
                met.ref.preference,
                resolution.level,
                _at_host(step, final),
                step.word or "",
                tuple(reason.sentence for reason in resolution.why),
            )


def _at_host(step: Step, final: bool) -> Outcome:
    """The step in words: what leads to the next host is the end of the mail at the last one."""
    cause = (step.why.cause, step.why.detail) if step.why else ("", "")
    if step.silent:
        return Outcome(Kind.UNKNOWN, None, *cause)
    if step.kind is not Kind.NEXT_MX:
        return Outcome(step.kind, step.word if step.kind is Kind.TLS else None, *cause)
    if not final:
        return Outcome(Kind.NEXT_MX, None, *cause)
    later = step.later.kind if step.later else None
    ends = {Kind.CLEAR: Kind.THEN_CLEAR, Kind.BOUNCED: Kind.BOUNCED, Kind.UNKNOWN: Kind.UNKNOWN}
    return Outcome(ends.get(later, Kind.DEFERRED) if later else Kind.DEFERRED, None, *cause, late=later is not None)


def _dane(sender: Sender, there: Destination) -> dict[tuple[str, str, int], EndpointDane]:
    """What DANE says of each mail endpoint of the domain."""
    if there.domain is None:
        return {}
    known: dict[str, EndpointFacts] = {}
    for met in there.hosts:
        for facts in (met.facts, *met.named.values()):
            if facts is not None:
                known[facts.endpoint.key] = facts
    endpoints = {facts.endpoint: facts for facts in known.values()}

    verdict = domain_verdict(there.domain, endpoints, sender.verified)
    found = dane_verdict(Seen(there.domain, endpoints, verdict.endpoints))
    return {(each.mx_host, each.address, each.port): each for each in found.endpoints} if found else {}


def is_unknown(simulation: DomainSimulation) -> bool:
    """Whether some possible end is not known."""
    return any(outcome.kind is Kind.UNKNOWN for outcome in simulation.possible)

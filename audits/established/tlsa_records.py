"""TLSA records of MX hosts, and what senders with DANE make of them (RFC 6698, 7671, 7672), as they were judged."""

from collections.abc import Iterator
from typing import Self

import msgspec

from audits.dane import EndpointDane, TlsaState, tlsa_state
from audits.established.published_policy import without_policy
from audits.established.views import DomainView, Inapplicable, Missing
from audits.tlsa import unusable
from scanner.facts import DnsAnswer, Dnssec, MxHost, TlsaRecord
from scanner.failures import Kind, ProbeFailure
from scanner.policy_facts import HostTlsa

_PKIX = (0, 1)
"""PKIX-TA and PKIX-EE (RFC 7218)."""
_IN_USE = (TlsaState.USABLE, TlsaState.UNUSABLE)


class TlsaPublished(msgspec.Struct, frozen=True):
    """Whether a host has TLSA records that senders may use, by the state of the look-ups; `why` they may not."""

    state: TlsaState
    why: str = ""

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        for subject, looked in _hosts(view):
            if not isinstance(looked, _Looked):
                yield subject, looked
                continue
            yield subject, _open(looked) or cls(looked.state, _words(looked.tlsa))


class TlsaLooked(msgspec.Struct, frozen=True):
    """Whether the look-up of TLSA records gives an answer that validates."""

    bogus: bool
    evidence: str

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        for subject, looked in _hosts(view):
            if not isinstance(looked, _Looked):
                yield subject, looked
                continue
            answer = looked.tlsa.lookups[-1].answer if looked.tlsa and looked.tlsa.lookups else None
            if isinstance(answer, DnsAnswer) and answer.dnssec is Dnssec.INDETERMINATE:
                yield (
                    subject,
                    Missing(f"{answer.name}: {answer.status}; whether that validates needs a validating resolver"),
                )
            elif isinstance(answer, DnsAnswer):
                yield subject, cls(False, f"{answer.name}: {answer.status}, {answer.dnssec}")
            elif answer is not None and answer.kind is Kind.BOGUS:
                yield subject, cls(True, str(answer))
            elif isinstance(answer, ProbeFailure):
                yield subject, Missing(str(answer))
            else:
                yield subject, Inapplicable("no TLSA look-up: the host's addresses are not signed")


class TlsaInUse(msgspec.Struct, frozen=True):
    """The records of one host that are signed, so that they commit senders; usable or not."""

    records: tuple[TlsaRecord, ...]

    def malformed(self, record: TlsaRecord) -> str:
        """What is wrong with a record as such; nothing is with PKIX-TA and PKIX-EE, which SMTP alone does not use."""
        return "" if record.usage in _PKIX else unusable(record)

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        for subject, looked in _hosts(view):
            if not isinstance(looked, _Looked):
                yield subject, looked
                continue
            deciding = looked.tlsa.deciding if looked.tlsa else None
            if looked.state in _IN_USE and deciding is not None:
                yield subject, cls(deciding.records)
            else:
                yield subject, _open(looked) or Inapplicable(f"no signed TLSA records: {looked.state}")


class TlsaOnHosts(msgspec.Struct, frozen=True):
    """Host -> state, over all MX hosts of a domain."""

    states: dict[str, TlsaState]

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        states = {}
        for subject, looked in _hosts(view):
            if isinstance(looked, Inapplicable) and subject != view.subject:
                continue
            if not isinstance(looked, _Looked):
                yield subject, looked
                return
            states[looked.host.name] = looked.state
            if trouble := _open(looked):
                yield view.subject, trouble
                return
        if any(state in _IN_USE for state in states.values()):
            yield view.subject, cls(states)
        else:
            yield view.subject, Inapplicable("no MX host has signed TLSA records")


class DaneServer(msgspec.Struct, frozen=True):
    """One endpoint whose host has signed TLSA records: does its chain match, and does a sender with DANE deliver?"""

    seen: EndpointDane

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        if trouble := without_policy(view):
            yield view.subject, trouble
            return
        dane = view.published.dane if view.published else None
        if dane is None or not dane.endpoints:
            yield view.subject, Missing("no MX host answered")
            return
        for each in dane.endpoints:
            yield f"{each.mx_host} [{each.address}]:{each.port}", _unmatched(each) or cls(each)


def _unmatched(each: EndpointDane) -> Missing | Inapplicable | None:
    """Why there is nothing to match at an endpoint."""
    if each.state in (TlsaState.INDETERMINATE, TlsaState.LOOKUP_FAILED):
        return Missing(each.reason.detail if each.reason else str(each.state))
    return None if each.state in _IN_USE else Inapplicable(f"no signed TLSA records: {each.state}")


class _Looked(msgspec.Struct, frozen=True):
    """An MX host and its TLSA look-ups."""

    host: MxHost
    tlsa: HostTlsa | None

    @property
    def state(self) -> TlsaState:
        return tlsa_state(self.tlsa)


def _hosts(view: DomainView) -> Iterator[tuple[str, _Looked | Missing | Inapplicable]]:
    """Each MX host with its look-ups, or why nothing can be asked of the domain, or of this host."""
    if trouble := without_policy(view):
        yield view.subject, trouble
        return
    assert view.facts.policy is not None
    port = view.facts.target.port or 25
    for host in view.facts.route.hosts:
        looked = _Looked(host, view.facts.policy.host(host.name, port))
        yield f"{host.name}:{port}", Inapplicable("the host has no address") if host.missing else looked


def _open(looked: _Looked) -> Missing | None:
    """Why it is not known whether a host has records that count; None where it is."""
    if looked.state is TlsaState.INDETERMINATE:
        return Missing("TLSA records exist; whether they are signed needs a validating resolver")
    if looked.state is TlsaState.LOOKUP_FAILED and looked.tlsa and looked.tlsa.deciding:
        failure = looked.tlsa.deciding.answer
        return None if isinstance(failure, ProbeFailure) and failure.kind is Kind.BOGUS else Missing(str(failure))
    if looked.tlsa is None and looked.host.failure is not None:
        return Missing(str(looked.host.failure))
    return None


def _words(tlsa: HostTlsa | None) -> str:
    if tlsa is None or not tlsa.lookups:
        return "no TLSA look-up: the host's addresses are not signed"
    answer = tlsa.lookups[-1].answer
    if isinstance(answer, ProbeFailure):
        return str(answer)
    signed = "" if answer.dnssec is Dnssec.SECURE else f", {answer.dnssec}"
    return f"{answer.name}: {len(answer.records)} records{signed}"

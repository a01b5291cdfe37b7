"""What is settled of a domain's published policy: DANE, MTA-STS, TLSRPT, DNSSEC, and its cliffs."""

from collections.abc import Set

import msgspec

from audits.cliffs import Cliff
from audits.dane import TlsaState, tlsa_state
from audits.diff.settled import ANSWERS, Look, Place, Settled, Sts
from audits.mta_sts import StsState
from audits.tlsa import presentation
from scanner.facts import Dnssec, Fact
from scanner.failures import Kind, ProbeFailure
from scanner.policy_facts import HostTlsa

_WITH_DANE = frozenset({TlsaState.USABLE, TlsaState.UNUSABLE, TlsaState.LOOKUP_FAILED})
_KEPT = {Fact.YES: True, Fact.NO: False}


def cliffs_seen(look: Look) -> dict[tuple[str, str, str], Cliff]:
    """The cliffs that are no certificate of a mail server; where several of a kind stand, the first."""
    published = look.record.published
    found = published.cliffs if published else ()
    return {(c.what, c.why, c.where): c for c in reversed(found) if c.what != "MUST"}


def dane_kept(known: Settled[Fact] | None, look: Look, partial: bool) -> Settled[Fact] | None:
    """Only for domains with TLSA records that count: without them `dane` is nothing but MAY."""
    dane = look.record.published.dane if look.record.published else None
    states = {each.state for each in dane.endpoints} if dane else set()
    if dane is None or not states & _WITH_DANE or dane.dane not in ANSWERS:
        return known
    if partial and known is not None and dane.dane is Fact.YES:
        return known
    return Settled(dane.dane, look.run, look.at, f"{dane.reason.cause}: {dane.reason.detail}" if dane.reason else "")


def dane_seen(look: Look, mail: Set[Place]) -> dict[Place, Fact]:
    """Whether `dane` loses no mail at each of the mail servers with TLSA records that count."""
    dane = look.record.published.dane if look.record.published else None
    found = {(e.mx_host, e.address, e.port): e for e in (dane.endpoints if dane else ())}
    return {at: e.dane for at, e in found.items() if at in mail and e.state in _WITH_DANE and e.dane in ANSWERS}


def tlsa_seen(look: Look) -> dict[str, tuple[str, ...]]:
    policy = look.facts.policy
    hosts = {(h.mx_host if h.port == 25 else f"{h.mx_host}:{h.port}"): h for h in (policy.tlsa if policy else ())}
    return {name: records for name, host in hosts.items() if (records := _tlsa_records(host)) is not None}


def _tlsa_records(host: HostTlsa) -> tuple[str, ...] | None:
    """The records in a settled order; None where the DNS did not tell."""
    match tlsa_state(host):
        case TlsaState.LOOKUP_FAILED | TlsaState.INDETERMINATE:
            return None
        case TlsaState.INSECURE:
            return tuple(sorted({f"unsigned {presentation(r)}" for look in host.lookups for r in look.found}))
        case TlsaState.NONE:
            return ()
        case _:
            return tuple(sorted({presentation(r) for r in host.deciding.records})) if host.deciding else ()


_MOMENTARY = frozenset({408, 425, 429})
"""HTTP statuses below 500 that say: later (RFC 9110 section 15.5, RFC 6585, RFC 8470)."""


def sts_kept(known: Settled[Sts] | None, look: Look, partial: bool) -> Settled[Sts] | None:
    verdict = look.record.published.mta_sts if look.record.published else None
    if verdict is None or verdict.state is StsState.UNKNOWN:
        return known
    if known is not None and _is_momentary(verdict.state, look) and known.value.doubted in ("", look.run):
        return msgspec.structs.replace(known, value=msgspec.structs.replace(known.value, doubted=look.run))
    now = Sts(verdict.state, verdict.mode or "", verdict.id, tuple(sorted(verdict.mx)), _KEPT.get(verdict.delivers))
    if known is not None and now.state is not StsState.NONE:
        before = known.value
        if verdict.mode is None:  # not fetched: what it says did not change for those who hold it
            now = msgspec.structs.replace(now, mode=before.mode, mx=before.mx)
        if now.kept is None or (partial and now.kept):
            now = msgspec.structs.replace(now, kept=before.kept)
    return Settled(now, look.run, look.at, f"{verdict.reason.cause}: {verdict.reason.detail}" if verdict.reason else "")


def _is_momentary(state: StsState, look: Look) -> bool:
    """A web server's trouble of the moment: news only where a second look meets it again."""
    fetch = look.facts.policy.mta_sts.fetch if look.facts.policy and look.facts.policy.mta_sts else None
    status = fetch.status if fetch else None
    return state is StsState.FETCH_ERROR and status is not None and (status in _MOMENTARY or status >= 500)


def tlsrpt_kept(known: Settled[str] | None, look: Look) -> Settled[str] | None:
    policy = look.facts.policy
    if policy is None or policy.mta_sts is None or (policy.tls_rpt and policy.tls_rpt.failure):
        return known  # both records are looked for together, so where one was not, None says nothing of the other
    found = policy.tls_rpt
    return Settled((found.text or found.problem) if found else "", look.run, look.at)


def dnssec_seen(look: Look) -> dict[str, Dnssec]:
    """The state of the MX answer, under "", and that of each host's addresses."""
    route = look.facts.route
    states = {host.name: _state(host.dnssec, host.failure) for host in route.hosts}
    states[""] = _state(route.mx_dnssec, route.failure)
    return {name: state for name, state in states.items() if state is not Dnssec.INDETERMINATE}


def _state(said: Dnssec, failure: ProbeFailure | None) -> Dnssec:
    return Dnssec.BOGUS if failure is not None and failure.kind is Kind.BOGUS else said

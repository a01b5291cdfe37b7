"""MTA-STS: is the policy valid, and do the live servers keep it (RFC 8461)? Words of RFC 8460 section 4.3."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from audits.dane import Seen, chain_of
from audits.levels import Authentication, both, cause_of_failure, level_answers
from audits.names import IdentifierKind, name_match
from audits.reasons import Cause, Reason
from audits.sessions import observed
from audits.trust import ChainVerdict
from audits.verdicts import EndpointVerdict
from scanner.facts import Dnssec, EndpointFacts, Fact
from scanner.failures import Kind, ProbeFailure
from scanner.policy_facts import MtaStsFacts, PolicyFetch, StsMode
from scanner.tls_facts import CertificateFacts

VerifyChain = Callable[[Sequence[CertificateFacts], datetime], ChainVerdict]

SHORT_MAX_AGE_S = 604_800
"""A week; "weeks or greater" is what RFC 8461 section 3.2 expects."""
_PASSING = frozenset({Kind.TIMEOUT, Kind.UNREACHABLE, Kind.RESET, Kind.CLOSED, Kind.SERVFAIL, Kind.DNS_REFUSED})
"""Failures that another look may not meet."""


class StsState(StrEnum):
    """What a domain's MTA-STS comes to, for a sender that looks now."""

    NONE = "none"
    RECORD_INVALID = "record-invalid"
    FETCH_ERROR = "fetch-error"
    WEBPKI_INVALID = "webpki-invalid"
    POLICY_INVALID = "policy-invalid"
    VALID = "valid"
    UNKNOWN = "unknown"


class StsHost(msgspec.Struct, frozen=True):
    """One mail endpoint under the policy. `verified`: TLS with a public certificate that has the MX host's name."""

    mx_host: str
    address: str
    in_policy: bool
    verified: Fact
    reason: Reason | None = None


class StsVerdict(msgspec.Struct, frozen=True):
    """A domain under MTA-STS. `delivers`: a sender that enforces the policy loses no mail at any host that answered.

    `dnssec` is the state of the TXT record, `host_dnssec` that of the addresses of the policy host, if asked.
    """

    state: StsState
    id: str = ""
    mode: StsMode | None = None
    max_age_s: int | None = None
    mx: tuple[str, ...] = ()
    hosts: tuple[StsHost, ...] = ()
    delivers: Fact = Fact.NOT_TESTED
    reason: Reason | None = None
    remarks: tuple[str, ...] = ()
    dnssec: Dnssec = Dnssec.INDETERMINATE
    host_dnssec: Dnssec | None = None


def sts_verdict(seen: Seen, verify: VerifyChain) -> StsVerdict | None:
    """MTA-STS for a domain; None where nobody looked."""
    facts = seen.facts.policy.mta_sts if seen.facts.policy else None
    if facts is None:
        return None
    state, reason = _state(facts, f"mta-sts.{seen.facts.target.name}", verify)
    policy = facts.policy
    known = StsVerdict(
        state,
        facts.record.id if facts.record else "",
        reason=reason,
        dnssec=facts.dnssec,
        host_dnssec=facts.fetch.addresses_dnssec if facts.fetch else None,
    )
    if policy is None:
        return known
    hosts = tuple(_host(verdict, seen, policy.mx, verify) for verdict in seen.mail())
    checked = state is StsState.VALID and policy.mode is not StsMode.NONE
    delivers = both(_kept(host) for host in hosts) if hosts else Fact.INCONCLUSIVE
    trouble = next((host.reason for host in hosts if host.reason), None) if checked else None
    return msgspec.structs.replace(
        known,
        mode=policy.mode,
        max_age_s=policy.max_age_s,
        mx=policy.mx,
        hosts=hosts if checked else (),
        delivers=delivers if checked else Fact.NOT_TESTED,
        reason=reason or trouble,
        remarks=(*policy.remarks, *_remarks(facts, hosts)),
    )


def _kept(host: StsHost) -> Fact:
    return host.verified if host.in_policy else Fact.NO


def _state(facts: MtaStsFacts, host: str, verify: VerifyChain) -> tuple[StsState, Reason | None]:
    """The first thing that keeps a sender from having a policy."""
    if facts.failure is not None:
        return StsState.UNKNOWN, Reason(cause_of_failure(facts.failure), str(facts.failure))
    if facts.record is None:
        return StsState.NONE, None
    if facts.record.problem:
        return StsState.RECORD_INVALID, Reason(Cause.STS_POLICY_INVALID, facts.record.problem)
    if facts.fetch is None:
        return StsState.UNKNOWN, Reason(Cause.NOT_ASKED, "the policy was not fetched")
    return _fetched(facts.fetch, facts, host, verify)


def _fetched(fetch: PolicyFetch, facts: MtaStsFacts, host: str, verify: VerifyChain) -> tuple[StsState, Reason | None]:
    if fetch.certificates and (fault := web_pki_fault(fetch, host, verify)):
        return StsState.WEBPKI_INVALID, Reason(Cause.STS_WEBPKI_INVALID, fault)
    if fetch.failure is not None:
        open_ = _is_open(fetch.failure) and bool(fetch.address or fetch.failure.kind is not Kind.UNREACHABLE)
        cause = Cause.UNANSWERED if open_ else Cause.STS_POLICY_FETCH_ERROR
        cause = cause if fetch.failure.asked else Cause.NOT_ASKED
        return (StsState.UNKNOWN if open_ else StsState.FETCH_ERROR), Reason(cause, str(fetch.failure))
    if fetch.status != 200:
        moved = ", and redirects are not followed" if fetch.status and fetch.status // 100 == 3 else ""
        return StsState.FETCH_ERROR, Reason(Cause.STS_POLICY_FETCH_ERROR, f"HTTP status {fetch.status}{moved}")
    if fetch.media_type.split(";")[0].strip().lower() != "text/plain":
        words = f"media type {fetch.media_type[:60] or 'missing'}, not text/plain"
        return StsState.FETCH_ERROR, Reason(Cause.STS_POLICY_FETCH_ERROR, words)
    if facts.policy is None or facts.policy.problem:
        words = facts.policy.problem if facts.policy else "no policy"
        return StsState.POLICY_INVALID, Reason(Cause.STS_POLICY_INVALID, words)
    return StsState.VALID, None


def _is_open(failure: ProbeFailure) -> bool:
    return not failure.asked or failure.kind in _PASSING


def web_pki_fault(fetch: PolicyFetch, host: str, verify: VerifyChain) -> str:
    """Why the policy host's certificate may not vouch for it; "" where it may (section 3.3)."""
    trust = verify(fetch.certificates, fetch.fetched_at)
    return trust.reason if not trust.trusted else _dns_id_fault(fetch.certificates[0], host)


def _dns_id_fault(leaf: CertificateFacts, host: str) -> str:
    """MTA-STS knows dNSNames alone: no common name."""
    match = name_match(leaf, host)
    if match.matched and match.kind is IdentifierKind.DNS_NAME:
        return ""
    names = ", ".join(match.presented[:8]) if match.kind is IdentifierKind.DNS_NAME else "no dNSName"
    return f"{host} is not among: {names or 'no name'}"


# --- the live servers ----------------------------------------------------------------------------------------------


def covered(mx_host: str, patterns: Sequence[str]) -> bool:
    """Whether a host is in the policy: "*." stands for exactly one label (section 4.1)."""
    parent = mx_host.partition(".")[2]
    return any(pattern in (mx_host, f"*.{parent}") for pattern in patterns)


def _host(verdict: EndpointVerdict, seen: Seen, patterns: Sequence[str], verify: VerifyChain) -> StsHost:
    ref = verdict.ref
    in_policy = covered(ref.mx_host, patterns)
    verified, reason = _verified(verdict, seen, verify)
    if not in_policy:
        reason = Reason(Cause.VALIDATION_FAILURE, f"{ref.mx_host} is in no mx line of the policy")
    return StsHost(ref.mx_host, ref.endpoint.address, in_policy, verified, reason)


def _verified(verdict: EndpointVerdict, seen: Seen, verify: VerifyChain) -> tuple[Fact, Reason | None]:
    facts = seen.named(verdict, verdict.ref.mx_host)
    if facts is None or not facts.sessions:
        return Fact.INCONCLUSIVE, Reason(Cause.UNANSWERED, "no handshake with the MX host's name was made")
    watched = observed(facts)
    authentication = _authentication(verdict.ref.mx_host, facts, verify)
    answer = level_answers(watched, authentication)[-1]
    return answer.sustained, answer.reason


def _authentication(mx_host: str, facts: EndpointFacts, verify: VerifyChain) -> Authentication:
    watched = observed(facts)
    handshake = watched.deciding.handshake if watched.deciding else None
    chain = chain_of(handshake, facts)
    if chain is None:
        return Authentication(Fact.INCONCLUSIVE, Reason(Cause.UNANSWERED, "no complete handshake with its name"))
    if not chain:
        return Authentication(Fact.NO, Reason(Cause.NO_CERTIFICATE, "no certificate was presented"))
    trust = verify(chain, facts.seen_at)
    if not trust.trusted:
        return Authentication(Fact.NO, Reason(Cause(trust.result), trust.reason))
    fault = _dns_id_fault(chain[0], mx_host)
    if fault:
        return Authentication(Fact.NO, Reason(Cause.CERTIFICATE_HOST_MISMATCH, fault))
    return Authentication(Fact.YES)


def _remarks(facts: MtaStsFacts, hosts: Sequence[StsHost]) -> list[str]:
    policy = facts.policy
    if policy is None or policy.problem:
        return []
    words = []
    if policy.mode is not StsMode.NONE and policy.max_age_s is not None and policy.max_age_s < SHORT_MAX_AGE_S:
        words.append(f"max_age is {policy.max_age_s} s; weeks or more are expected")
    used = {pattern for pattern in policy.mx for host in hosts if covered(host.mx_host, [pattern])}
    unused = [pattern for pattern in policy.mx if pattern not in used]
    if unused and policy.mode is not StsMode.NONE:
        words.append(f"mx lines for no host that answered: {', '.join(unused[:5])}")
    return words

"""Whether published policy was looked for at all, and MTA-STS and TLSRPT as they were judged (RFC 8461, RFC 8460)."""

from collections.abc import Iterator
from typing import Self

import msgspec

from audits.established.mail_route import without_mail
from audits.established.views import DomainView, Inapplicable, Missing
from audits.mta_sts import StsHost, StsState, StsVerdict, covered
from audits.names import name_match
from scanner.facts import RouteStatus
from scanner.policy_facts import MtaStsFacts, StsMode, StsRecord, TlsRptFacts


def without_policy(view: DomainView) -> Missing | Inapplicable | None:
    """Why nothing can be said about published policy; None where it was looked for."""
    if trouble := without_mail(view):
        return trouble
    if view.facts.policy is None or view.published is None:
        return Missing("published policy was not looked for (--no-policy)")
    return None


def _sts(view: DomainView) -> MtaStsFacts | Missing | Inapplicable:
    """What was found of MTA-STS."""
    if trouble := without_policy(view):
        return trouble
    if view.facts.route.status is RouteStatus.NEXT_HOP:
        return Inapplicable("a next-hop in brackets has no MTA-STS")
    assert view.facts.policy is not None
    sts = view.facts.policy.mta_sts
    if sts is None:
        return Missing("the record was not looked for")
    return Missing(str(sts.failure)) if sts.failure else sts


class StsPublished(msgspec.Struct, frozen=True):
    """The TXT record of MTA-STS; None where there is none."""

    record: StsRecord | None

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        found = _sts(view)
        yield view.subject, cls(found.record) if isinstance(found, MtaStsFacts) else found


class StsFetched(msgspec.Struct, frozen=True):
    """What the policy came to, where the record is valid: fetched, certified, and read; `why` where it is not."""

    state: StsState
    why: str = ""

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        verdict = _fetched(view)
        if not isinstance(verdict, StsVerdict):
            yield view.subject, verdict
            return
        checked = verdict.state is StsState.VALID
        why = verdict.reason.detail if verdict.reason and not checked else ""
        unknown = verdict.state is StsState.UNKNOWN
        yield view.subject, Missing(why or "the policy was not fetched") if unknown else cls(verdict.state, why)


class StsPolicySeen(msgspec.Struct, frozen=True):
    """A policy that is in force: its mode, its age, its patterns; `uncovered` hosts of the route, `unused` patterns."""

    mode: StsMode
    max_age_s: int
    mx: tuple[str, ...]
    uncovered: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        valid = _valid(view)
        if not isinstance(valid, StsVerdict):
            yield view.subject, valid
            return
        assert valid.mode is not None
        assert valid.max_age_s is not None
        hosts = [host.name for host in view.facts.route.hosts]
        uncovered = tuple(host for host in hosts if not covered(host, valid.mx))
        unused = tuple(pattern for pattern in valid.mx if not any(covered(host, [pattern]) for host in hosts))
        yield view.subject, cls(valid.mode, valid.max_age_s, valid.mx, uncovered, unused)


class StsServer(msgspec.Struct, frozen=True):
    """One mail endpoint under a policy that is in force: has it a public certificate with its name, inside TLS?"""

    host: StsHost

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        valid = _valid(view)
        if not isinstance(valid, StsVerdict):
            yield view.subject, valid
        elif valid.mode is StsMode.NONE:
            yield view.subject, Inapplicable("mode: none")
        elif not valid.hosts:
            yield view.subject, Missing("no MX host answered")
        else:
            for host in valid.hosts:
                yield f"{host.mx_host} [{host.address}]", cls(host)


class PolicyHostName(msgspec.Struct, frozen=True):
    """Which identifier in the policy host's certificate names it; "" where none does."""

    host: str
    identifier: str

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        found = _sts(view)
        host = f"mta-sts.{view.facts.target.name}"
        if not isinstance(found, MtaStsFacts):
            yield host, found
        elif found.record is None or found.record.problem:
            yield host, Inapplicable("no valid record, hence no policy")
        elif found.fetch is None or not found.fetch.certificates:
            failed = found.fetch.failure if found.fetch else None
            yield host, Missing(str(failed) if failed else "no certificate was seen")
        else:
            yield host, cls(host, name_match(found.fetch.certificates[0], host).identifier)


class TlsReporting(msgspec.Struct, frozen=True):
    """The TLSRPT record; None where there is none."""

    record: TlsRptFacts | None

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        if trouble := without_policy(view):
            yield view.subject, trouble
            return
        assert view.facts.policy is not None
        found = view.facts.policy.tls_rpt
        if view.facts.route.status is RouteStatus.NEXT_HOP:
            yield view.subject, Inapplicable("a next-hop in brackets has no TLSRPT")
        else:
            yield view.subject, Missing(str(found.failure)) if found and found.failure else cls(found)


def _fetched(view: DomainView) -> StsVerdict | Missing | Inapplicable:
    """The verdict on MTA-STS where there is a valid record."""
    found = _sts(view)
    if not isinstance(found, MtaStsFacts):
        return found
    if found.record is None or found.record.problem:
        return Inapplicable("no valid record, hence no policy")
    verdict = view.published.mta_sts if view.published else None
    return verdict or Missing("MTA-STS was not judged")


def _valid(view: DomainView) -> StsVerdict | Missing | Inapplicable:
    """The verdict where the policy is in force."""
    verdict = _fetched(view)
    if isinstance(verdict, StsVerdict) and verdict.state is StsState.UNKNOWN:
        return Missing(verdict.reason.detail if verdict.reason else "the policy was not fetched")
    if isinstance(verdict, StsVerdict) and verdict.state is not StsState.VALID:
        return Inapplicable(f"no policy in force: {verdict.state}")
    return verdict

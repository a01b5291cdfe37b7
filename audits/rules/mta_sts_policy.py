"""MTA-STS: the record, the policy, and the servers under it (RFC 8461)."""

from collections.abc import Iterable

import msgspec

from audits.established.published_policy import PolicyHostName, StsFetched, StsPolicySeen, StsPublished, StsServer
from audits.mta_sts import StsState
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact
from scanner.policy_facts import StsMode


class Modes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Modes that are good enough ("enforce")."""

    any_of: tuple[StsMode, ...]


class Age(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds for which senders keep the policy, from and to; a policy of the modes `unless` may be short."""

    at_least_s: int = 0
    at_most_s: int | None = None
    unless: tuple[StsMode, ...] = ()


@rule("STS-001", "An MTA-STS record is published")
def record_published(seen: StsPublished, _: NoExpectations) -> Iterable[Item]:
    """Whether the domain has a record at _mta-sts.

    Why it matters: MTA-STS is how senders without DNSSEC know that the domain has TLS, and by which names.

    How to mend it: publish "_mta-sts.example.org. TXT v=STSv1; id=...;", and a policy at
    https://mta-sts.example.org/.well-known/mta-sts.txt, at first with mode: testing.
    """
    yield met(seen.record is not None, seen.record.text or seen.record.problem if seen.record else "no record")


@rule("STS-002", "The MTA-STS record is valid", result_type="sts-policy-invalid")
def record_valid(seen: StsPublished, _: NoExpectations) -> Iterable[Item]:
    """Whether exactly one record begins with the version, and has an id of letters and digits.

    Why it matters: senders treat any other record as none, and keep on to the policy of yesterday until it expires.

    How to mend it: publish one TXT record "v=STSv1; id=20260101T000000;"; change the id with each change of the policy.
    """
    if seen.record is not None:
        problem = seen.record.problem
        yield met(not problem, f"{seen.record.text}: {problem}".lstrip(": ") if problem else seen.record.text)


@rule("STS-003", "The MTA-STS policy can be fetched", result_type="sts-policy-fetch-error")
def policy_fetched(seen: StsFetched, _: NoExpectations) -> Iterable[Item]:
    """Whether the policy comes by HTTPS with status 200 as text/plain, without a redirect.

    Why it matters: a record without a policy protects nobody who has not fetched it before.

    How to mend it: serve the file itself at mta-sts.DOMAIN, not a redirect to it; check the media type.
    """
    yield met(seen.state is not StsState.FETCH_ERROR, seen.why or str(seen.state))


@rule("STS-004", "The MTA-STS policy host has a valid certificate", result_type="sts-webpki-invalid")
def policy_host_certified(seen: StsFetched, _: NoExpectations) -> Iterable[Item]:
    """Whether the policy host's certificate is trusted, in its time, and names mta-sts.DOMAIN as a dNSName.

    Why it matters: the policy is worth as much as the connection that brought it; senders refuse it otherwise.

    How to mend it: have a public certificate issued for mta-sts.DOMAIN, also where the host is an alias.
    """
    if seen.state is not StsState.FETCH_ERROR:
        yield met(seen.state is not StsState.WEBPKI_INVALID, seen.why or str(seen.state))


@rule("STS-005", "The MTA-STS policy is valid", result_type="sts-policy-invalid")
def policy_valid(seen: StsFetched, _: NoExpectations) -> Iterable[Item]:
    """Whether the policy has version, mode and max_age, and mx lines unless its mode is none.

    Why it matters: senders treat a policy that they cannot read as none.

    How to mend it: "version: STSv1", "mode: enforce", "max_age: 1209600" and one "mx:" line for each pattern.
    """
    if seen.state in (StsState.VALID, StsState.POLICY_INVALID):
        yield met(seen.state is StsState.VALID, seen.why or str(seen.state))


@rule("STS-006", "The MTA-STS policy is enforced")
def enforced(seen: StsPolicySeen, wants: Modes) -> Iterable[Item]:
    """Whether the mode of the policy is one of those wanted.

    Why it matters: in mode testing senders deliver to an attacker, too, and only report it.

    How to mend it: read the TLS reports (TLSRPT) for some weeks, then publish mode: enforce with a new id.
    """
    yield met(seen.mode in wants.any_of, f"mode: {seen.mode}")


@rule("STS-007", "Senders keep the MTA-STS policy for a fitting time")
def max_age(seen: StsPolicySeen, wants: Age) -> Iterable[Item]:
    """Whether max_age lies within the wanted range.

    Why it matters: an attacker who can block the fetching of the policy waits until it expires. Too long a time makes
    a mistake last.

    How to mend it: max_age: 1209600 (two weeks) or more, once the policy stands.
    """
    if seen.mode not in wants.unless:
        long = wants.at_most_s is not None and seen.max_age_s > wants.at_most_s
        yield met(seen.max_age_s >= wants.at_least_s and not long, f"max_age: {seen.max_age_s}")


@rule("STS-008", "The MTA-STS policy covers all MX hosts", result_type="validation-failure")
def hosts_covered(seen: StsPolicySeen, _: NoExpectations) -> Iterable[Item]:
    """Whether every MX host matches an mx line; "*." stands for exactly one label.

    Why it matters: senders that enforce the policy do not deliver to a host that it does not name.

    How to mend it: add the host to the policy, wait for max_age to pass, and only then put it into the MX records.
    """
    if seen.mode is not StsMode.NONE:
        said = f"mx: {', '.join(seen.mx)}"
        yield met(not seen.uncovered, f"not covered: {', '.join(seen.uncovered)}; {said}" if seen.uncovered else said)


@rule("STS-009", "Every mx line of the policy stands for an MX host")
def patterns_used(seen: StsPolicySeen, _: NoExpectations) -> Iterable[Item]:
    """Whether no line is left over from a host that is gone. A host that comes soon may stand there already.

    Why it matters: a name that nobody owns any more may be taken by somebody else.

    How to mend it: take the line out when the host is out of the MX records for good.
    """
    if seen.mode is not StsMode.NONE:
        yield met(not seen.unused, f"for no MX host: {', '.join(seen.unused)}" if seen.unused else "all are in use")


@rule("STS-010", "The server keeps the MTA-STS policy", result_type="validation-failure")
def server_keeps(seen: StsServer, _: NoExpectations) -> Iterable[Item]:
    """Whether a server under the policy has STARTTLS, TLS 1.2 or later, and a public certificate with its own name.

    Why it matters: in mode enforce senders deliver nothing to a server that fails this.

    How to mend it: see the evidence: STARTTLS-002, CERT-001, CERT-020, CERT-031; until then mode: testing.
    """
    reason = seen.host.reason
    yield Item(seen.host.verified, f"{reason.cause}: {reason.detail}" if reason else "verified under its own name")


@rule("STS-011", "The policy host's certificate names it in full")
def no_wildcard(seen: PolicyHostName, _: NoExpectations) -> Iterable[Item]:
    """Whether mta-sts.DOMAIN stands in the certificate as such, and not covered by an asterisk.

    Why it matters: who gets hold of any host of the domain then serves policies, too. MTA-STS itself allows it.

    How to mend it: have a certificate issued for mta-sts.DOMAIN alone.
    """
    if not seen.identifier:
        yield Item(Fact.INCONCLUSIVE, f"{seen.host} is not in the certificate at all (STS-004)")
    else:
        yield met(not seen.identifier.startswith("*"), f"{seen.host}: {seen.identifier}")

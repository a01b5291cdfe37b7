"""Submission: TLS on its ports, and the SRV records that lead there (RFC 8314, RFC 6186)."""

from collections.abc import Iterable

import msgspec

from audits.established.submission import SubmissionPorts, SubmissionServices
from audits.rules.question import Item, met, rule
from scanner.answers import Fact


class AnyPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports of which one must give submission inside TLS; `where_seen`: asked only where there is any submission."""

    ports: tuple[int, ...]
    where_seen: bool = False


class Services(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of SRV services that must be published ("_submissions._tcp"); `where_seen`: as for `AnyPort`."""

    names: tuple[str, ...]
    where_seen: bool = False


class ServiceOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of two SRV services the one that clients are to take first."""

    first: str
    second: str


@rule("SUBMIT-001", "Submission works inside TLS")
def submission_port(seen: SubmissionPorts, wants: AnyPort) -> Iterable[Item]:
    """Whether mail can be submitted inside TLS on one of the ports, at an MX host or at a host that SRV records name.

    Why it matters: submission carries passwords. A closed port is a "no" only where an SRV record leads there: a
    provider may take submission on hosts that nothing in the DNS tells of.

    How to mend it: enable the service submissions in master.cf (port 465, smtpd_tls_wrappermode = yes), or submission
    (587) with smtpd_tls_security_level = encrypt; and publish SRV records.
    """
    if wants.where_seen and not seen.visible:
        return
    answers = {port: seen.works.get(port, Fact.NOT_TESTED) for port in wants.ports}
    words = "; ".join(word for port in wants.ports for word in seen.seen.get(port, (f"port {port}: not asked",)))
    for decided in (Fact.YES, Fact.INCONCLUSIVE, Fact.NOT_TESTED):
        if decided in answers.values():
            yield Item(decided, words)
            return
    yield Item(Fact.NO, words)


@rule("SUBMIT-002", "SRV records name the submission service")
def submission_srv(seen: SubmissionServices, wants: Services) -> Iterable[Item]:
    """Whether the domain publishes the SRV records by which mail programs find submission.

    Why it matters: a mail program that has to guess tries clear text, too, or asks its user.

    How to mend it: publish "_submissions._tcp SRV 0 1 465 mail.example.org." in the zone of the domain.
    """
    for look in seen.lookups:
        if look.service not in wants.names or (wants.where_seen and not seen.visible and look.failure is None):
            continue
        if look.failure is not None:
            yield Item(Fact.INCONCLUSIVE, f"{look.service}: {look.failure}")
        else:
            targets = ", ".join(f"{record.target}:{record.port}" for record in look.records if record.target)
            yield met(bool(targets), f"{look.service}: {targets or 'no record that names a host'}")


@rule("SUBMIT-003", "SRV records put TLS at once first")
def submission_order(seen: SubmissionServices, wants: ServiceOrder) -> Iterable[Item]:
    """Whether mail programs are led to the better of two services: the smaller priority, or the larger weight.

    Why it matters: STARTTLS can be taken out of the conversation on the way; TLS from the first byte cannot.

    How to mend it: give the records of _submissions._tcp the smaller priority.
    """
    looks = {look.service: look for look in seen.lookups}
    pair = [looks.get(wants.first), looks.get(wants.second)]
    if failed := [look for look in pair if look is not None and look.failure is not None]:
        yield Item(Fact.INCONCLUSIVE, "; ".join(f"{look.service}: {look.failure}" for look in failed))
        return
    best = [
        min(((r.priority, -r.weight) for r in look.records if r.target), default=None) if look else None
        for look in pair
    ]
    if best[1] is None:
        return
    words = "; ".join(
        f"{name}: priority {rank[0]}, weight {-rank[1]}" if rank else f"{name}: none"
        for name, rank in zip((wants.first, wants.second), best, strict=True)
    )
    yield met(best[0] is not None and best[0] <= best[1], words)

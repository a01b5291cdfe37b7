"""TLSRPT: where senders report trouble with TLS to (RFC 8460 section 3)."""

from collections.abc import Iterable

import msgspec

from audits.established.published_policy import TlsReporting
from audits.rules.question import Item, NoExpectations, met, rule


class Schemes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Schemes of destinations, of which one must and of which none must be there ("mailto", "https")."""

    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


@rule("RPT-001", "A TLSRPT record is published")
def record_published(seen: TlsReporting, _: NoExpectations) -> Iterable[Item]:
    """Whether the domain has a record at _smtp._tls.

    Why it matters: without reports nobody learns that senders cannot deliver by DANE or MTA-STS.

    How to mend it: publish "_smtp._tls.example.org. TXT v=TLSRPTv1; rua=mailto:tls-reports@example.org".
    """
    yield met(seen.record is not None, _shown(seen) if seen.record else "no record")


@rule("RPT-002", "The TLSRPT record is valid")
def record_valid(seen: TlsReporting, _: NoExpectations) -> Iterable[Item]:
    """Whether exactly one record begins with the version and names a destination.

    Why it matters: senders treat any other record as none.

    How to mend it: publish one TXT record, with "," ";" and "!" inside addresses percent-encoded.
    """
    if seen.record is not None:
        said = "; ".join((seen.record.problem, *seen.record.remarks)) if seen.record.problem else _shown(seen)
        yield met(not seen.record.problem, said)


@rule("RPT-003", "Reports go by an allowed way")
def schemes(seen: TlsReporting, wants: Schemes) -> Iterable[Item]:
    """Whether the destinations have the schemes that the standard wants, and none that it forbids.

    Why it matters: standards differ: mail needs no TLS to arrive, so it tells of broken TLS; HTTPS needs no mail.

    How to mend it: change rua= in the record at _smtp._tls.
    """
    if seen.record is None or seen.record.problem:
        return
    given = {uri.partition(":")[0].lower() for uri in seen.record.destinations}
    wrong = given & set(wants.none_of)
    there = not wants.any_of or not given.isdisjoint(wants.any_of)
    yield met(there and not wrong, ", ".join(seen.record.destinations))


@rule("RPT-004", "The destination of reports exists")
def destination(seen: TlsReporting, _: NoExpectations) -> Iterable[Item]:
    """Whether the domain of the first destination exists.

    Why it matters: reports to nowhere are lost, and nobody notices.

    How to mend it: correct the address in rua=, and see that somebody reads the mailbox.
    """
    if seen.record is not None and not seen.record.problem:
        missing = seen.record.missing
        yield met(not missing, f"no such domain: {missing}" if missing else ", ".join(seen.record.destinations))


def _shown(seen: TlsReporting) -> str:
    assert seen.record is not None
    return ", ".join(seen.record.destinations) or seen.record.problem

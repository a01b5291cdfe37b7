"""DANE: what a sender meets at a server whose host has signed TLSA records (RFC 7672)."""

from collections.abc import Iterable

from audits.established.tlsa_records import DaneServer
from audits.rules.question import Item, NoExpectations, rule
from scanner.answers import Fact


@rule("DANE-020", "The server's chain matches a TLSA record", result_type="tlsa-invalid")
def matches(seen: DaneServer, _: NoExpectations) -> Iterable[Item]:
    """Whether the certificate or its issuers match one of the usable records, with the TLSA base name in SNI.

    For usage 2 the name and the dates count, too; for usage 3 they do not.

    Why it matters: senders with DANE deliver nothing to a server that does not match. It is the usual accident: a
    renewal with a new key, and nobody changed the record.

    How to mend it: publish the record of the present key at once; next time publish it before the key is used.
    """
    if seen.seen.matched is not Fact.NOT_TESTED:
        reason = seen.seen.reason
        said = seen.seen.record or (reason.detail if reason else "")
        yield Item(seen.seen.matched, said or ", ".join(seen.seen.records))


@rule("DANE-021", "A sender with DANE delivers", result_type="validation-failure")
def delivers(seen: DaneServer, _: NoExpectations) -> Iterable[Item]:
    """Whether a Postfix at level dane delivers: STARTTLS works, and a record matches where one is usable.

    Why it matters: one signed TLSA record, even an unusable one, commits senders to TLS: where STARTTLS is missing or
    broken the mail waits and comes back.

    How to mend it: mend STARTTLS (STARTTLS-002) and the records (DANE-020), or take the records away until it is.
    """
    reason = seen.seen.reason
    yield Item(seen.seen.dane, f"{seen.seen.state}" + (f"; {reason.cause}: {reason.detail}" if reason else ""))

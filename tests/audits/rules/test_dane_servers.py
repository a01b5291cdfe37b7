"""DANE: what a sender meets at a server whose host has signed TLSA records."""

from audits.dane import EndpointDane, TlsaState
from audits.established.tlsa_records import DaneServer
from audits.reasons import Cause, Reason
from audits.rules.dane_servers import matches
from audits.rules.question import NoExpectations
from scanner.answers import Fact
from tests.audits.rules.examples import Examples


def server(matched: Fact, dane: Fact, reason: Reason | None = None, state: TlsaState = TlsaState.USABLE) -> DaneServer:
    record = "3 1 1 aabb..." if matched is Fact.YES else ""
    return DaneServer(
        EndpointDane("mx.example.org", "192.0.2.1", 25, state, matched=matched, record=record, reason=reason, dane=dane)
    )


GOOD = server(Fact.YES, Fact.YES)
WRONG = server(Fact.NO, Fact.NO, Reason(Cause.TLSA_INVALID, "the chain matches none of: 3 1 1 0000..."))
NO_STARTTLS = server(Fact.INCONCLUSIVE, Fact.NO, Reason(Cause.STARTTLS_NOT_SUPPORTED, "EHLO shows no STARTTLS"))
OPEN = server(Fact.INCONCLUSIVE, Fact.INCONCLUSIVE, Reason(Cause.UNANSWERED, "no handshake with the TLSA base name"))
UNUSABLE = server(Fact.NOT_TESTED, Fact.YES, Reason(Cause.TLSA_INVALID, "usage 0 and 1"), TlsaState.UNUSABLE)

EXAMPLES = {
    "DANE-020": Examples(expects={}, passes=(GOOD,), fails=(WRONG,), opens=(OPEN, NO_STARTTLS)),
    "DANE-021": Examples(expects={}, passes=(GOOD, UNUSABLE), fails=(WRONG, NO_STARTTLS), opens=(OPEN,)),
}


def test_there_is_nothing_to_match_where_no_record_is_usable():
    assert not [*matches.ask(UNUSABLE, NoExpectations())]

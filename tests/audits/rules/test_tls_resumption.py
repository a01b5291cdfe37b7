"""Resumption of sessions: whether it works, and for how long."""

from audits.established.tls_resumption import Resumption
from audits.rules.tls_resumption import LongestLife, ticket_life
from scanner.answers import Fact
from scanner.deep_facts import ResumptionFacts, Way
from tests.audits.rules.examples import Examples

YES, NO, OPEN = Fact.YES, Fact.NO, Fact.INCONCLUSIVE


def way(issued: Fact, resumed: Fact, life_s: int | None = None, by: Way = Way.TLS13_TICKET) -> ResumptionFacts:
    return ResumptionFacts(by, issued, resumed, life_s)


EXAMPLES = {
    "SESSION-001": Examples(
        expects={"max_s": 86400},
        passes=(Resumption((way(YES, YES, 3600), way(NO, NO))), Resumption((way(YES, YES, 86400),))),
        fails=(Resumption((way(YES, YES, 7200), way(YES, NO, 86401))),),
        opens=(Resumption((way(YES, YES, 3600), way(OPEN, OPEN))),),
    ),
    "SESSION-002": Examples(
        expects={},
        passes=(Resumption((way(YES, YES), way(NO, NO))), Resumption((way(YES, YES), way(OPEN, OPEN)))),
        fails=(Resumption((way(YES, NO), way(NO, NO))),),
        opens=(Resumption((way(YES, OPEN), way(NO, NO))),),
    ),
}


def test_without_tickets_there_is_no_life_to_judge():
    assert not [*ticket_life.ask(Resumption((way(NO, NO), way(YES, YES, None, Way.TLS12_SESSION_ID))), LongestLife(1))]

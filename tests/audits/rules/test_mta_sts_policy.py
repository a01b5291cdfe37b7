"""MTA-STS: the record, the policy, and the servers under it."""

from audits.established.published_policy import PolicyHostName, StsFetched, StsPolicySeen, StsPublished, StsServer
from audits.mta_sts import StsHost, StsState
from audits.reasons import Cause, Reason
from audits.rules.mta_sts_policy import Age, hosts_covered, max_age
from audits.rules.question import NoExpectations
from scanner.answers import Fact
from scanner.policy_facts import StsMode, StsRecord
from tests.audits.rules.examples import Examples

VALID = StsFetched(StsState.VALID)
NOT_FETCHED = StsFetched(StsState.FETCH_ERROR, "HTTP status 404")
UNCERTIFIED = StsFetched(StsState.WEBPKI_INVALID, "certificate has expired")
UNREADABLE = StsFetched(StsState.POLICY_INVALID, "there is no mode")
RECORD = StsPublished(StsRecord("v=STSv1; id=1;", "1"))
BAD_RECORD = StsPublished(StsRecord("v=STSv1;", problem="the record needs exactly one id"))


def policy(mode: StsMode = StsMode.ENFORCE, age_s: int = 1_209_600, **more: tuple[str, ...]) -> StsPolicySeen:
    return StsPolicySeen(mode, age_s, ("mx.example.org",), **more)


def server(verified: Fact, reason: Reason | None = None) -> StsServer:
    return StsServer(StsHost("mx.example.org", "192.0.2.1", True, verified, reason))


EXAMPLES = {
    "STS-001": Examples(expects={}, passes=(RECORD, BAD_RECORD), fails=(StsPublished(None),)),
    "STS-002": Examples(expects={}, passes=(RECORD,), fails=(BAD_RECORD,)),
    "STS-003": Examples(expects={}, passes=(VALID, UNCERTIFIED, UNREADABLE), fails=(NOT_FETCHED,)),
    "STS-004": Examples(expects={}, passes=(VALID, UNREADABLE), fails=(UNCERTIFIED,)),
    "STS-005": Examples(expects={}, passes=(VALID,), fails=(UNREADABLE,)),
    "STS-006": Examples(
        expects={"any_of": ["enforce"]},
        passes=(policy(),),
        fails=(policy(StsMode.TESTING), policy(StsMode.NONE)),
    ),
    "STS-007": Examples(
        expects={"at_least_s": 604_800, "at_most_s": 31_557_600, "unless": ["none"]},
        passes=(policy(), policy(age_s=604_800), policy(age_s=31_557_600)),
        fails=(policy(age_s=604_799), policy(StsMode.TESTING, 0), policy(age_s=31_557_601)),
    ),
    "STS-008": Examples(expects={}, passes=(policy(),), fails=(policy(uncovered=("b.example.org",)),)),
    "STS-009": Examples(expects={}, passes=(policy(),), fails=(policy(unused=("old.example.org",)),)),
    "STS-010": Examples(
        expects={},
        passes=(server(Fact.YES),),
        fails=(server(Fact.NO, Reason(Cause.CERTIFICATE_HOST_MISMATCH, "mx.example.org is not among: other")),),
        opens=(server(Fact.INCONCLUSIVE, Reason(Cause.UNANSWERED, "no complete handshake")),),
    ),
    "STS-011": Examples(
        expects={},
        passes=(PolicyHostName("mta-sts.example.org", "mta-sts.example.org"),),
        fails=(PolicyHostName("mta-sts.example.org", "*.example.org"),),
        opens=(PolicyHostName("mta-sts.example.org", ""),),
    ),
}


def test_a_policy_that_ends_may_be_short_and_covers_nobody():
    leaving = policy(StsMode.NONE, 60, uncovered=("a.example.org",))
    assert not [*max_age.ask(leaving, Age(604_800, None, (StsMode.NONE,)))]
    assert not [*hosts_covered.ask(leaving, NoExpectations())]

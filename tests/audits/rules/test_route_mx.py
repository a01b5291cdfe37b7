"""How the mail of a domain is led to its hosts."""

from audits.established.mail_route import MxHosts, NullMx, Reached
from audits.rules.question import NoExpectations
from audits.rules.route_mx import mx_alias
from scanner.answers import Fact
from scanner.dns_facts import MxRecord
from scanner.facts import MxHost
from scanner.failures import Kind, ProbeFailure, Stage
from tests.audits.rules.examples import Examples

FAILED = ProbeFailure(Stage.DNS, Kind.SERVFAIL, "AAAA of b.example.org")
BOTH = MxHost("a.example.org", 10, ("192.0.2.1", "2001:db8::1"))
OLD = MxHost("b.example.org", 20, ("192.0.2.2",))
ALIAS = MxHost("c.example.org", 20, ("192.0.2.3",), aliases=("d.example.net",))
GONE = MxHost("e.example.org", 30, missing=True)
UNKNOWN = MxHost("f.example.org", 30, failure=FAILED)
HALF = MxHost("b.example.org", 20, ("192.0.2.2",), failure=FAILED)
LITERAL = MxHost("192.0.2.9", 10, ("192.0.2.9",))


def hosts(*given: MxHost) -> MxHosts:
    return MxHosts(given)


EXAMPLES = {
    "ROUTE-001": Examples(
        expects={},
        passes=(NullMx((MxRecord(0, ""),)),),
        fails=(NullMx((MxRecord(0, ""), MxRecord(10, "a.example.org"))),),
    ),
    "ROUTE-002": Examples(
        expects={"preference": 0}, passes=(NullMx((MxRecord(0, ""),)),), fails=(NullMx((MxRecord(10, ""),)),)
    ),
    "ROUTE-003": Examples(
        expects={},
        passes=(hosts(BOTH, OLD),),
        fails=(hosts(BOTH, ALIAS), hosts(UNKNOWN, ALIAS)),
        opens=(hosts(UNKNOWN),),
    ),
    "ROUTE-004": Examples(
        expects={}, passes=(hosts(BOTH, HALF),), fails=(hosts(BOTH, GONE),), opens=(hosts(BOTH, UNKNOWN),)
    ),
    "ROUTE-005": Examples(
        expects={"sign": ":"},
        passes=(hosts(OLD, BOTH), hosts(HALF, BOTH)),
        fails=(hosts(OLD),),
        opens=(hosts(HALF), hosts(OLD, UNKNOWN)),
    ),
    "ROUTE-006": Examples(
        expects={"at_least": 2},
        passes=(hosts(BOTH, OLD),),
        fails=(hosts(BOTH), hosts(BOTH, GONE), hosts(BOTH, BOTH)),
        opens=(hosts(BOTH, UNKNOWN),),
    ),
    "ROUTE-007": Examples(
        expects={},
        passes=(Reached(Fact.YES, "EHLO was answered"),),
        fails=(Reached(Fact.NO, "unreachable: connect: refused"),),
        opens=(Reached(Fact.INCONCLUSIVE, "unreachable: connect: timeout"),),
    ),
    "ROUTE-008": Examples(expects={}, passes=(hosts(BOTH),), fails=(hosts(BOTH, LITERAL),)),
}


def test_an_implicit_mx_is_no_alias_of_anybody():
    assert not [*mx_alias.ask(MxHosts((ALIAS,), implicit=True), NoExpectations())]

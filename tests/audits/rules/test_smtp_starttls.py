"""STARTTLS as a service, and what SMTP says before and inside TLS."""

from audits.established.smtp_service import ClearKeywords, ClearMail, InnerKeywords, StarttlsService
from audits.rules.question import NoExpectations
from audits.rules.smtp_starttls import starttls_works
from scanner.answers import Fact
from tests.audits.rules.examples import Examples

WORKS = StarttlsService(Fact.YES, Fact.YES, "STARTTLS accepted")
HIDDEN = StarttlsService(Fact.NO, Fact.NOT_TESTED, "EHLO shows no STARTTLS")
BROKEN = StarttlsService(Fact.YES, Fact.NO, "handshake: closed")
ONCE = StarttlsService(Fact.YES, Fact.INCONCLUSIVE, "handshake: timeout")
UNSETTLED = StarttlsService(Fact.INCONCLUSIVE, Fact.INCONCLUSIVE, "454 TLS not available")

EXAMPLES = {
    "STARTTLS-001": Examples(expects={}, passes=(WORKS, BROKEN, ONCE), fails=(HIDDEN,), opens=(UNSETTLED,)),
    "STARTTLS-002": Examples(expects={}, passes=(WORKS,), fails=(BROKEN,), opens=(ONCE, UNSETTLED)),
    "SMTP-001": Examples(
        expects={"forbidden": ["AUTH"]},
        passes=(ClearKeywords(("SIZE", "STARTTLS")), ClearKeywords(())),
        fails=(ClearKeywords(("AUTH", "STARTTLS")),),
    ),
    "SMTP-002": Examples(
        expects={"forbidden": ["STARTTLS"]},
        passes=(InnerKeywords(("SIZE", "AUTH")),),
        fails=(InnerKeywords(("SIZE", "STARTTLS")),),
    ),
    "SMTP-003": Examples(
        expects={},
        passes=(ClearMail(Fact.YES, "250 2.1.0 Ok"),),
        fails=(ClearMail(Fact.NO, "530 5.7.0 Must issue a STARTTLS command first"),),
        opens=(ClearMail(Fact.INCONCLUSIVE, "450 4.7.1 later"),),
    ),
}


def test_nobody_asks_whether_it_works_where_it_is_not_announced():
    assert not [*starttls_works.ask(HIDDEN, NoExpectations())]

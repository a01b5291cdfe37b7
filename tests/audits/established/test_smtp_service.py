"""What a server says and does in SMTP."""

import pytest

from audits.established.smtp_service import ClearKeywords, ClearMail, InnerKeywords, StarttlsService
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.facts import EndpointUse
from scanner.failures import Kind
from tests.audits.session_factory import BROKEN_TLS, DEMANDS_TLS, GOOD, NO_TLS, SILENT, Server, asked, reply

from .views import endpoint

YES, NO, OPEN, NOT = Fact.YES, Fact.NO, Fact.INCONCLUSIVE, Fact.NOT_TESTED


def seen(fact, *servers, port=25, envelope=True):
    use = EndpointUse.MAIL if port == 25 else EndpointUse.SUBMISSION
    return fact.of_endpoint(endpoint(asked(*servers, port=port, envelope=envelope), use))


@pytest.mark.parametrize(
    ("servers", "announced", "works"),
    [
        ((GOOD,), YES, YES),
        ((NO_TLS,), NO, NOT),
        ((BROKEN_TLS,), YES, NO),
        ((Server(starttls=reply(502)),), YES, NO),
        ((Server(starttls=reply(454)),), YES, OPEN),
        ((Server(shake=Kind.TIMEOUT),), YES, OPEN),
        ((NO_TLS, GOOD), YES, OPEN),
        ((Server(ehlo=reply(450)),), OPEN, OPEN),
    ],
)
def test_starttls_is_announced_and_works(servers, announced, works):
    found = seen(StarttlsService, *servers)
    assert isinstance(found, StarttlsService)
    assert (found.announced, found.works) == (announced, works)
    assert found.evidence


def test_keywords_before_and_inside_tls():
    server = Server(
        ehlo=reply(250, "mx", "STARTTLS", "AUTH PLAIN", "AUTH=LOGIN"), ehlo_tls=reply(250, "mx", "STARTTLS")
    )
    assert seen(ClearKeywords, server) == ClearKeywords(("STARTTLS", "AUTH"))
    assert seen(InnerKeywords, server) == InnerKeywords(("STARTTLS",))
    assert isinstance(seen(InnerKeywords, NO_TLS), Inapplicable)
    assert isinstance(seen(InnerKeywords, BROKEN_TLS), Missing)
    assert isinstance(seen(ClearKeywords, Server(ehlo=reply(502), helo=reply(250))), Missing)
    refusing = Server(ehlo=reply(450, "mx", "AUTH PLAIN"))
    assert seen(ClearKeywords, refusing, GOOD) == ClearKeywords(("SIZE", "STARTTLS")), "a refusal announces nothing"


@pytest.mark.parametrize(
    ("server", "taken"),
    [
        (GOOD, YES),
        (DEMANDS_TLS, NO),
        (Server(mail=reply(450)), OPEN),
        (Server(mail=reply(550)), OPEN),
    ],
)
def test_mail_in_clear_is_refused_only_where_tls_is_demanded(server, taken):
    found = seen(ClearMail, server)
    assert isinstance(found, ClearMail)
    assert found.taken is taken


def test_without_envelope_nobody_knows_whether_tls_is_demanded():
    found = seen(ClearMail, DEMANDS_TLS, envelope=False)
    assert isinstance(found, Missing)
    assert "--envelope" in found.why


@pytest.mark.parametrize("fact", [StarttlsService, ClearKeywords, InnerKeywords, ClearMail])
def test_silence_says_nothing_and_a_closed_port_is_no_question(fact):
    assert isinstance(seen(fact, SILENT), Missing)
    assert isinstance(seen(fact, SILENT, port=587), Inapplicable)
    if fact is not InnerKeywords:
        assert isinstance(seen(fact, GOOD, port=465), Inapplicable), "nothing is said in clear there"

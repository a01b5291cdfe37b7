"""A host that a sender meets: its handshake at both security levels, its certificate, and the words for them."""

import pytest

from audits.postfix.resolution import Resolution
from audits.postfix.tls_levels import TlsLevel
from audits.simulate.host import Host, lost, why_of
from audits.simulate.outcomes import Kind, Why, Word
from scanner.facts import Fact, Level
from tests.audits.session_factory import BROKEN_TLS, NO_TLS, OLD_TLS, Server, reply
from tests.audits.simulate.scripted_world import UNTRUSTED, WRONG_NAME, facts_at, meeting, sender, server

MAY, VERIFY = TlsLevel.MAY, TlsLevel.VERIFY


def host(at: Server, level: TlsLevel = MAY, text: str = "") -> Host:
    return Host(sender(text), Resolution(level, ()), meeting(facts_at(at)))


@pytest.mark.parametrize(
    ("at", "weak", "strong"),
    [
        (server(), Fact.YES, Fact.YES),
        (server(mail_tls=reply(550)), Fact.YES, Fact.YES),
        (OLD_TLS, Fact.YES, Fact.NO),
        (BROKEN_TLS, Fact.NO, Fact.NO),
    ],
)
def test_the_handshake_by_itself(at: Server, weak: Fact, strong: Fact) -> None:
    """A refusal inside TLS comes after it; protocols that do not meet end it."""
    assert host(at).handshake(MAY).works is weak
    assert host(at, VERIFY).handshake(VERIFY).works is strong


def test_words_below_verify() -> None:
    for at, word in ((server(), Word.TRUSTED), (server(UNTRUSTED), Word.UNTRUSTED), (server(WRONG_NAME), Word.TRUSTED)):
        met = host(at)
        assert met.word(met.handshake(MAY)) is word
    met = host(server(version="TLSv1.2"))
    assert isinstance(met.word(met.handshake(MAY)), Why)


def test_certificates_that_do_not_match() -> None:
    met = host(server(WRONG_NAME), VERIFY)
    certificate = met.certificate(met.handshake(VERIFY))
    assert not isinstance(certificate, Why)
    fault = met.mismatch(certificate)
    assert fault is not None
    assert fault.cause == "certificate-host-mismatch"


def test_where_tls_begins() -> None:
    assert host(server()).begins_tls
    assert not host(NO_TLS).begins_tls
    assert host(server(UNTRUSTED)).without_certificate().sustained is Fact.YES


def test_how_mail_is_lost() -> None:
    refused = host(server(starttls=reply(502))).answer(Level.MUST)
    assert lost(refused).kind is Kind.BOUNCED
    moody = lost(host(server(mail_tls=reply(450))).answer(Level.MUST))
    assert (moody.kind, moody.seen, moody.late) == (Kind.UNKNOWN, Kind.NEXT_MX, True)
    absent = host(NO_TLS).answer(Level.MUST)
    assert lost(absent).kind is Kind.NEXT_MX
    why = why_of(absent)
    assert why is not None
    assert why.cause == "starttls-not-supported"

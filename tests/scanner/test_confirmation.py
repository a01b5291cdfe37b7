"""Whether a server is what it was: whatever differs, or is not answered, confirms nothing."""

from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import pytest

from scanner.answers import Fact
from scanner.confirmation import BUDGET, confirming_plan, same_session
from scanner.facts import Endpoint, EndpointFacts, SessionFacts
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.tls_facts import HandshakeFacts, HelloStyle
from scanner.wire.code_points import SSL3, TLS10, TLS12
from scanner.wire.server_flight import FlightEnd, ServerFlight
from scanner.wire_facts import ChainFacts, TlsFacts, VersionFacts

RSA, ECDSA = (b"rsa leaf",), (b"ecdsa leaf",)
RSA_CHAIN, ECDSA_CHAIN = (tuple(sha256(der).hexdigest() for der in chain) for chain in (RSA, ECDSA))
OLD_SUITE, OLD_NAME = 0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"
NEW_SUITE = 0x0005


def version(name: str, offered: Fact = Fact.YES, *suites: str) -> VersionFacts:
    return VersionFacts(version=name, offered=offered, suites=suites)


def facts(*versions: VersionFacts, both: bool = False) -> TlsFacts:
    chains = (ChainFacts("RSA", RSA_CHAIN), *((ChainFacts("ECDSA", ECDSA_CHAIN),) if both else ()))
    return TlsFacts(versions=versions, chains=chains)


ONLY_13 = facts(version("TLSv1.3", Fact.YES, "TLS_AES_256_GCM_SHA384"), version("TLSv1.2", Fact.NO))
OLD = facts(version("TLSv1.2", Fact.YES, OLD_NAME), version("TLSv1.0", Fact.YES, OLD_NAME), version("SSLv3", Fact.NO))
BOTH = facts(version("TLSv1.2", Fact.YES, OLD_NAME), both=True)
REFUSED = ServerFlight(end=FlightEnd.ALERT)
SILENT = ProbeFailure(Stage.HANDSHAKE, Kind.TIMEOUT)


def flight(suite: int = OLD_SUITE, chain: tuple[bytes, ...] = RSA) -> ServerFlight:
    return ServerFlight(end=FlightEnd.DONE, version=TLS12, suite=suite, chain=chain)


def asked(before: TlsFacts, *answers, chain=RSA_CHAIN):
    """What the plan asked, and its result."""
    plan, hellos = confirming_plan(before, chain), []
    given = iter(answers)
    try:
        hellos.append(next(plan))
        while True:
            hellos.append(plan.send(next(given)))
    except StopIteration as stop:
        assert next(given, None) is None, "every answer was asked for"
        return hellos, stop.value


def test_a_server_of_tls13_alone_needs_no_hello():
    assert asked(ONLY_13) == ([], True)


def test_the_oldest_version_is_asked_for_with_the_worst_suite_first():
    (hello,), same = asked(OLD, flight())
    assert (hello.versions, same) == ((TLS10,), True)
    assert hello.suites.index(NEW_SUITE) < hello.suites.index(OLD_SUITE)
    assert len(hello.suites) > 300
    assert SSL3 not in hello.versions


@pytest.mark.parametrize("answer", [REFUSED, SILENT, flight(NEW_SUITE), flight(chain=(b"new leaf",))])
def test_what_differs_or_is_not_answered_confirms_nothing(answer):
    assert asked(OLD, answer)[1] is False


def test_the_other_chain_is_asked_for_where_the_first_hello_did_not_show_it():
    hellos, same = asked(BOTH, flight(), flight(0xC02B, ECDSA))
    assert (len(hellos), same) == (2, True)
    assert 1 + len(hellos) == BUDGET
    hellos, same = asked(BOTH, flight(OLD_SUITE, ECDSA))
    assert (len(hellos), same) == (1, True)
    assert asked(BOTH, flight(), flight(0xC02B, (b"renewed",)))[1] is False
    assert asked(BOTH, flight(), REFUSED)[1] is False


# --- the session ---------------------------------------------------------------------------------------------------

HANDSHAKE = HandshakeFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", "X25519", RSA_CHAIN)
GREETING = SmtpReply(220, ("mx.example.org ESMTP id 4711abc - 2026-11-21T02:00:00",))
EHLO = SmtpReply(250, ("mx.example.org", "SIZE 1000", "STARTTLS"))
SESSION = SessionFacts(HelloStyle.POSTFIX_MUST, GREETING, EHLO, handshake=HANDSHAKE, ehlo_tls=EHLO)
BEFORE = EndpointFacts(Endpoint("192.0.2.1", 25), datetime(2026, 11, 20, tzinfo=UTC), (SESSION,), tls=OLD)


def tonight(**changes) -> SessionFacts:
    return msgspec.structs.replace(SESSION, **changes)


def test_the_same_session_is_the_same_whatever_its_dates_and_ids():
    later = SmtpReply(220, ("mx.example.org ESMTP id 9ffe21 - 2026-11-22T02:00:03",))
    assert same_session(BEFORE, (SESSION,))
    assert same_session(BEFORE, (tonight(greeting=later),))


@pytest.mark.parametrize(
    "session",
    [
        tonight(greeting=SmtpReply(220, ("mx.example.org ESMTP Postfix",))),
        tonight(greeting=None),
        tonight(ehlo=SmtpReply(250, ("mx.example.org", "STARTTLS", "AUTH PLAIN"))),
        tonight(ehlo_tls=SmtpReply(250, ("mx.example.org",))),
        tonight(handshake=None),
        tonight(handshake=msgspec.structs.replace(HANDSHAKE, version="TLSv1.2")),
        tonight(handshake=msgspec.structs.replace(HANDSHAKE, suite="TLS_AES_128_GCM_SHA256")),
        tonight(handshake=msgspec.structs.replace(HANDSHAKE, group="x448")),
        tonight(handshake=msgspec.structs.replace(HANDSHAKE, chain=ECDSA_CHAIN)),
        tonight(handshake=msgspec.structs.replace(HANDSHAKE, client_certificate_requested=True)),
        tonight(hello=HelloStyle.CLASSIC),
        tonight(failure=SILENT),
    ],
)
def test_any_other_session_is_not_the_same(session):
    assert not same_session(BEFORE, (session,))


def test_only_one_session_beside_one_can_be_the_same():
    assert not same_session(BEFORE, (SESSION, SESSION))
    assert not same_session(msgspec.structs.replace(BEFORE, sessions=(SESSION, SESSION)), (SESSION,))
    assert not same_session(msgspec.structs.replace(BEFORE, tls=None), (SESSION,))
    assert not same_session(BEFORE, ())

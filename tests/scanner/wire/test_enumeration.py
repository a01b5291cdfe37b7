"""Enumerations against imaginary servers; test_tls_plans and test_real_servers have the whole."""

from collections.abc import Callable, Generator

import msgspec

from scanner.answers import Fact
from scanner.wire.asking import Answer, Asker
from scanner.wire.code_points import SSL3, TLS10, TLS11, TLS12, TLS13
from scanner.wire.enumeration import enumerate_groups, enumerate_suites, find_version, speaks_of_version
from scanner.wire.events import Alert
from scanner.wire.hello import Hello
from scanner.wire.ledger import Ledger
from scanner.wire.server_flight import FlightEnd, ServerFlight
from tests.scanner.wire.imaginary_server import ImaginaryServer

RSA = ImaginaryServer(
    pairs=((TLS13, 0x1301), (TLS13, 0x1302), (TLS12, 0xC02F), (TLS12, 0xC030), (TLS12, 0x009C)), groups=(23, 24, 29)
)
P256_KEY = bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107")


def drive(steps: Generator[Hello, Answer, object], answer: Callable[[Hello], Answer]) -> list[Hello]:
    asked = []
    try:
        hello = next(steps)
        while True:
            asked.append(hello)
            hello = steps.send(answer(hello))
    except StopIteration:
        return asked


def test_suites_cost_one_connection_each_and_one_more():
    asker = Asker(Ledger())
    drive(find_version(asker, TLS12), RSA.answer)
    asked = drive(enumerate_suites(asker, TLS12), RSA.answer)
    assert len(asked) == 3
    assert set(asker.ledger.accepted[TLS12]) == {0xC02F, 0xC030, 0x009C}
    assert not asker.ledger.open_suites(TLS12)
    assert all(set(hello.groups) >= set(RSA.groups) for hello in asked), "no known group is ever dropped"


def test_groups_cost_one_connection_each_and_one_more():
    for version in (TLS12, TLS13):
        asker = Asker(Ledger())
        drive(find_version(asker, version), RSA.answer)
        drive(enumerate_suites(asker, version), RSA.answer)
        known = len(asker.ledger.groups[version])
        asked = drive(enumerate_groups(asker, version), RSA.answer)
        assert set(asker.ledger.groups[version]) == {23, 24, 29}
        assert version in asker.ledger.groups_complete
        assert len(asked) == 3 - known + 1


def test_the_curve_of_an_ecdsa_certificate_stays_in_the_hello():
    def answer(hello):
        if TLS12 in hello.versions and 23 not in hello.groups:
            return ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, 40))
        flight = server.answer(hello)
        if isinstance(flight, ServerFlight) and flight.chain:
            return msgspec.structs.replace(flight, chain=(P256_KEY,))
        return flight

    server = ImaginaryServer(pairs=((TLS12, 0xC02B),), groups=(29, 24, 23))
    asker = Asker(Ledger())
    drive(find_version(asker, TLS12), answer)
    drive(enumerate_suites(asker, TLS12), answer)
    drive(enumerate_groups(asker, TLS12), answer)
    assert set(asker.ledger.groups[TLS12]) == {29, 24, 23}
    assert TLS12 in asker.ledger.groups_complete


def test_a_refusal_of_the_version_may_speak_for_those_below():
    server = ImaginaryServer(pairs=((TLS13, 0x1301),))
    for speaks in (True, False):
        asker = Asker(Ledger())
        drive(find_version(asker, TLS11, speaks_for_lower=speaks), server.answer)
        lower = {version: asker.ledger.versions.get(version) for version in (TLS10, SSL3)}
        assert set(lower.values()) == ({Fact.NO} if speaks else {None})
        assert TLS12 not in asker.ledger.versions


def test_a_handshake_failure_speaks_for_no_other_version():
    flight = ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, 40))
    assert not speaks_of_version(flight)
    assert not speaks_of_version(None)
    asker = Asker(Ledger())
    drive(find_version(asker, TLS11, speaks_for_lower=True), lambda _: flight)
    assert TLS10 not in asker.ledger.versions

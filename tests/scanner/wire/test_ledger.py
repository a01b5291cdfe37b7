"""What a plan remembers."""

from scanner.answers import Fact
from scanner.wire.code_points import SSL3, TLS10, TLS11, TLS12, TLS13
from scanner.wire.events import Alert
from scanner.wire.hello import Hello
from scanner.wire.ledger import SMALL_OFFER, Ledger, all_offers, failure_of, refusal_text
from scanner.wire.questions import hello_for
from scanner.wire.server_flight import FlightEnd, ServerFlight

PRIME = b"\0" + b"\xf7" * 128


def taken(version: int, suite: int, **more: object) -> ServerFlight:
    return ServerFlight(end=FlightEnd.DONE, version=version, suite=suite, **more)


def test_versions_between_the_asked_and_the_answered_are_refused():
    ledger = Ledger()
    ledger.take_up(hello_for(TLS12), taken(TLS10, 0x002F))
    assert {v: ledger.versions[v] for v in (TLS12, TLS11, TLS10)} == {
        TLS12: Fact.NO,
        TLS11: Fact.NO,
        TLS10: Fact.YES,
    }
    assert ledger.evidence[TLS12] == "answers TLSv1.0"
    assert SSL3 not in ledger.versions


def test_with_supported_versions_only_the_offered_ones_are_refused():
    ledger = Ledger()
    hello = Hello(versions=(TLS13, TLS11), suites=(0x1301, 0x002F))
    ledger.take_up(hello, taken(TLS11, 0x002F))
    assert ledger.versions == {TLS11: Fact.YES, TLS13: Fact.NO}


def test_a_version_is_refused_with_the_last_of_its_suites():
    ledger, alert = Ledger(), ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, 40))
    half = all_offers(TLS12)[:200]
    ledger.refuse(hello_for(TLS12, half), alert)
    assert TLS12 not in ledger.versions
    assert set(ledger.open_suites(TLS12)).isdisjoint(half)
    ledger.refuse(hello_for(TLS12, all_offers(TLS12)[200:]), alert)
    assert ledger.versions[TLS12] is Fact.NO
    assert ledger.evidence[TLS12] == "alert handshake_failure"


def test_a_version_with_a_broken_suite_is_not_called_refused():
    ledger = Ledger()
    ledger.break_suite(TLS12, 0x002F)
    rest = tuple(code for code in all_offers(TLS12) if code != 0x002F)
    ledger.refuse(hello_for(TLS12, rest), None)
    assert ledger.versions[TLS12] is Fact.INCONCLUSIVE


def test_yes_is_never_overwritten():
    ledger = Ledger()
    ledger.take_up(hello_for(TLS12), taken(TLS12, 0x002F))
    ledger.refuse_version(TLS12, "anything")
    ledger.leave_open(hello_for(TLS12))
    assert ledger.versions[TLS12] is Fact.YES
    assert TLS12 not in ledger.evidence


def test_known_groups_go_last_and_stay():
    ledger = Ledger()
    ledger.take_up(hello_for(TLS12), taken(TLS12, 0xC02F, group=29))
    assert ledger.known_last(TLS12, (29, 23, 24)) == (23, 24, 29)
    assert ledger.open_groups(TLS12, (29, 23, 24)) == (23, 24)
    assert ledger.known_last(TLS11, (29, 23, 24)) == (29, 23, 24)


def test_chains_primes_and_staples_are_kept_once():
    ledger = Ledger()
    for suite in (0x0033, 0x0039):
        ledger.take_up(
            hello_for(TLS12), taken(TLS12, suite, chain=(b"leaf",), staple=b"ocsp", prime=PRIME, generator=b"\2")
        )
    assert ledger.chains == {"RSA": (b"leaf",)}
    assert ledger.stapled == {"RSA"}
    ((seen, (versions, suite)),) = ledger.primes.items()
    assert (seen.prime, seen.ffdhe_offered, versions, suite) == (PRIME[1:], True, {TLS12}, 0x0033)
    assert len(ledger.shown) == 1


def test_portions():
    ledger = Ledger()
    assert ledger.portions(all_offers(TLS12)) == [all_offers(TLS12)]
    ledger.offer_size = SMALL_OFFER
    portions = ledger.portions(all_offers(TLS12))
    assert max(map(len, portions)) == SMALL_OFFER
    assert tuple(code for portion in portions for code in portion) == all_offers(TLS12)


def test_taking_back_reopens():
    ledger = Ledger()
    ledger.special |= {"large_hello": Fact.NO, "fallback_scsv": Fact.NOT_TESTED, "sha1_signatures": Fact.YES}
    ledger.refuse(hello_for(TLS11), None)
    ledger.take_back(hello_for(TLS11))
    assert ledger.versions[TLS11] is Fact.INCONCLUSIVE
    assert ledger.open_suites(TLS11) == all_offers(TLS11)
    assert ledger.special["large_hello"] is Fact.INCONCLUSIVE
    assert ledger.special["fallback_scsv"] is Fact.INCONCLUSIVE, "it may apply to the version that is open again"
    assert ledger.special["sha1_signatures"] is Fact.YES


def test_words_for_refusals_and_failures():
    assert refusal_text(None) == "closed without a word"
    assert refusal_text(ServerFlight(end=FlightEnd.CLOSED)) == "closed without a word"
    assert refusal_text(ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, 70))) == "alert protocol_version"
    assert refusal_text(ServerFlight(end=FlightEnd.SSL2_ERROR)) == "ssl2-error"
    assert failure_of(ServerFlight(end=FlightEnd.NOT_TLS, text=b"454 no\r\n")).detail == "454 no"
    assert failure_of(ServerFlight(end=FlightEnd.CLOSED)).kind == "closed"
    assert failure_of(taken(TLS12, 1)).kind == "protocol-error"

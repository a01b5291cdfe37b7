"""What was learned, as facts."""

import msgspec
import pytest

from scanner.answers import Fact
from scanner.wire.code_points import SSL2, SSL3, TLS10, TLS11, TLS12, TLS13
from scanner.wire.ledger import Ledger
from scanner.wire.picture import beside_sessions, picture_of
from scanner.wire.questions import hello_for
from scanner.wire.server_flight import FlightEnd, ServerFlight
from scanner.wire.tls_plans import ALL_VERSIONS

EMS, RENEGOTIATION, ETM, TICKET, HEARTBEAT, HMAC = 23, 0xFF01, 22, 35, 15, 4


def flight(version: int = TLS12, suite: int = 0x002F, *extensions: int, **more: object) -> ServerFlight:
    return ServerFlight(
        end=FlightEnd.DONE, version=version, suite=suite, extensions=extensions, chain=(b"leaf",), **more
    )


def facts_of(*flights: ServerFlight, stopped: bool = False, tls13: bool = False):
    ledger = Ledger()
    ledger.planned = ALL_VERSIONS
    for one in flights:
        ledger.take_up(hello_for(one.version or 0), one)
    if tls13:
        retry = ServerFlight(end=FlightEnd.RETRY, version=TLS13, suite=0x1301, group=29)
        ledger.take_up(hello_for(TLS13), retry)
    for version in ALL_VERSIONS:
        if not stopped:
            ledger.versions.setdefault(version, Fact.NO)
    ledger.stopped = stopped
    return picture_of(ledger).facts


def test_what_must_never_be_missing_is_yes_only_if_always_there():
    always = facts_of(flight(TLS12, 0x002F, EMS, RENEGOTIATION), flight(TLS12, 0x0035, EMS, RENEGOTIATION))
    assert (always.extended_master_secret, always.secure_renegotiation) == (Fact.YES, Fact.YES)
    once = facts_of(flight(TLS12, 0x002F, EMS), flight(TLS12, 0x0035, RENEGOTIATION))
    assert (once.extended_master_secret, once.secure_renegotiation) == (Fact.NO, Fact.NO)


def test_encrypt_then_mac_is_asked_of_cbc_alone():
    assert facts_of(flight(TLS12, 0x009C)).encrypt_then_mac is Fact.NOT_TESTED
    assert facts_of(flight(TLS12, 0x009C), flight(TLS12, 0x002F, ETM)).encrypt_then_mac is Fact.YES
    assert facts_of(flight(TLS12, 0x002F)).encrypt_then_mac is Fact.NO


@pytest.mark.parametrize(
    ("field", "extension"), [("session_tickets", TICKET), ("heartbeat", HEARTBEAT), ("truncated_hmac", HMAC)]
)
def test_what_a_server_does_at_times_is_yes_if_seen_once(field, extension):
    assert getattr(facts_of(flight(), flight(TLS12, 0x0035, extension)), field) is Fact.YES
    assert getattr(facts_of(flight()), field) is Fact.NO


def test_compression_client_certificate_and_staple():
    facts = facts_of(flight(compression=1, client_certificate=True, staple=b"ocsp"))
    assert (facts.compression, facts.client_certificate, facts.ocsp_staple) == (Fact.YES, Fact.YES, Fact.YES)
    assert facts.chains[0].stapled
    facts = facts_of(flight())
    assert (facts.compression, facts.client_certificate, facts.ocsp_staple) == (Fact.NO, Fact.NO, Fact.NO)


def test_anonymous_suites_say_nothing_about_client_certificates():
    anonymous = msgspec.structs.replace(flight(TLS12, 0x0034), chain=())
    assert facts_of(anonymous).client_certificate is Fact.NOT_TESTED


def test_downgrade_sentinel_is_asked_of_tls13_servers():
    assert facts_of(flight()).downgrade_sentinel is Fact.NOT_TESTED
    assert facts_of(flight(), tls13=True).downgrade_sentinel is Fact.NO
    assert facts_of(flight(downgrade=TLS12), tls13=True).downgrade_sentinel is Fact.YES


def test_what_does_not_apply_and_what_stayed_open():
    only13 = facts_of(tls13=True)
    assert only13.extended_master_secret is Fact.NOT_TESTED
    assert facts_of(stopped=True).extended_master_secret is Fact.INCONCLUSIVE
    assert facts_of(flight(TLS12, 0x009C), stopped=True).encrypt_then_mac is Fact.INCONCLUSIVE


def test_what_a_version_that_stayed_open_might_have_shown_stayed_open():
    ledger = Ledger()
    ledger.planned = ALL_VERSIONS
    ledger.take_up(hello_for(TLS12), flight(TLS12, 0x009C))
    ledger.versions |= {TLS13: Fact.INCONCLUSIVE, TLS11: Fact.NO, TLS10: Fact.NO, SSL3: Fact.NO, SSL2: Fact.NO}
    facts = picture_of(ledger).facts
    assert (facts.downgrade_sentinel, facts.encrypt_then_mac) == (Fact.INCONCLUSIVE, Fact.INCONCLUSIVE)
    ledger.versions[TLS13] = Fact.NO
    assert picture_of(ledger).facts.downgrade_sentinel is Fact.NOT_TESTED


def test_classes_need_a_refusal_in_every_version():
    def accepted(facts):
        return {entry.name: entry.accepted for entry in facts.classes}

    ledger = Ledger()
    ledger.planned = ALL_VERSIONS
    ledger.take_up(hello_for(TLS12), flight(TLS12, 0x002F))
    ledger.take_up(hello_for(TLS10), flight(TLS10, 0x002F))
    ledger.versions |= {TLS13: Fact.NO, TLS11: Fact.NO, SSL3: Fact.NO, SSL2: Fact.NO}
    assert accepted(picture_of(ledger).facts)["static-rsa"] is Fact.YES
    assert accepted(picture_of(ledger).facts)["rc4"] is Fact.INCONCLUSIVE
    ledger.refuse(hello_for(TLS12, ledger.open_suites(TLS12)), None)
    assert accepted(picture_of(ledger).facts)["rc4"] is Fact.INCONCLUSIVE
    ledger.refuse(hello_for(TLS10, ledger.open_suites(TLS10)), None)
    assert accepted(picture_of(ledger).facts)["rc4"] is Fact.NO
    ledger.versions[TLS11] = Fact.INCONCLUSIVE
    assert accepted(picture_of(ledger).facts)["rc4"] is Fact.INCONCLUSIVE


def test_ssl2_is_told_with_its_ciphers():
    ledger = Ledger()
    ledger.planned = ALL_VERSIONS
    hello = ServerFlight(end=FlightEnd.SSL2, version=SSL2, ssl2_kinds=(0x010080, 0x999999))
    ledger.take_up(hello_for(SSL2), hello)
    facts = picture_of(ledger).facts
    assert facts.version("SSLv2").offered is Fact.YES
    assert facts.ssl2_ciphers == ("SSL_CK_RC4_128_WITH_MD5", "0x999999")


def test_huge_generators_and_export_keys():
    facts = facts_of(flight(TLS10, 0x0033, prime=b"\xf7" * 64, generator=b"\xff" * 100, export_modulus=b"\xff" * 64))
    assert (facts.dh[0].bits, facts.dh[0].generator) == (512, 0)
    assert facts.export_rsa_bits == 512


def test_schemes_and_groups_have_names():
    facts = facts_of(flight(TLS12, 0xC02F, group=29, scheme=0x0804, signed=True))
    assert facts.version("TLSv1.2").groups == ("x25519",)
    assert facts.version("TLSv1.2").schemes == ("rsa_pss_rsae_sha256",)
    assert facts_of(flight(TLS11, 0xC013, group=29, signed=True)).version("TLSv1.1").schemes == ()


def test_what_is_refused_is_open_where_a_session_spoke_a_version_that_is_refused():
    ledger = Ledger()
    ledger.planned = ALL_VERSIONS
    ledger.take_up(hello_for(TLS12), flight(TLS12, 0x002F, RENEGOTIATION))
    ledger.refuse(hello_for(TLS12), None)
    for version in ALL_VERSIONS:
        ledger.versions.setdefault(version, Fact.NO)
    picture = picture_of(ledger)
    assert beside_sessions(picture, ["TLSv1.2"]) is picture
    assert picture.facts.complete
    facts = beside_sessions(picture, iter(["TLSv1.2", "TLSv1.3"])).facts
    assert {version.offered for version in facts.versions if version.version != "TLSv1.2"} == {Fact.INCONCLUSIVE}
    taken = facts.version("TLSv1.2")
    assert (taken.offered, taken.complete, 0x002F in taken.unsettled) == (Fact.YES, False, False)
    assert set(taken.unsettled) == {*hello_for(TLS12).suites} - {0x002F}
    assert {entry.accepted for entry in facts.classes} == {Fact.YES, Fact.INCONCLUSIVE}
    assert (facts.hybrid_group, facts.compression) == (Fact.INCONCLUSIVE, Fact.INCONCLUSIVE)
    assert (facts.secure_renegotiation, facts.extended_master_secret) == (Fact.YES, Fact.NO)
    assert not facts.complete
    assert "TLSv1.3: refused to a hello" in str(facts.failures[0])

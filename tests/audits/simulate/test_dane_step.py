"""The levels dane and dane-only at one host: TLSA records, signed and unsigned MX records."""

import pytest

from audits.dane import EndpointDane, TlsaState
from audits.postfix.resolution import Resolution
from audits.postfix.tls_levels import TlsLevel
from audits.reasons import Cause
from audits.reasons import Reason as CauseOf
from audits.simulate.delivery import step_at
from scanner.facts import Fact
from tests.audits.session_factory import MX, NO_TLS
from tests.audits.simulate.scripted_world import GOOD_CHAIN, UNTRUSTED, facts_at, meeting, sender, server, told


def dane(state: TlsaState, matched: Fact = Fact.NOT_TESTED, sustained: Fact = Fact.NO) -> EndpointDane:
    return EndpointDane(
        MX, "192.0.2.1", 25, state, matched=matched, dane=sustained, reason=CauseOf(Cause.TLSA_INVALID, "x")
    )


@pytest.mark.parametrize(
    ("known", "secure", "expected"),
    [
        (dane(TlsaState.USABLE, Fact.YES, Fact.YES), Fact.YES, ["tls Verified", "tls Verified"]),
        (dane(TlsaState.USABLE, Fact.NO), Fact.YES, ["next-mx Untrusted", "next-mx Untrusted"]),
        (dane(TlsaState.UNUSABLE), Fact.YES, ["tls Trusted", "next-mx unknown"]),
        (dane(TlsaState.NONE), Fact.YES, ["tls Trusted", "next-mx unknown"]),
        (dane(TlsaState.USABLE, Fact.YES, Fact.YES), Fact.NO, ["tls Trusted", "next-mx unknown"]),
        (dane(TlsaState.USABLE, Fact.YES, Fact.YES), Fact.INCONCLUSIVE, ["tls unknown", "unknown unknown"]),
        (dane(TlsaState.LOOKUP_FAILED), Fact.YES, ["next-mx unknown", "next-mx unknown"]),
        (dane(TlsaState.INDETERMINATE, sustained=Fact.INCONCLUSIVE), Fact.YES, ["unknown unknown", "unknown unknown"]),
        (None, Fact.YES, ["unknown unknown", "unknown unknown"]),
    ],
)
def test_dane_does_what_the_records_demand(known: EndpointDane | None, secure: Fact, expected: list[str]) -> None:
    text = "smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n"
    there = meeting(facts_at(server(GOOD_CHAIN)), dane=known, mx_secure=secure)
    steps = [step_at(sender(text), Resolution(level, ()), there) for level in (TlsLevel.DANE, TlsLevel.DANE_ONLY)]
    assert [told(step) for step in steps] == expected


def test_a_dane_entry_under_another_global_level_wants_signed_mx_records() -> None:
    """smtp_tls_dane_insecure_mx_policy is "may" then."""
    there = meeting(facts_at(server(UNTRUSTED)), dane=dane(TlsaState.USABLE, Fact.NO), mx_secure=Fact.NO)
    assert told(step_at(sender(), Resolution(TlsLevel.DANE, ()), there)) == "tls Untrusted"


def test_tlsa_records_choose_the_server_name() -> None:
    """Whatever main.cf says ("in that case the SNI name sent is the one required by RFC7672", postconf(5))."""
    there = meeting(facts_at(server()), dane=dane(TlsaState.USABLE, Fact.YES, Fact.YES), mx_secure=Fact.YES)
    who = sender("smtp_tls_servername = elsewhere.example\nsmtp_dns_support_level = dnssec\n")
    assert told(step_at(who, Resolution(TlsLevel.DANE, ()), there)) == "tls Verified"


def test_dane_without_starttls() -> None:
    there = meeting(facts_at(NO_TLS), dane=dane(TlsaState.USABLE), mx_secure=Fact.YES)
    assert told(step_at(sender(), Resolution(TlsLevel.DANE, ()), there)) == "next-mx"

"""What main.cf says about deliveries: trust anchors, offers, limits; what is not followed is named with its line."""

import pytest

from audits.postfix.errors import ConfigError
from audits.postfix.resolution import Attribute, Engine, Resolution
from audits.postfix.tls_levels import TlsLevel
from audits.simulate.offer import Offer
from audits.simulate.sender import Limits, sender_of
from tests.audits.simulate.scripted_world import ROOT_PEM, anchors, config, sender


def trusting(text: str, engine: Engine = Engine.MODERN) -> int:
    """How many anchors these lines give."""
    found = sender_of(config(text, engine), anchors).trust
    return found.count if found else 0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("tls_append_default_CA = yes\n", 0),
        (f"smtp_tls_CAfile = {ROOT_PEM}\n", 1),
        (f"smtp_tls_CAfile = {ROOT_PEM}\ntls_append_default_CA = yes\n", 2),
        ("smtp_tls_CAfile =\n", 0),
    ],
)
def test_the_anchors_are_those_of_main_cf(text: str, count: int) -> None:
    assert trusting(text) == count


def test_before_2_8_those_of_the_system_were_always_beside_them() -> None:
    assert trusting(f"smtp_tls_CAfile = {ROOT_PEM}\n", Engine.PATCHED) == 2


def test_an_unreadable_ca_file_names_the_line() -> None:
    with pytest.raises(ConfigError, match=r"main\.cf:2: smtp_tls_CAfile: cannot read the file"):
        sender_of(config("relayhost =\nsmtp_tls_CAfile = /gone.pem\n"), anchors)


def offer(text: str = "", level: TlsLevel = TlsLevel.MAY, **attributes: str) -> Offer:
    given = tuple(Attribute(name, value) for name, value in attributes.items())
    return sender(text).offer(Resolution(level, (), attributes=given), level)


def test_may_and_the_levels_above_read_different_settings() -> None:
    text = "smtp_tls_protocols = TLSv1.2\nsmtp_tls_mandatory_protocols = >=TLSv1.2\n"
    assert offer(text).versions == {"TLSv1.2"}
    assert offer(text, TlsLevel.ENCRYPT).versions == {"TLSv1.2", "TLSv1.3"}
    assert offer("smtp_tls_mandatory_exclude_ciphers = aNULL\n").anonymous
    assert not offer("smtp_tls_mandatory_exclude_ciphers = aNULL\n", TlsLevel.ENCRYPT).anonymous
    assert not offer("smtp_tls_exclude_ciphers = aNULL\n", TlsLevel.ENCRYPT).anonymous


def test_anonymous_suites_end_with_the_levels_that_need_a_certificate() -> None:
    by_level = {level: offer("", level).anonymous for level in TlsLevel if level.rank >= TlsLevel.MAY.rank}
    assert {level for level, anonymous in by_level.items() if anonymous} == {TlsLevel.MAY, TlsLevel.ENCRYPT}


def test_attributes_of_the_policy_go_before_main_cf() -> None:
    text = "smtp_tls_protocols = TLSv1.2\nsmtp_tls_exclude_ciphers = aNULL\n"
    found = offer(text, protocols="TLSv1.3:TLSv1", exclude="kRSA", ciphers="high")
    assert found.versions == {"TLSv1.0", "TLSv1.3"}
    assert found.anonymous
    assert len(found.suites) < len(offer(exclude="").suites)


@pytest.mark.parametrize("text", ["smtp_tls_protocols = TLSv9\n", "smtp_tls_ciphers = strong\n"])
def test_words_that_postfix_does_not_know_leave_nothing(text: str) -> None:
    assert not offer(text).versions or not offer(text).suites


def test_an_exclusion_with_a_sign_leaves_nothing() -> None:
    assert offer("smtp_tls_exclude_ciphers = !aNULL\n") == Offer(frozenset(), ())


def test_limits_and_families() -> None:
    text = "smtp_mx_address_limit = 3\nsmtp_mx_session_limit = 0\ninet_protocols = ipv6\n"
    assert sender(text).limits == Limits(3, 0, ipv4=False, ipv6=True)
    assert sender().limits == Limits()
    with pytest.raises(ConfigError, match=r"main\.cf:4: smtp_mx_address_limit = many: a number"):
        sender("smtp_mx_address_limit = many\n")


def test_fallback_relays_by_their_old_name_too() -> None:
    assert sender("smtp_fallback_relay = a.example, [b.example]:587\n").fallback == ("a.example", "[b.example]:587")
    assert sender("fallback_relay = a.example\n").fallback == ("a.example",)


@pytest.mark.parametrize(
    "text",
    [
        "sender_dependent_relayhost_maps = hash:/x\n",
        "smtp_sasl_auth_enable = yes\n",
        "smtp_host_lookup = dns, native\n",
        "soft_bounce = yes\n",
        "smtp_never_send_ehlo = yes\n",
        "smtp_always_send_ehlo = no\n",
        "smtp_skip_5xx_greeting = no\n",
        "smtp_tls_trust_anchor_file = /etc/postfix/anchors.pem\n",
        "tls_wildcard_matches_multiple_labels = no\n",
        "smtp_defer_if_no_mx_address_found = yes\n",
        "defer_transports = smtp\n",
    ],
)
def test_what_is_not_followed_is_named(text: str) -> None:
    name = text.partition(" ")[0]
    notes = sender(text).notes
    assert any(name in note and "main.cf:4" in note for note in notes), notes
    assert sender().notes == ()


@pytest.mark.parametrize(
    "text",
    [
        "soft_bounce = no\n",
        "smtp_skip_5xx_greeting = yes\n",
        "defer_transports =\n",
        "tls_dane_digests = sha512 sha256\n",
    ],
)
def test_a_default_that_is_spelt_out_is_nothing_to_name(text: str) -> None:
    assert sender(text).notes == ()


def test_what_has_no_effect_is_named() -> None:
    assert any("MUST never succeeds" in note for note in sender_of(config(""), anchors).notes)
    both = "smtp_tls_per_site = inline:{a=MUST}\nsmtp_tls_policy_maps = inline:{b=may}\n"
    assert any("main.cf:4: smtp_tls_per_site is ignored" in note for note in sender(both).notes)


def test_an_old_engine_is_named() -> None:
    found = sender(engine=Engine.PATCHED)
    assert not found.falls_back_to_clear
    assert any("2.2.9" in note for note in found.notes)

"""From main.cf and its tables to a level."""

import pytest

from audits.postfix.errors import ConfigError
from audits.postfix.main_cf import parse_main_cf
from audits.postfix.parameters import parse_version
from audits.postfix.resolution import Engine, Resolution, Rule
from audits.postfix.resolve import configuration, dane_obstacle, host_of, resolve, uses_utf8
from audits.postfix.tls_levels import TlsLevel

FILES = {
    "/etc/postfix/tls_per_site": "[msa.example.net]:587 MUST\nexample.org NONE\nmx.example.org MUST\n",
    "/etc/postfix/tls_policy": "example.org may\n.example.org dane-only\nexample.net fingerprint\n",
}
DNSSEC = "smtp_dns_support_level = dnssec\n"


def resolved(text: str, next_hop: str = "example.org", host: str = "mx.example.org", engine: str = "3") -> Resolution:
    """What the configuration gives."""
    version = parse_version({"3": "3.7"}.get(engine, engine))
    config = configuration(parse_main_cf(text, "main.cf", version), Engine(engine), FILES.__getitem__)
    return resolve(config, next_hop, host)


PER_SITE = "smtp_tls_per_site = hash:/etc/postfix/tls_per_site\n"
POLICY = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"


def test_the_per_site_table_is_used() -> None:
    assert resolved(PER_SITE).level is TlsLevel.VERIFY
    assert resolved(PER_SITE, "[msa.example.net]:587", "msa.example.net").level is TlsLevel.VERIFY
    assert resolved(PER_SITE, "example.org", "other.example").level is TlsLevel.NONE


def test_policy_maps_hide_the_per_site_table_even_without_an_entry() -> None:
    for next_hop, level in (("example.org", TlsLevel.MAY), ("[msa.example.net]:587", TlsLevel.NONE)):
        resolution = resolved(PER_SITE + POLICY, next_hop, "msa.example.net")
        assert resolution.level is level
        assert resolution.why[-1].rule is Rule.POLICY_HIDES_SITE
        assert "ignored when smtp_tls_policy_maps is not empty" in resolution.warnings[-1]


def test_before_2_3_there_are_no_policy_maps() -> None:
    assert resolved(PER_SITE + POLICY, engine="2.2.9").level is TlsLevel.VERIFY


def test_an_empty_value_is_no_table_but_a_comma_is_an_empty_list_that_hides_per_site() -> None:
    assert resolved(PER_SITE + "smtp_tls_policy_maps = $nothing\n").level is TlsLevel.VERIFY
    assert resolved(PER_SITE + "smtp_tls_policy_maps = $nothing ,\nsmtp_use_tls = yes\n").level is TlsLevel.MAY


def test_the_tables_of_the_documents_example() -> None:
    """TLS_README of 2.2.9, "Closing a DNS loophole": the relayhost by its exact next-hop."""
    text = "smtp_tls_per_site = hash:/etc/postfix/tls_per_site\nrelayhost = [msa.example.net]:587\n"
    for engine in Engine:
        assert resolved(text, "[msa.example.net]:587", "msa.example.net", engine).level is TlsLevel.VERIFY
        assert resolved(text, "[msa.example.net]", "msa.example.net", engine).level is TlsLevel.NONE


DANE_CASES = {
    "": "smtp_dns_support_level is not dnssec",
    DNSSEC: "",
    "smtp_dns_support_level = enabled\n": "smtp_dns_support_level is not dnssec",
    "disable_dns_lookups = yes\n": "disable_dns_lookups = yes",
    DNSSEC + "smtp_host_lookup = native\n": "smtp_host_lookup has no dns",
    DNSSEC + "smtp_host_lookup = native, dns\n": "",
    DNSSEC + "ignore_mx_lookup_error = yes\n": "ignore_mx_lookup_error = yes",
    DNSSEC + "smtp_dns_resolver_options = res_defnames\n": "smtp_dns_resolver_options appends domains",
}


@pytest.mark.parametrize(("text", "obstacle"), DANE_CASES.items())
def test_dane_needs_dnssec(text: str, obstacle: str) -> None:
    assert dane_obstacle(parse_main_cf(text, "main.cf")) == obstacle
    dane = resolved(text + "smtp_tls_security_level = dane\n")
    assert (dane.level, dane.wanted) == (TlsLevel.MAY if obstacle else TlsLevel.DANE, TlsLevel.DANE)
    only = resolved(text + "smtp_tls_security_level = dane-only\n")
    assert (only.level, only.status) == ((TlsLevel.INVALID, "4.7.5") if obstacle else (TlsLevel.DANE_ONLY, ""))
    assert resolved(text + POLICY, "sub.example.org").level is only.level


def test_a_fingerprint_is_needed_for_its_level() -> None:
    resolution = resolved(POLICY, "example.net")
    assert (resolution.level, resolution.status) == (TlsLevel.INVALID, "4.7.5")
    with_one = resolved(POLICY + "smtp_tls_fingerprint_cert_match = AA:BB\n", "example.net")
    assert with_one.level is TlsLevel.FINGERPRINT


@pytest.mark.parametrize("name", ["smtp_tls_verify_cert_match", "smtp_tls_secure_cert_match"])
def test_smtp_does_not_start_without_names_to_match(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"main\.cf:1: {name} is empty"):
        resolved(f"{name} =\n")


@pytest.mark.parametrize(
    ("match", "level"),
    [
        ("AA:BB", TlsLevel.FINGERPRINT),
        ("aabb|zz", TlsLevel.FINGERPRINT),
        ("zz", TlsLevel.INVALID),
        ("|", TlsLevel.INVALID),
        ("AA:BB:", TlsLevel.INVALID),
        ("A:B", TlsLevel.INVALID),
        ("aa" * 97, TlsLevel.INVALID),
    ],
)
def test_what_is_no_hexadecimal_text_is_no_fingerprint(match: str, level: TlsLevel) -> None:
    """Postfix 3.7 warns of a malformed value and passes over it."""
    text = f"smtp_tls_policy_maps = inline:{{ {{example.org = fingerprint match={match}}} }}\n"
    assert resolved(text).level is level
    assert resolved(f"{text}smtp_tls_fingerprint_cert_match = zz, AA:BB\n").level is TlsLevel.FINGERPRINT


def test_the_servername_must_be_a_host_name_unless_no_tls_is_used() -> None:
    bad = "smtp_tls_servername = [mx]\n"
    assert resolved(bad + "smtp_use_tls = yes\n").level is TlsLevel.INVALID
    assert resolved(bad).level is TlsLevel.NONE
    assert resolved("smtp_tls_servername = mx.example.org\nsmtp_use_tls = yes\n").level is TlsLevel.MAY


def test_an_unknown_table_type_names_file_and_line() -> None:
    with pytest.raises(ConfigError, match=r"^main.cf:2: tables of the type \"mysql\""):
        resolved("\nsmtp_tls_per_site = mysql:/etc/postfix/sql.cf\n")


def test_smtputf8_follows_the_compatibility_level() -> None:
    assert not uses_utf8(parse_main_cf("", "main.cf"))
    assert uses_utf8(parse_main_cf("compatibility_level = 3.6\n", "main.cf"))


def test_brackets_name_their_host() -> None:
    assert host_of("[mx.example.org]:587") == "mx.example.org"
    assert host_of("[192.0.2.1]") == "192.0.2.1"
    assert host_of("[IPv6:2001:db8::1]:25") == host_of("[ipv6:2001:db8::1]") == "2001:db8::1"


@pytest.mark.parametrize("next_hop", ["example.org", "example.org:25", "[a]b", "[]"])
def test_other_next_hops_do_not(next_hop: str) -> None:
    with pytest.raises(ConfigError, match="has no brackets"):
        host_of(next_hop)

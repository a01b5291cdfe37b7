"""Which parameter a version knows."""

import pytest

from audits.postfix.parameters import (
    DEFAULT_VERSION,
    Version,
    all_names,
    default,
    gone,
    introduced,
    knows,
    parse_version,
    replaced,
)


def test_a_version_without_a_patch_level_is_its_newest() -> None:
    assert parse_version("3.10") > parse_version("3.10.5") > parse_version("3.9")
    assert (str(parse_version("3.7")), str(parse_version("2.2.9"))) == ("3.7", "2.2.9")


@pytest.mark.parametrize("text", ["", "3", "3.x", "3.7.11.1", "-3.7", "3.٧", "3.7777"])
def test_other_texts_are_no_versions(text: str) -> None:
    with pytest.raises(ValueError, match="is no Postfix version"):
        parse_version(text)


@pytest.mark.parametrize(
    ("name", "version", "known"),
    [
        ("smtp_tls_security_level", "2.2.9", False),
        ("smtp_tls_security_level", "2.3", True),
        ("smtp_cname_overrides_servername", "2.2.8", False),
        ("smtp_cname_overrides_servername", "2.2.9", True),
        ("smtp_tls_enable_rpk", "3.7", False),
        ("smtp_tls_enable_rpk", "3.9", True),
        ("smtp_tls_enforce_sts_mx_patterns", "3.10.4", False),
        ("smtp_tls_enforce_sts_mx_patterns", "3.10", True),
        ("smtp_tls_cipherlist", "2.2", True),
        ("smtp_tls_cipherlist", "2.3", False),
        ("smtpd_tls_dh512_param_file", "3.5", True),
        ("smtpd_tls_dh512_param_file", "3.6", False),
        ("mydestination", "3.7", True),
        ("smtp_tls_loglvl", "3.7", False),
    ],
)
def test_what_a_version_knows(name: str, version: str, known: bool) -> None:
    assert knows(name, parse_version(version)) == known


def test_obsolete_parameters_say_what_to_write_instead() -> None:
    entry = gone("smtpd_tls_cipherlist", DEFAULT_VERSION)
    assert entry
    assert "smtpd_tls_mandatory_ciphers" in entry.instead
    assert gone("smtpd_tls_cipherlist", Version(2, 2, 9)) is None
    per_site = replaced("smtp_tls_per_site", DEFAULT_VERSION)
    assert per_site
    assert not per_site.warned_at(DEFAULT_VERSION)
    assert per_site.warned_at(parse_version("3.9"))


def test_the_two_data_files_agree() -> None:
    """Every TLS parameter of 3.7 has a default there, unless the history says that it is gone or newer."""
    missing = {name for name in introduced() if default(name, DEFAULT_VERSION) is None}
    later = {name for name, since in introduced().items() if since > DEFAULT_VERSION}
    assert missing - later == {
        "smtp_tls_cipherlist",
        "smtpd_tls_cipherlist",
        "tls_dane_digest_agility",
        "tls_dane_trust_anchor_digest_enable",
        "tlsproxy_client_level",
        "tlsproxy_client_policy",
        "tlsproxy_tls_session_cache_timeout",
    }
    assert all_names() > introduced().keys()

"""The user's own documents, linted: what TLS_README of 2.2.9 and the later guide recommend, by today's measure."""

from audits.postfix.errors import ConfigError
from audits.postfix.lint import Kind, LintMessage, Severity, lint_main_cf, lint_table
from audits.postfix.parameters import parse_version

GUIDE = """\
smtpd_tls_cert_file = /etc/letsencrypt/live/$domain.$tld/fullchain.pem
smtpd_tls_key_file = /etc/letsencrypt/live/$domain.$tld/privkey.pem
smtpd_tls_dh1024_param_file = /etc/ssl/private/2048.dh
smtpd_tls_dh512_param_file = /etc/ssl/private/512.dh
smtpd_tls_CApath = /etc/ssl/certs
smtp_tls_security_level = may
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 0
smtpd_tls_mandatory_ciphers = high
smtpd_tls_ciphers = medium
smtpd_tls_exclude_ciphers = aNULL, MD5, DES, 3DES, DES-CBC3-SHA, RC4-SHA, AES256-SHA, AES128-SHA, eNULL, EXPORT,
  RC4, PSK, aECDH, EDH-DSS-DES-CBC3-SHA, EDH-RSA-DES-CDC3-SHA, KRB5-DE5, CBC3-SHA
smtpd_tls_eecdh_grade = strong
tls_preempt_cipherlist = yes
tls_random_source = dev:/dev/urandom
smtpd_tls_session_cache_timeout = 3600s
smtpd_tls_mandatory_protocols = TLSv1
"""

README_2_2_9 = """\
smtp_use_tls = yes
smtp_enforce_tls = yes
smtp_tls_enforce_peername = no
smtp_tls_per_site = hash:/etc/postfix/tls_per_site
relayhost = [msa.example.net]:587
smtp_tls_note_starttls_offer = yes
smtp_tls_scert_verifydepth = 5
smtp_tls_cipherlist = DEFAULT
smtpd_tls_cipherlist = DEFAULT
smtp_starttls_timeout = 300s
tls_daemon_random_bytes = 32
"""
PER_SITE_2_2_9 = """\
# relayhost exact nexthop match
[msa.example.net]:587       MUST

# TLS should not be used with the example.org MX hosts.
example.org                 NONE

# TLS should not be used with the host smtp.example.com.
[smtp.example.com]          NONE
"""


def summary(messages: tuple[LintMessage, ...]) -> list[tuple[int, str, str]]:
    """Line, id and severity of each message."""
    return [(message.line, message.id, message.severity.value) for message in messages]


def test_the_guide_with_the_misspelt_ciphers() -> None:
    messages = lint_main_cf(GUIDE, "main.cf")
    assert summary(messages) == [
        (1, "cf-undefined-name", "warning"),
        (1, "cf-undefined-name", "warning"),
        (2, "cf-undefined-name", "warning"),
        (2, "cf-undefined-name", "warning"),
        (3, "cf-replaced", "info"),
        (4, "cf-obsolete", "warning"),
        (13, "cf-cipher", "error"),
        (13, "cf-cipher", "error"),
        (13, "cf-cipher", "error"),
        (13, "cf-cipher", "info"),
        (13, "cf-cipher", "info"),
        (13, "cf-cipher", "info"),
        (15, "cf-obsolete", "warning"),
        (19, "cf-protocols", "error"),
    ]
    errors = [message.message for message in messages if message.severity is Severity.ERROR]
    assert errors == [
        'smtpd_tls_exclude_ciphers: "CBC3-SHA" is no cipher and no group of ciphers; did you mean DES-CBC3-SHA?',
        'smtpd_tls_exclude_ciphers: "EDH-RSA-DES-CDC3-SHA" is no cipher and no group of ciphers; '
        "did you mean EDH-RSA-DES-CBC3-SHA?",
        'smtpd_tls_exclude_ciphers: "KRB5-DE5" is no cipher and no group of ciphers; did you mean KRB5-DES-CBC-MD5?',
        'smtpd_tls_mandatory_protocols: "TLSv1" leaves TLSv1 alone: TLS 1.2 and 1.3 are switched off',
    ]


def test_the_readme_of_2_2_9_read_by_3_7() -> None:
    def reader(path: str) -> str:
        if path != "/etc/postfix/tls_per_site":
            raise ConfigError(path, 0, "cannot be read")
        return PER_SITE_2_2_9

    messages = lint_main_cf(README_2_2_9, "main.cf", reader=reader)
    assert [(message.path, *rest) for message, rest in zip(messages, summary(messages), strict=True)] == [
        ("/etc/postfix/tls_per_site", 2, "cf-no-ca", "error"),
        ("/etc/postfix/tls_per_site", 8, "key-brackets", "info"),
        ("main.cf", 1, "cf-replaced", "info"),
        ("main.cf", 2, "cf-replaced", "info"),
        ("main.cf", 3, "cf-replaced", "info"),
        ("main.cf", 4, "cf-replaced", "info"),
        ("main.cf", 8, "cf-obsolete", "warning"),
        ("main.cf", 9, "cf-obsolete", "warning"),
    ]


def test_the_readme_of_2_2_9_read_by_2_2_9_is_right_but_for_the_alias_override() -> None:
    messages = lint_main_cf(README_2_2_9, "main.cf", parse_version("2.2.9"))
    assert summary(messages) == [(0, "cf-cname-override", "warning")]
    hardened = README_2_2_9 + "smtp_cname_overrides_servername = no\n"
    assert lint_main_cf(hardened, "main.cf", parse_version("2.2.9")) == ()


def test_the_readme_s_own_remedy_for_the_dns_loophole() -> None:
    """ "specify the value MUST for the key [mailhost] or smtp:[mailhost]:port": only the first form works."""
    text = "[mail.example.org] MUST\nsmtp:[mail.example.org]:25 MUST\n"
    messages = lint_table(text, "tls_per_site", Kind.PER_SITE)
    assert summary(messages) == [(1, "key-brackets", "info"), (2, "key-transport", "error")]


def test_later_versions_warn_of_what_will_go() -> None:
    found = {
        version: [m.severity.value for m in lint_main_cf("smtp_use_tls = yes\n", "main.cf", parse_version(version))]
        for version in ("2.2.9", "3.7", "3.9")
    }
    assert found == {"2.2.9": ["warning"], "3.7": ["info"], "3.9": ["warning"]}

"""Settings of main.cf, one by one."""

import pytest

from audits.postfix.lint import lint_main_cf
from audits.postfix.parameters import parse_version


def ids(text: str, version: str = "3.7") -> list[str]:
    """The checks that a main.cf trips."""
    return [message.id for message in lint_main_cf(text, "main.cf", parse_version(version))]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "smtp_tls_security_level = may\n",
        "smtpd_tls_security_level = ENCRYPT\n",
        "smtp_tls_CAfile = /etc/ssl/${ca_name:ca}.pem\n",
        "smtpd_tls_cert_file = /etc/ssl/$myhostname.pem\nsmtpd_tls_key_file = $smtpd_tls_cert_file\n",
        "mua_client_restrictions = permit_sasl_authenticated\n",
        "relay_destination_concurrency_limit = 1\nsmtp_destination_recipient_limit = 5\n",
        "my_tls_level = may\nsmtp_tls_security_level = $my_tls_level\n",
        "smtp_tls_policy_maps =\nsmtp_tls_per_site =\n",
        "tls_medium_cipherlist = aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH\n",
        "smtp_tls_security_level = may\nsmtp_tls_security_level = may\n",
    ],
)
def test_nothing_is_said_about_what_is_right(text: str) -> None:
    assert ids(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtp_tls_level = may\n", ["cf-unknown"]),
        ("smtp_tls_pol1cy_maps = inline:{a=may}\n", ["cf-unknown"]),
        ("smtpd_tls_protcols = TLSv1\n", ["cf-unknown"]),
        ("smtp_tls_CApath = /c # ours\n", ["cf-comment"]),
        ("smtp_tls_loglevel = 3\n", ["cf-loglevel"]),
        ("smtpd_tls_security_level = verify\n", ["cf-level"]),
        ("smtp_tls_ciphers =\n", ["cf-grade"]),
        ("smtp_tls_protocols = TLS1.2\n", ["cf-protocols"]),
        ("smtp_tls_per_site = hash:$a\na = $a\n", ["cf-expression", "cf-replaced"]),
    ],
)
def test_what_is_wrong_is_named(text: str, expected: list[str]) -> None:
    assert ids(text) == expected


def test_a_misspelt_name_is_told_the_right_one() -> None:
    (message,) = lint_main_cf("smtp_tls_mandatory_protocol = TLSv1\n", "main.cf")
    assert message.message.endswith("did you mean smtp_tls_mandatory_protocols?")


def test_the_version_decides_what_exists() -> None:
    assert ids("smtp_tls_enable_rpk = yes\n", "3.8") == ["cf-too-new"]
    assert ids("smtp_tls_enable_rpk = yes\n", "3.9") == []
    assert ids("smtp_tls_security_level = may\n", "2.2.9") == ["cf-cname-override", "cf-too-new"]
    assert ids("smtpd_tls_dh512_param_file = /x\n", "3.5") == []
    assert ids("smtpd_tls_dh512_param_file = /x\n", "3.6") == ["cf-obsolete"]


def test_every_line_of_a_broken_file_is_read() -> None:
    text = " orphan = 1\nsmtp_use_tls\nsmtp_tls_loglevel = 4\n= 3\n"
    assert [(m.line, m.id) for m in lint_main_cf(text, "main.cf")] == [
        (1, "cf-orphan"),
        (2, "cf-syntax"),
        (3, "cf-loglevel"),
        (4, "cf-syntax"),
    ]

"""Telling files apart."""

import pytest

from audits.postfix.lint.recognise import recognised
from audits.postfix.lint.words import Kind


@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        ("", "main.cf", Kind.MAIN_CF),
        ("", "/etc/postfix/main.cf.bak", Kind.MAIN_CF),
        ("# x\nsmtp_use_tls = yes\n", "postconf-n", Kind.MAIN_CF),
        ("example.org MUST\n", "t", Kind.PER_SITE),
        ("example.org must\n", "t", Kind.PER_SITE),
        ("a NONE\nb MAY\n", "t", Kind.PER_SITE),
        ("a none\nb may\n", "t", Kind.POLICY_MAPS),
        ("a secure match=nexthop\nb may protocols=>=TLSv1.2\n", "t", Kind.POLICY_MAPS),
        ("/a/ encrypt\n/b/ MUST\n/c/ may\n", "t", Kind.POLICY_MAPS),
        ("", "t", None),
        ("a MUST\nb secure\n", "t", None),
        ("example.org OK\n", "t", None),
    ],
)
def test_what_a_file_is(text: str, path: str, kind: Kind | None) -> None:
    assert recognised(text, path) is kind

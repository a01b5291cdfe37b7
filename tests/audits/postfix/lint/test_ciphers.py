"""Cipher words, compared with the OpenSSL of this machine."""

import subprocess
import tomllib
from importlib import resources

import pytest

from audits.postfix.lint.ciphers import cipher_findings, exclusion_findings, is_grade
from audits.postfix.lint.words import Severity

WORDS = tomllib.loads(resources.files("audits.postfix.lint").joinpath("cipher_names.toml").read_text("utf-8"))


def openssl_suites(cipher_string: str) -> set[str]:
    """What OpenSSL makes of a cipher string, without the suites of TLS 1.3."""
    command = ["openssl", "ciphers", f"{cipher_string}:@SECLEVEL=0"]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {suite for suite in output.strip().split(":") if suite and not suite.startswith("TLS_")}


def test_every_suite_of_openssl_is_known() -> None:
    assert openssl_suites("ALL:eNULL") <= set(WORDS["suites"])


def test_what_is_said_to_be_gone_is_gone() -> None:
    assert [word for word in WORDS["former_keywords"] + WORDS["former_suites"] if openssl_suites(word)] == []


def test_the_lists_do_not_overlap() -> None:
    assert len(set().union(*WORDS.values())) == sum(len(words) for words in WORDS.values())


@pytest.mark.parametrize(
    ("value", "severities"),
    [
        ("", []),
        ("aNULL, MD5 3DES:kEDH+aRSA", []),
        ("aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:@SECLEVEL=1", []),
        ("!eNULL:!SSLv2", [Severity.INFO]),
        ("DES+MD5", [Severity.INFO]),
        ("TLS_AES_128_GCM_SHA256", [Severity.WARNING]),
        ("anull", [Severity.ERROR]),
        ("@STRENGHT", [Severity.ERROR]),
        ("+", [Severity.ERROR]),
        ("zzz kEDH+zzz", [Severity.ERROR, Severity.ERROR]),
    ],
)
def test_findings(value: str, severities: list[Severity]) -> None:
    assert [severity for _, severity in cipher_findings(value)] == severities


@pytest.mark.parametrize(("word", "meant"), [("anull", "aNULL"), ("RC4_SHA", "RC4-SHA"), ("AES265", "AES256")])
def test_a_hint_names_what_was_meant(word: str, meant: str) -> None:
    ((sentence, _),) = cipher_findings(word)
    assert sentence.endswith(f"did you mean {meant}?")


def test_grades_in_any_case() -> None:
    assert is_grade("High")
    assert not is_grade("strong")


@pytest.mark.parametrize("word", ["!aNULL", "+RC4", "-MD5", "@STRENGTH"])
def test_a_sign_in_an_exclusion_list_ends_all_tls(word: str) -> None:
    """smtp(8): "invalid unary '!+-@' in cipher exclusion"; every handshake fails."""
    found = list(exclusion_findings(f"aNULL, {word}:MD5"))
    assert found == [(f'"{word}" begins with a sign, with which every TLS session fails', Severity.ERROR)]
    assert [severity for _, severity in exclusion_findings("aNULL nosuch")] == [Severity.ERROR]

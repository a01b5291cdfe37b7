"""Every check by its own two examples, and its documentation."""

import pytest
from cryptography.hazmat.primitives.asymmetric import dh
from cryptography.hazmat.primitives.serialization import Encoding, ParameterFormat

from audits.postfix.errors import ConfigError
from audits.postfix.lint import CHECKS, Kind, LintMessage, Severity, lint_main_cf, lint_table
from audits.postfix.lint.words import Check

from .fact_lines import lint_beside, looks_of

START = (
    "C90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651"
)
END_OF_2048 = (
    "C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804"
    "F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE5"
    "15D2261898FA051015728E5A8AACAA68"
)


def run(check: Check, text: str) -> tuple[LintMessage, ...]:
    """Lint an example as the kinds of file that the check is for."""
    if check.kinds == (Kind.MAIN_CF,):
        return lint_main_cf(text, "main.cf", reader=reader)
    if check.facts:
        looks = looks_of(check.facts)
        return tuple(m for kind in check.kinds for m in lint_beside(value_for(text, kind, check), kind, looks))
    return tuple(
        message
        for kind in check.kinds
        for message in lint_table(value_for(text, kind, check), "table", kind, type=check.type)
    )


def value_for(text: str, kind: Kind, check: Check) -> str:
    """The examples of checks for both kinds of table are written with the keywords of smtp_tls_per_site."""
    return (
        text
        if kind is Kind.PER_SITE or len(check.kinds) == 1
        else text.replace(" MUST_NOPEERMATCH", " encrypt").replace(" MUST", " verify").replace(" NONE", " none")
    )


def reader(path: str) -> str:
    """The files that the examples name."""
    files = {"tls_policy": "example.org may\n", "dh_1024.pem": dh_parameters(1024), "dh_2048.pem": dh_parameters(2048)}
    if path not in files:
        raise ConfigError(path, 0, "cannot be read: No such file or directory")
    return files[path]


def dh_parameters(bits: int) -> str:
    """A PEM file with a prime of RFC 2409 section 6.2 (1024 bits) or RFC 3526 section 3 (2048 bits)."""
    end = {1024: "ECE65381", 2048: "ECE45B3D" + END_OF_2048}[bits]
    prime = int("F" * 16 + START + end + "F" * 16, 16)
    parameters = dh.DHParameterNumbers(prime, 2).parameters()
    return parameters.parameter_bytes(Encoding.PEM, ParameterFormat.PKCS3).decode()


@pytest.mark.parametrize("id", sorted(CHECKS))
def test_the_failing_example_fails_and_the_passing_one_passes(id: str) -> None:
    check = CHECKS[id]
    found = [message for message in run(check, check.fails) if message.id == id]
    assert len(found) >= len(check.kinds) if check.kinds != (Kind.MAIN_CF,) else found
    assert all(message.remedy == check.remedy and message.message for message in found)
    assert [message for message in run(check, check.passes) if message.id == id] == []


@pytest.mark.parametrize("id", sorted(CHECKS))
def test_the_passing_example_is_free_of_errors(id: str) -> None:
    check = CHECKS[id]
    assert [message for message in run(check, check.passes) if message.severity is Severity.ERROR] == []


@pytest.mark.parametrize("id", sorted(CHECKS))
def test_every_check_is_documented(id: str) -> None:
    check = CHECKS[id]
    assert id.partition("-")[0] in ("cf", "facts", "key", "policy", "site", "table", "value")
    assert len(check.page) > 40
    assert check.page.endswith((".", '."'))
    assert check.remedy.endswith(".")
    assert check.kinds


def test_messages_name_file_line_severity_and_reason() -> None:
    (message,) = lint_table("# note\nexample.org. MUST\n", "tls_per_site", Kind.PER_SITE)
    assert str(message) == (
        'tls_per_site:2: error: the key "example.org." ends with a dot and never matches '
        "[key-trailing-dot] Remove the dot."
    )

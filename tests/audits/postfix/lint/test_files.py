"""Files of Diffie-Hellman parameters."""

import pytest

from audits.postfix.errors import ConfigError
from audits.postfix.lint import lint_main_cf
from audits.postfix.lint.files import dh_bits

from .test_examples import dh_parameters


@pytest.mark.parametrize("bits", [1024, 2048])
def test_the_size_is_that_of_the_prime(bits: int) -> None:
    assert dh_bits(dh_parameters(bits)) == bits


@pytest.mark.parametrize(
    "text", ["", "junk\udcff", "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n"]
)
def test_other_files_have_no_size(text: str) -> None:
    assert dh_bits(text) is None


def test_auto_and_files_that_cannot_be_read_are_no_finding() -> None:
    def reader(path: str) -> str:
        raise ConfigError(path, 0, "cannot be read")

    for value in ("auto", "/missing", ""):
        text = f"smtpd_tls_dh1024_param_file = {value}\n"
        assert "cf-weak-dh" not in [message.id for message in lint_main_cf(text, "main.cf", reader=reader)]

"""Lint of files that main.cf names beside its tables: Diffie-Hellman parameters (RFC 7919, RFC 9325 section 4.4)."""

from collections.abc import Iterator

from audits.postfix.errors import ConfigError
from audits.postfix.lint.words import Check, Kind, LintMessage, Severity, declare
from audits.postfix.main_cf import MainCf
from audits.postfix.open_tables import Reader

MIN_DH_BITS = 2048
"""RFC 9325 section 4.4; OpenSSL 3 clients at their default level refuse less."""
WEAK_DH = declare(
    Check(
        id="cf-weak-dh",
        severity=Severity.ERROR,
        page="Parameters of 512 or 1024 bits can be broken (Logjam), and today's clients refuse them. The number in "
        "the name of smtpd_tls_dh1024_param_file is history: it takes any size.",
        remedy="Remove the setting (Postfix 3.7 with OpenSSL 3 chooses by itself), or make parameters of 2048 bits.",
        fails="smtpd_tls_dh1024_param_file = dh_1024.pem\n",
        passes="smtpd_tls_dh1024_param_file = dh_2048.pem\n",
        kinds=(Kind.MAIN_CF,),
    )
)
_PARAMETERS = ("smtpd_tls_dh1024_param_file", "smtpd_tls_dh512_param_file")


def dh_parameter_messages(main_cf: MainCf, reader: Reader) -> Iterator[LintMessage]:
    """A message for each file of parameters that can be read and is too small."""
    for name in _PARAMETERS:
        try:
            path = main_cf.value(name)
            bits = dh_bits(reader(path)) if path and path != "auto" else None
        except ConfigError:
            continue
        if bits is not None and bits < MIN_DH_BITS:
            sentence = f"{name}: {path} holds parameters of {bits} bits, less than {MIN_DH_BITS}"
            yield WEAK_DH.at(main_cf.path, main_cf.line(name), sentence)


def dh_bits(pem: str) -> int | None:
    """The size of the prime in a PEM file of Diffie-Hellman parameters; None where the file holds none."""
    from cryptography.hazmat.primitives.asymmetric import dh
    from cryptography.hazmat.primitives.serialization import load_pem_parameters

    try:
        parameters = load_pem_parameters(pem.encode("utf-8", "surrogateescape"))
    except ValueError:
        return None
    return parameters.parameter_numbers().p.bit_length() if isinstance(parameters, dh.DHParameters) else None

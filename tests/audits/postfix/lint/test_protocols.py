"""Protocol lists."""

import pytest

from audits.postfix.lint.protocols import ALL, parse_protocols, protocol_findings
from audits.postfix.lint.words import Severity
from audits.postfix.parameters import DEFAULT_VERSION, parse_version


@pytest.mark.parametrize(
    ("value", "enabled"),
    [
        ("", ALL),
        ("TLSv1", ("TLSv1",)),
        ("!SSLv2, !SSLv3", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
        ("!sslv2:!SSLV3:!TLSv1:!TLSv1.1", ("TLSv1.2", "TLSv1.3")),
        (">=TLSv1.2", ("TLSv1.2", "TLSv1.3")),
        (">=TLSv1, <=TLSv1.2, !TLSv1.1", ("TLSv1", "TLSv1.2")),
        (">=0x0303", ("TLSv1.2", "TLSv1.3")),
        ("TLSv1.2 TLSv1.3 !TLSv1.3", ("TLSv1.2",)),
        ("TLSv1 !TLSv1", ()),
    ],
)
def test_what_a_list_enables(value: str, enabled: tuple[str, ...]) -> None:
    parsed = parse_protocols(value, DEFAULT_VERSION)
    assert (parsed.enabled, parsed.unknown) == (enabled, ())


@pytest.mark.parametrize(
    ("value", "version", "severities"),
    [
        ("", "3.7", []),
        (">=TLSv1", "3.7", []),
        (">=TLSv1.2", "3.7", []),
        ("!SSLv2 !SSLv3", "3.1", []),
        ("TLSv1.2", "3.7", [Severity.WARNING]),
        ("TLSv1", "3.7", [Severity.ERROR]),
        ("SSLv3, TLSv1.2, TLSv1.3", "3.7", [Severity.ERROR]),
        ("TLSv1.2.1", "3.7", [Severity.ERROR]),
        (">=TLSv1.2", "3.5", [Severity.ERROR]),
        ("TLS1.2 TLS1.3", "3.7", [Severity.ERROR, Severity.ERROR]),
        ("TLSv1 !TLSv1", "3.7", [Severity.ERROR]),
        (">=0x9999", "3.7", [Severity.ERROR]),
    ],
)
def test_findings(value: str, version: str, severities: list[Severity]) -> None:
    assert [severity for _, severity in protocol_findings(value, parse_version(version))] == severities

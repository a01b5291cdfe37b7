"""Handshakes and what security level 1 can allow."""

import pytest

from scanner.tls_facts import HandshakeFacts


@pytest.mark.parametrize(
    ("version", "chain", "fits"),
    [
        ("TLSv1.3", ("aa",), True),
        ("TLSv1.2", ("aa",), True),
        ("TLSv1.2", (), False),
        ("TLSv1.1", ("aa",), False),
        ("TLSv1", ("aa",), False),
        ("SSLv3", ("aa",), False),
    ],
)
def test_level_1_needs_a_modern_version_and_a_certificate(version, chain, fits):
    assert HandshakeFacts(version, "SUITE", "SUITE", chain=chain).fits_level1 is fits

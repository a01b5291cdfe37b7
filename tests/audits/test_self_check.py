"""What we find out about ourselves, on whatever machine the tests run: sentences, and nothing is sent."""

import socket

import pytest

from audits.self_check import default_ehlo, ehlo_warning, has_ipv6_route
from scanner.domain_name import ascii_name


def test_the_default_name_can_be_said_in_ehlo():
    name = default_ehlo()
    if name.startswith("["):
        socket.inet_aton(name.strip("[]"))
    else:
        assert "." in name
        assert ascii_name(name)


def test_whether_there_is_a_route_is_answered_at_once():
    assert has_ipv6_route() in (True, False)


def test_an_address_literal_is_warned_of():
    assert "--ehlo NAME" in ehlo_warning("[192.0.2.1]")


@pytest.mark.parametrize(
    "name",
    [
        "no-such-host.invalid",
        "a" * 64 + ".invalid",
        "a" * 250,
        "..",
        "b\N{LATIN SMALL LETTER U WITH DIAERESIS}.invalid",
    ],
)
def test_a_name_without_address_is_warned_of(name):
    assert "has no address" in ehlo_warning(name)


def test_a_name_that_leads_elsewhere_is_warned_of():
    """localhost leads to the loopback; a machine with an address of its own is somewhere else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 53))
            own = probe.getsockname()[0]
        except OSError:
            own = None
    warning = ehlo_warning("localhost")
    if own is None:
        assert warning == ""
    else:
        assert f"does not lead to this machine's address {own}" in warning

"""Who operates a mail host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.providers import providers_of, registrable_domain


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("mx1.example.org", "example.org"),
        ("a.b.mx1.example.co.uk", "example.co.uk"),
        ("example.org", "example.org"),
        ("org", "org"),
        ("co.uk", "co.uk"),
        ("mx.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_the_domain_under_which_a_host_was_registered(name, domain):
    assert registrable_domain(name) == domain


@given(st.text(max_size=300))
def test_any_name_from_the_dns_has_some_registrable_domain(name):
    assert isinstance(registrable_domain(name), str)


def test_address_literals_have_nothing_in_common():
    first, second = providers_of("8.8.4.4", "8.8.4.4"), providers_of("9.9.4.4", "9.9.4.4")
    assert set(first).isdisjoint(second)


def test_a_host_has_its_domain_and_its_network():
    assert providers_of("mx1.example.org", "8.8.8.8") == ("example.org", "8.8.8.0/24")
    assert providers_of("mx1.example.org", "2606:4700::1111") == ("example.org", "2606:4700::/48")


def test_addresses_that_are_not_public_share_no_network():
    assert providers_of("mx1.example.org", "127.0.0.1") == ("example.org",)

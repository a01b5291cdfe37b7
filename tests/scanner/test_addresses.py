"""Which addresses may be contacted, by the IANA special-purpose registries."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import Exclusions, contacted_address, is_public, provider_network

PRIVATE_V4 = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.0.170",
    "192.0.0.255",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "233.252.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]

PRIVATE_V6 = [
    "::",
    "::1",
    "::2",
    "100::1",
    "100:0:0:1::1",
    "::ffff:0:10.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:1:fffe::10.0.0.1",
    "2001::1",
    "2001:1::1",
    "2001:1::2",
    "2001:2::1",
    "2001:3::1",
    "2001:4:112::1",
    "2001:10::1",
    "2001:20::1",
    "2001:30::1",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
    "2a00:1450::1%1",
    "::ffff:8.8.8.8%eth0",
    "64:ff9b::808:808%lo",
]

PUBLIC = ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.254"]
PUBLIC_V6 = ["2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "3ffe::1"]


def carriers(inner: str) -> list[str]:
    """Every IPv6 form that carries this IPv4 address inside."""
    bits = int(IPv4Address(inner))
    teredo = (0x20010000 << 96) | (0x08080808 << 64) | (bits ^ 0xFFFFFFFF)
    numbers = (bits, (0xFFFF << 32) | bits, (0x64FF9B << 96) | bits, (0x2002 << 112) | (bits << 80) | 1, teredo)
    return [str(IPv6Address(number)) for number in numbers]


@pytest.mark.parametrize("address", PRIVATE_V4 + PRIVATE_V6)
def test_an_address_that_is_not_globally_reachable_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC + PUBLIC_V6)
def test_an_ordinary_address_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("inner", PRIVATE_V4)
def test_a_private_ipv4_address_inside_an_ipv6_one_is_refused(inner):
    assert [address for address in carriers(inner) if is_public(address)] == []


@pytest.mark.parametrize("inner", PUBLIC)
def test_a_public_ipv4_address_inside_an_ipv6_one_is_public(inner):
    assert all(is_public(address) for address in carriers(inner))


@given(st.ip_addresses(v=6))
def test_nothing_outside_global_unicast_is_public_but_what_carries_ipv4(address):
    carrying = [IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96")]
    if address not in IPv6Network("2000::/3") and not any(address in network for network in carrying):
        assert not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_what_ipaddress_calls_private_is_never_public(address):
    if address.is_private or address.is_reserved or address.is_multicast or address.is_loopback:
        assert not is_public(str(address))


@pytest.mark.parametrize(
    ("written", "contacted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("2001:DB8:0::0001", "2001:db8::1"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
    ],
)
def test_one_host_has_one_address(written, contacted):
    assert contacted_address(written) == contacted


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("8.8.8.8", "8.8.8.0/24"),
        ("2606:4700:0:1::1", "2606:4700::/48"),
        ("64:ff9b::8.8.4.4", "8.8.4.0/24"),
        ("::ffff:8.8.4.4", "8.8.4.0/24"),
        ("2002:808:404::1", "8.8.4.0/24"),
        ("192.168.0.1", ""),
        ("fe80::1", ""),
        ("127.0.0.1", ""),
    ],
)
def test_the_network_of_an_operator(address, network):
    assert provider_network(address) == network


@given(st.ip_addresses())
def test_the_network_of_an_operator_holds_only_public_neighbours(address):
    if network := provider_network(str(address)):
        assert is_public(str(address))
        assert ip_network(network).prefixlen in (24, 48)


def test_an_excluded_name_covers_what_is_below_it_and_nothing_beside():
    excluded = Exclusions(("example.org", "mx.example.net"), ())
    assert excluded.covers_name("example.org")
    assert excluded.covers_name("a.b.example.org")
    assert excluded.covers_name("mx.example.net")
    assert not excluded.covers_name("notexample.org")
    assert not excluded.covers_name("example.net")
    assert not excluded.covers_name("org")
    assert not excluded.covers_name("example.org.test")


def test_an_excluded_network_covers_its_addresses_in_every_form():
    excluded = Exclusions((), ("8.8.8.0/24", "2606:4700::/32"))
    assert excluded.covers_address("8.8.8.8")
    assert not excluded.covers_address("8.8.9.8")
    assert excluded.covers_address("2606:4700:1::1")
    assert not excluded.covers_address("2606:4701::1")
    assert all(excluded.covers_address(address) for address in carriers("8.8.8.8"))
    assert not any(excluded.covers_address(address) for address in carriers("8.8.9.8"))


@given(st.ip_addresses())
def test_the_whole_internet_can_be_excluded(address):
    assert Exclusions((), ("0.0.0.0/0", "::/0")).covers_address(str(ip_address(address)))

"""Certificates compared over addresses and hosts."""

from audits.established.host_certificates import AddressesOfHost, HostKeys
from audits.established.views import Inapplicable, Missing
from scanner.facts import MailRoute, RouteStatus
from tests.audits.rules.chains import INTER, MX
from tests.audits.session_factory import SILENT, asked, reference
from tests.certificate_factory import ec_key, leaf

from .views import domain, failure, only, routed, serving

ONE, TWO = leaf(INTER, MX), leaf(INTER, MX, key=ec_key(label="second"))


def at(address: str, certificate=None, host: str = MX):
    seen = serving(certificate, INTER, address=address) if certificate else asked(SILENT, address=address)
    return reference(seen, mx_host=host), seen


def test_leaves_are_compared_per_address():
    view = domain(at("192.0.2.1", ONE), at("192.0.2.2", TWO), at("192.0.2.3"))
    ((host, seen),) = AddressesOfHost.of_domain(view)
    assert host == MX
    assert isinstance(seen, AddressesOfHost)
    assert {address: leaves[0].sha256 for address, leaves in seen.leaves.items()} == {
        "192.0.2.1": ONE.sha256,
        "192.0.2.2": TWO.sha256,
    }
    assert seen.unanswered == ("192.0.2.3",)
    assert isinstance(only(AddressesOfHost, domain(at("192.0.2.1", ONE))), Inapplicable)
    assert isinstance(only(AddressesOfHost, domain(at("192.0.2.1"), at("192.0.2.2"))), Missing)


def test_keys_are_compared_per_host():
    shared = domain(at("192.0.2.1", ONE), at("192.0.2.2", ONE, "b.example.org"), at("192.0.2.3", None, "c.example.org"))
    seen = only(HostKeys, shared)
    assert isinstance(seen, HostKeys)
    assert seen.keys[MX] == seen.keys["b.example.org"]
    assert seen.unanswered == ("c.example.org",)
    assert isinstance(only(HostKeys, domain(at("192.0.2.1", ONE), at("192.0.2.2", TWO))), Inapplicable)
    assert isinstance(only(HostKeys, domain(at("192.0.2.1"), at("192.0.2.2", None, "b.example.org"))), Missing)


def test_without_mail_there_is_nothing_to_compare():
    for fact in (AddressesOfHost, HostKeys):
        assert isinstance(only(fact, routed(MailRoute(RouteStatus.NULL_MX))), Inapplicable)
        assert isinstance(only(fact, routed(MailRoute(RouteStatus.UNRESOLVED, failure=failure()))), Missing)

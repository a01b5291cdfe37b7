"""The table of the lab's domains: every grade occurs, names and addresses are for documentation, the zone fits."""

import base64
import hashlib
from ipaddress import ip_address, ip_network

import pytest

from audits.demo import states
from audits.demo.certificates import Authority
from audits.demo.dns_answers import Trouble
from audits.demo.states import CANARIES, LabDomain, LabHost, lab_domains, lab_zone, signed_names
from audits.tlsa import public_key_info
from audits.verdicts import Grade


@pytest.fixture(scope="module")
def domains(authority: Authority) -> tuple[LabDomain, ...]:
    return lab_domains(authority)


def test_every_grade_occurs(domains: tuple[LabDomain, ...]) -> None:
    assert {domain.expected for domain in domains} == set(Grade)


def test_names_and_addresses_are_for_documentation_and_occur_once(domains: tuple[LabDomain, ...]) -> None:
    hosts = all_hosts(domains)
    assert all(domain.name.endswith(".example") and domain.state for domain in domains)
    assert all(ip_address(host.address) in ip_network("192.0.2.0/24") for host in hosts)
    assert len({host.address for host in hosts}) == len({host.name for host in hosts}) == len(hosts)
    assert len({domain.name for domain in domains}) == len(domains)
    assert all(behaviour.name == host.name for host in hosts for behaviour in host.servers.values())


def test_the_zone_has_the_records_of_each_domain(domains: tuple[LabDomain, ...]) -> None:
    zone = lab_zone(domains)
    assert zone["nullmx.example"] == {"MX": ["0 ."]}
    assert zone["two-mx.example"] == {"MX": ["10 mx1.two-mx.example.", "20 mx2.two-mx.example."]}
    assert zone["_submissions._tcp.must.example"] == {"SRV": ["0 1 465 mx.must.example."]}
    assert zone["_submission._tcp.must.example"] == {"SRV": ["0 1 587 mx.must.example."]}
    for domain in domains:
        for host in domain.hosts:
            assert zone[host.name] == {"A": [host.address]}


def test_what_is_published_fits_the_servers(domains: tuple[LabDomain, ...]) -> None:
    """The record has the digest of the key that the host shows; the policy has a host of its own, and names the MX."""
    (domain,) = (each for each in domains if each.policy)
    (host,), policy = domain.hosts, domain.policy
    assert policy
    tls = host.servers[25].tls
    assert tls
    _, first, *_ = tls.chains[0].split(b"-----BEGIN CERTIFICATE-----")
    der = base64.b64decode(first.partition(b"-----END")[0])
    spki = public_key_info(der)
    assert spki
    assert policy.tlsa == f"3 1 1 {hashlib.sha256(spki).hexdigest()}"
    zone = lab_zone(domains)
    assert zone[f"_25._tcp.{host.name}"] == {"TLSA": [policy.tlsa]}
    assert zone[policy.host] == {"A": [policy.address]}
    assert f"mx: {host.name}\r\n" in policy.text
    assert not {each.address for each in all_hosts(domains)} & {policy.address}
    assert ip_address(policy.address) in ip_network("192.0.2.0/24")
    assert set(signed_names(domains)) == {CANARIES[0], domain.name}
    assert isinstance(zone[CANARIES[1]], Trouble)


def all_hosts(domains: tuple[LabDomain, ...]) -> list[LabHost]:
    return [host for domain in domains for host in domain.hosts]


def test_without_tls_1_0_another_state_takes_its_place(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "handshake_works", lambda _tls: False)
    names = [domain.name for domain in lab_domains(authority)]
    assert "incomplete.example" in names
    assert "legacy.example" not in names

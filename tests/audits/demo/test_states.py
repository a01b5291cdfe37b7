"""The table of the lab's domains: every grade occurs, names and addresses are for documentation, the zone fits."""

from ipaddress import ip_address, ip_network

import pytest

from audits.demo import states
from audits.demo.certificates import Authority
from audits.demo.states import LabDomain, lab_domains, lab_zone
from audits.verdicts import Grade


@pytest.fixture(scope="module")
def domains(authority: Authority) -> tuple[LabDomain, ...]:
    return lab_domains(authority)


def test_every_grade_occurs(domains: tuple[LabDomain, ...]) -> None:
    assert {domain.expected for domain in domains} == set(Grade)


def test_names_and_addresses_are_for_documentation_and_occur_once(domains: tuple[LabDomain, ...]) -> None:
    hosts = [host for domain in domains for host in domain.hosts]
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


def test_without_tls_1_0_another_state_takes_its_place(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "handshake_works", lambda _tls: False)
    names = [domain.name for domain in lab_domains(authority)]
    assert "incomplete.example" in names
    assert "legacy.example" not in names

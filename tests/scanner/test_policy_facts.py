"""The words for published policy survive the store, and stored domains without them stay readable."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.facts import DnsAnswer, Dnssec, DnsStatus, DomainFacts, MailRoute, RouteStatus, Target, TlsaRecord
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.policy_facts import HostTlsa, MtaStsFacts, PolicyFacts, PolicyFetch, StsPolicy, TlsaLookup, TlsRptFacts

RECORD = TlsaRecord(3, 1, 1, bytes(range(32)))
FAILURE = ProbeFailure(Stage.DNS, Kind.BOGUS, "x")


def look_up(dnssec: Dnssec, *records: TlsaRecord) -> TlsaLookup:
    return TlsaLookup("mx.example.org", 25, DnsAnswer("n", "TLSA", DnsStatus.RECORDS, records, dnssec=dnssec))


@pytest.mark.parametrize("dnssec", list(Dnssec))
def test_only_secure_records_count(dnssec):
    found = look_up(dnssec, RECORD)
    assert found.found == (RECORD,)
    assert found.records == ((RECORD,) if dnssec is Dnssec.SECURE else ())


def test_the_first_answer_with_records_decides_and_a_failure_does():
    empty, full = look_up(Dnssec.SECURE), look_up(Dnssec.SECURE, RECORD)
    failed = TlsaLookup("mx.example.org", 25, FAILURE)

    def deciding(*lookups: TlsaLookup) -> TlsaLookup | None:
        return HostTlsa("mx.example.org", 25, Dnssec.SECURE, None, lookups).deciding

    assert deciding() is None
    assert deciding(empty) is None
    assert deciding(empty, full) is full
    assert deciding(failed, full) is failed
    assert failed.records == failed.found == ()


FETCHES = st.builds(PolicyFetch, certificates=st.just(()), fetched_at=st.datetimes(timezones=st.timezones()))
STS = st.builds(MtaStsFacts, fetch=st.none() | FETCHES, policy=st.none() | st.builds(StsPolicy))


@given(st.builds(PolicyFacts, tlsa=st.just(()), mta_sts=st.none() | STS, tls_rpt=st.none() | st.builds(TlsRptFacts)))
def test_policy_survives_json(facts):
    domain = DomainFacts(Target("example.org", "example.org"), MailRoute(RouteStatus.MX), policy=facts)
    once = msgspec.json.encode(domain)
    assert msgspec.json.encode(msgspec.json.decode(once, type=DomainFacts)) == once


def test_a_domain_that_was_stored_before_there_was_policy():
    old = b'{"target":{"entry":"a.example","name":"a.example"},"route":{"status":"mx"},"endpoints":[]}'
    assert msgspec.json.decode(old, type=DomainFacts).policy is None

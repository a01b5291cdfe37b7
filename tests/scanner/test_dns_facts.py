"""The words for DNS answers survive the store."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.dns_facts import (
    AddressRecord,
    DnsAnswer,
    Dnssec,
    DnsStatus,
    MxRecord,
    SrvRecord,
    TlsaRecord,
    TxtRecord,
    security,
)
from scanner.failures import Kind, ProbeFailure, Stage

RECORDS = st.one_of(
    st.builds(MxRecord, st.integers(0, 65535), st.text(max_size=20)),
    st.builds(AddressRecord, st.text(max_size=20)),
    st.builds(SrvRecord),
    st.builds(TlsaRecord, st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=70)),
    st.builds(TxtRecord, st.text(max_size=50)),
)


@given(st.builds(DnsAnswer, records=st.lists(RECORDS, max_size=4).map(tuple)))
def test_an_answer_survives_json(answer):
    assert msgspec.json.decode(msgspec.json.encode(answer), type=DnsAnswer) == answer


def answer(dnssec: Dnssec) -> DnsAnswer:
    return DnsAnswer("mx.example.org", "A", DnsStatus.NODATA, dnssec=dnssec)


SECURE, INSECURE, OPEN = map(answer, (Dnssec.SECURE, Dnssec.INSECURE, Dnssec.INDETERMINATE))
BOGUS, LOST = (ProbeFailure(Stage.DNS, kind) for kind in (Kind.BOGUS, Kind.TIMEOUT))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((SECURE, SECURE), Dnssec.SECURE),
        ((SECURE, INSECURE), Dnssec.INSECURE),
        ((INSECURE, OPEN), Dnssec.INDETERMINATE),
        ((SECURE, LOST), Dnssec.INDETERMINATE),
        ((SECURE, BOGUS), Dnssec.BOGUS),
        ((LOST, BOGUS), Dnssec.BOGUS),
        ((), Dnssec.INDETERMINATE),
    ],
)
def test_the_weakest_answer_decides(answers, expected):
    assert security(*answers) is security(*reversed(answers)) is expected

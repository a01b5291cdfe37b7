"""The words for DNS answers survive the store."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from scanner.dns_facts import AddressRecord, DnsAnswer, MxRecord, SrvRecord, TlsaRecord, TxtRecord

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

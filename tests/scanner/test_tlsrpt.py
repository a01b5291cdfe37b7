"""TLSRPT records: the examples of RFC 8460, every alternative of its grammar, and hostile text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.tlsrpt import destination_domain, tls_rpt_record


@pytest.mark.parametrize(
    ("text", "destinations"),
    [
        ("v=TLSRPTv1;rua=mailto:reports@example.com", ("mailto:reports@example.com",)),
        ("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", ("https://reporting.example.com/v1/tlsrpt",)),
        (
            "v=TLSRPTv1; rua=mailto:a@example.com ,\thttps://r.example/x?y%2Cz%21;",
            ("mailto:a@example.com", "https://r.example/x?y%2Cz%21"),
        ),
        ("v=TLSRPTv1; ext=1; rua=MAILTO:a@example.com?subject=x", ("MAILTO:a@example.com?subject=x",)),
        ("v=TLSRPTv1 ; rua=https://r.example", ("https://r.example",)),
    ],
)
def test_records_as_the_grammar_wants_them(text, destinations):
    record = tls_rpt_record(["v=STSv1; id=1", text])
    assert record is not None
    assert (record.destinations, record.problem, record.remarks) == (destinations, "", ())


@pytest.mark.parametrize(
    "text",
    [
        "v=TLSRPTv1;",
        "v=TLSRPTv1; rua=",
        "v=TLSRPTv1; rua=reports@example.com",
        "v=TLSRPTv1; rua=mailto:",
        "v=TLSRPTv1; rua=mailto:a@b@",
        "v=TLSRPTv1; rua=http://example.com/",
        "v=TLSRPTv1; rua=https://",
        "v=TLSRPTv1; rua=mailto:a!10m@example.com",
        "v=TLSRPTv1; RUA=mailto:a@example.com",
        "v=TLSRPTv1; rua=mailto:a@example.com; x",
        "v=TLSRPTv1; rua=mailto:a@example.com; x=",
        "v=TLSRPTv1; rua=mailto:\u00e4@example.com",
    ],
)
def test_broken_records_say_why(text):
    record = tls_rpt_record([text])
    assert record is not None
    assert record.problem


def test_none_and_several():
    assert tls_rpt_record([]) is None
    assert tls_rpt_record(["v=tlsrptv1; rua=mailto:a@example.com"]) is None
    several = tls_rpt_record(["v=TLSRPTv1; rua=mailto:a@example.com"] * 2)
    assert several is not None
    assert "2 records" in several.problem


def test_a_bad_destination_beside_a_good_one_is_remarked():
    record = tls_rpt_record(["v=TLSRPTv1; rua=mailto:a@example.com,ftp://x.example/"])
    assert record is not None
    assert record.problem == ""
    assert "ftp" in record.remarks[0]


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    record = tls_rpt_record([f"v=TLSRPTv1;{text}"])
    assert record is not None
    assert bool(record.destinations) != bool(record.problem)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mailto:a@Example.COM?subject=x@y.example", ("example.com", True)),
        ("https://r.example:443/v1?x=https://other.example", ("r.example", False)),
        ("HTTPS://R.example?x", ("r.example", False)),
        ("mailto:a@_odd.example", ("", True)),
        ("https://[2001:db8::1]/", ("", False)),
        ("https://user@r.example/", ("", False)),
        ("mailto:a@%65xample.com", ("", True)),
    ],
)
def test_where_a_destination_leads(uri, expected):
    assert destination_domain(uri) == expected


@given(st.text(alphabet="mailtohps:/@?.[]%-xX0_", max_size=60) | st.from_regex(r"(mailto:|https://)[!-~]{1,300}"))
def test_any_destination_has_one_domain_or_none(text):
    record = tls_rpt_record([f"v=TLSRPTv1; rua={text}"])
    assert record is not None
    for uri in record.destinations:
        domain, _ = destination_domain(uri)
        assert domain == domain.lower()
        assert set(domain) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        assert len(domain) <= 253

"""The text of tables: read back by the parsers, and never longer than what was meant."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.policy_table.evidence import evidence_of
from audits.policy_table.looks import Rung, Way
from audits.policy_table.table import table_of
from audits.policy_table.text import main_cf_needs, policy_kind, policy_text, routes_text
from audits.postfix.lint import Kind, Severity, lint_table
from audits.postfix.text_tables import parse_text_table
from scanner.facts import Fact
from tests.audits.sample_records import HOSTILE, OBEYED

from .look_factory import NOON, address, facts, look, window, wish


def text_of(evidence, **options):
    wanted = wish(**options)
    return policy_text(table_of([evidence], wanted), wanted)


def test_a_comment_stands_above_each_line():
    bound = address(facts(Rung.MUST_NOPEERMATCH) | {Rung.DANE_ONLY: Fact.NO})
    assert text_of(evidence_of([look(bound), look(bound, days_ago=2)], 2)).splitlines()[3:] == [
        "",
        "# example.org: MUST_NOPEERMATCH sustained at 1 address of mx.example.org (2 runs, 2026-11-19 to 2026-11-21); "
        "not verify: certificate-expired: certificate has expired, mx.example.org [192.0.2.1] on 2026-11-21; "
        "re-check by 2026-12-21",
        "example.org encrypt",
    ]


def test_the_loophole_is_named():
    assert "names learnt from unsigned MX records (MUST-INSECURE-MX)" in text_of(window(address()))
    known = window(address(), ways=dict.fromkeys(Way, Fact.YES))
    assert "names known by MUST-DNSSEC MUST-STS MUST-NEXTHOP" in text_of(known)
    assert "names" not in text_of(window(address(facts(Rung.MUST_NOPEERMATCH))))
    dane = window(address(facts() | {Rung.DANE: Fact.YES, Rung.DANE_ONLY: Fact.YES}))
    assert "unsigned" not in text_of(dane)


def test_dane_that_nobody_looked_for_is_named():
    """The line would lower a global level dane, whose demands nobody knows."""
    assert "whether DANE holds is not known" in text_of(window(address()))
    for known in (Fact.YES, Fact.NO):
        assert "whether DANE" not in text_of(window(address(facts() | {Rung.DANE_ONLY: known})))


def test_the_date_of_the_next_cliff():
    ends = address(until=NOON + timedelta(days=5))
    assert "re-check by 2026-11-26 (certificate of mx.example.org expires)" in text_of(window(ends))


def test_what_main_cf_needs():
    dane = table_of([window(address(facts() | {Rung.DANE_ONLY: Fact.YES}))], wish())
    assert [need.split()[0] for need in main_cf_needs(dane)] == ["smtp_dns_support_level"]
    assert [need.split()[0] for need in main_cf_needs(table_of([window(address())], wish()))] == ["smtp_tls_CAfile"]
    assert main_cf_needs(table_of([window(address(facts(Rung.MAY)))], wish())) == []
    old = text_of(window(address()), form="per-site", version="2.2.9")
    assert "# main.cf: smtp_tls_CAfile" in old
    assert "# main.cf: no smtp_tls_policy_maps" in old
    assert "# main.cf: smtp_cname_overrides_servername = no" in old
    assert "cname_overrides" not in text_of(window(address()), form="per-site")
    assert "smtp_tls_policy_maps, beside" not in text_of(window(address()))


def test_a_route_goes_before_mydestination():
    routed = wish("transport")
    assert "none of the routed domains may be one of your own" in routes_text(
        table_of([window(address())], routed), routed
    )


def test_kinds():
    assert policy_kind(wish("per-site")) is Kind.PER_SITE
    assert policy_kind(wish("policy-maps")) is policy_kind(wish("transport")) is Kind.POLICY_MAPS
    assert policy_kind(wish("transport", "2.2.9")) is Kind.PER_SITE


def test_routes():
    wanted = wish("transport")
    made = table_of([window(address())], wanted)
    (entry,) = parse_text_table(routes_text(made, wanted), "transport").entries
    assert (entry.key, entry.value) == ("example.org", "smtp:[mx.example.org]")
    assert "smtp_cname_overrides_servername = no" in routes_text(made, wanted)


def test_many_hosts_are_counted():
    many = [address(host=f"mx{number}.example.org", at=f"192.0.2.{number}") for number in range(9)]
    assert "9 addresses of mx0.example.org" in text_of(evidence_of([look(*many)], 1))
    assert "mx5.example.org and 3 more" in text_of(evidence_of([look(*many)], 1))


WORDS = st.one_of(st.text(max_size=300), st.sampled_from([HOSTILE, "\nevil.test none", "\r\u2028x none", "\ud800" * 9]))


@pytest.mark.parametrize("form", ["per-site", "policy-maps", "transport"])
@given(words=WORDS, host=WORDS)
def test_no_word_of_a_server_becomes_a_line(form, words, host):
    """One entry, printable ASCII, and nothing for the linter."""
    reasons = dict.fromkeys((Rung.MUST_NOPEERMATCH, Rung.MUST), words)
    refused = address(facts(Rung.MAY), host=host, reasons=reasons)
    good = address(until=NOON + timedelta(days=1), host=host)
    for each in (refused, good):
        wanted = wish(form)
        made = table_of([window(each, sts_mx=(words,), ways=dict.fromkeys(Way, Fact.YES))], wanted)
        texts = [policy_text(made, wanted), *([routes_text(made, wanted)] if form == "transport" else [])]
        for text in texts:
            assert text.isascii()
            assert not [char for char in OBEYED if char in text]
            assert len(parse_text_table(text, "table").entries) <= 1
            assert all(len(line) < 1000 for line in text.splitlines())
        messages = lint_table(texts[0], "table", policy_kind(wanted))
        assert {message.severity for message in messages} <= {Severity.INFO}

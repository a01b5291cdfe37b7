"""Rows from judgements: every column, and the difference between no, unknown and not there."""

import msgspec

from audits.findings import Finding, Verdict
from audits.frames.columns import FRAMES
from audits.frames.domain_rows import domain_row, endpoint_rows, finding_rows
from scanner.facts import Fact, RouteStatus
from tests.audits.diff.looks import THROTTLED, certificate, look, one
from tests.audits.policy_factory import MATCH, host_tlsa, tlsa_answer
from tests.audits.session_factory import NO_TLS

FINDING = Finding(
    baseline="b", requirement="R-1", rule="TLS-1", title="t", subject="s", verdict=Verdict.FAIL, at_stake=Verdict.FAIL,
    level="must", clause="3.1", confidence="confirmed", evidence="<b>", grade="", waiver="",
)  # fmt: skip


def columns(name):
    return {column.name for column in FRAMES[name].columns}


def test_every_column_is_filled_and_no_other():
    record = look(0, one(leaf=certificate(1), published=True)).record
    assert domain_row("r", record).keys() == columns("domains")
    (row,) = endpoint_rows("r", record)
    assert row.keys() == columns("endpoints")
    (found,) = finding_rows("r", msgspec.structs.replace(record, findings=(FINDING,)))
    assert found.keys() == columns("findings")
    assert (found["verdict"], found["evidence"], found["run"]) == ("fail", "<b>", "r")


def test_a_healthy_domain():
    record = look(0, one(leaf=certificate(1, days=90), versions={"TLSv1.3": Fact.YES, "TLSv1.0": Fact.NO})).record
    row = domain_row("r", record)
    assert (row["grade"], row["reason"], row["mx_host"]) == ("MUST", "", "")
    assert row["operator"] == "example.org"
    assert row["expires"] == certificate(1, days=90).not_after
    (endpoint,) = endpoint_rows("r", record)
    assert (endpoint["tlsv1_3"], endpoint["tlsv1_0"], endpoint["sslv3"]) == ("yes", "no", "not-tested")
    assert (endpoint["trusted"], endpoint["leaf_sha256"]) == (True, "01" * 32)
    assert endpoint["reason"] == ""


def test_what_caps_the_grade():
    row = domain_row("r", look(0, one(NO_TLS)).record)
    assert (row["grade"], row["reason"], row["mx_host"]) == ("MAY", "starttls-not-supported", "mx.example.org")
    (endpoint,) = endpoint_rows("r", look(0, one(NO_TLS)).record)
    assert (endpoint["reason"], endpoint["starttls"]) == ("starttls-not-supported", "no")


def test_silence_is_no_no():
    record = look(0, one(THROTTLED)).record
    row = domain_row("r", record)
    (endpoint,) = endpoint_rows("r", record)
    assert row["grade"] == "INCONCLUSIVE"
    assert (endpoint["state"], endpoint["trusted"], endpoint["leaf_not_after"]) == ("refused", None, None)
    assert endpoint["hybrid_group"] == "not-tested"
    assert "4.7.0 try later" in endpoint["detail"]


def test_policy_that_nobody_looked_for_is_empty_and_policy_that_is_not_there_is_a_word():
    blind, looked = (domain_row("r", look(0, one(published=seen)).record) for seen in (False, True))
    assert [blind[name] for name in ("dane", "mta_sts", "tls_rpt", "mx_dnssec")] == [None] * 4
    assert (looked["mta_sts"], looked["tls_rpt"], looked["mta_sts_mode"]) == ("none", False, None)


def test_dane_of_an_endpoint():
    night = one(published=True, tlsa=(host_tlsa(tlsa_answer(MATCH)),))
    rows = list(endpoint_rows("r", look(0, night).record))
    assert {(row["use"], row["dane"]) for row in rows} >= {("mail", "usable")}
    assert {row["sni"] for row in rows} == {"", "mx.example.org"}


def test_a_domain_without_mail_has_no_operator():
    record = msgspec.structs.replace(look(0, one()).record, endpoints=(), route=RouteStatus.NULL_MX)
    row = domain_row("r", record)
    assert (row["operator"], row["expires"], row["route"]) == ("", None, "null-mx")

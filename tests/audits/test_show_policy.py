"""What is published, as lines for people; foreign text is escaped."""

import msgspec

from audits.published import published_verdict
from audits.show_policy import published_lines
from scanner.facts import Level
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.policy_facts import MtaStsFacts, PolicyFetch, SignatureEnd, StsMode, StsPolicy, StsRecord, TlsRptFacts
from tests.audits.policy_factory import MATCH, MISMATCH, host_tlsa, seen_of, tlsa_answer
from tests.audits.session_factory import GOOD, MX, OTHER, SEEN, handshake, trusting


def lines(seen, rpt: TlsRptFacts | None = None) -> str:
    assert seen.facts.policy
    policy = msgspec.structs.replace(seen.facts.policy, tls_rpt=rpt)
    seen = msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, policy=policy))
    return "\n".join(published_lines(published_verdict(seen, (Level.MUST,), trusting)))


def sts(name: str = "1") -> MtaStsFacts:
    fetch = PolicyFetch(SEEN, "192.0.2.9", 200, "text/plain")
    return MtaStsFacts(StsRecord("", name), fetch=fetch, policy=StsPolicy(StsMode.ENFORCE, 60, (MX,)))


def test_a_domain_that_publishes_all():
    said = lines(
        seen_of(GOOD, host_tlsa(tlsa_answer(MATCH, MISMATCH)), sts=sts()),
        TlsRptFacts("v=TLSRPTv1", ("mailto:tls@example.org",), remarks=("odd",)),
    )
    for words in (
        "MUST by: MUST-DNSSEC MUST-STS",
        "DANE: sustained dane dane-only",
        "<- matches",
        "remark: matches no chain",
        "MTA-STS: valid enforce",
        "TLSRPT: mailto:tls@example.org",
        "remark: odd",
        "cliff: 2026-11-21 MUST",
    ):
        assert words in said
    assert "unless renewed" not in said
    assert "there is no such domain" not in said


def test_signatures_are_renewed_and_reports_need_a_destination():
    seen = seen_of(sts=sts())
    policy = msgspec.structs.replace(seen.facts.policy, signatures=(SignatureEnd("example.org", "MX", SEEN),))
    seen = msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, policy=policy))
    said = lines(seen, TlsRptFacts("v=TLSRPTv1", ("mailto:tls@gone.example",), missing="gone.example"))
    assert "cliff: 2026-11-21 DNSSEC: signatures of the MX answer end (example.org), unless renewed as usual" in said
    assert "reports to gone.example get lost: there is no such domain" in said


def test_only_the_handshake_with_a_name_verifies():
    stranger = msgspec.structs.replace(GOOD, shake=handshake(chain=(OTHER,)))
    assert "servername=" in lines(seen_of(stranger, sts=sts(), named=GOOD))


def test_nothing_and_failures():
    said = lines(seen_of(sts=MtaStsFacts()), TlsRptFacts(failure=ProbeFailure(Stage.DNS, Kind.SERVFAIL)))
    assert "MTA-STS: none" in said
    assert "DANE: no TLSA records;  sustained dane" in said
    assert "TLSRPT: unknown" in said


def test_foreign_text_is_escaped():
    said = lines(seen_of(sts=sts("\x1b[31m")), TlsRptFacts(problem="\x1b]0;x\x07"))
    assert "\x1b" not in said
    assert "\x07" not in said

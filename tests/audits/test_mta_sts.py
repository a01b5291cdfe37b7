"""MTA-STS as it is judged: states, hosts and words. Whole scans of policy hosts stand in test_published.py."""

import msgspec
import pytest

from audits.mta_sts import StsState, covered, sts_verdict
from audits.reasons import Cause
from scanner.facts import Fact
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.policy_facts import MtaStsFacts, PolicyFetch, StsMode, StsPolicy, StsRecord
from scanner.tls_facts import CertificateFacts
from tests.audits.policy_factory import seen_of
from tests.audits.session_factory import GOOD, MX, OTHER, SEEN, handshake, trusting

WEB = CertificateFacts("dd" * 32, b"web", names_dns=("mta-sts.example.org",), has_san=True)
POLICY = StsPolicy(StsMode.ENFORCE, 604_800, (MX,))
FETCH = PolicyFetch(SEEN, "192.0.2.9", 200, "text/plain", "...", (WEB,))
RECORD = StsRecord("v=STSv1; id=1", "1")


def sts(policy: StsPolicy | None = POLICY, **fetch: object) -> MtaStsFacts:
    return MtaStsFacts(RECORD, fetch=msgspec.structs.replace(FETCH, **fetch), policy=policy)


@pytest.mark.parametrize(
    ("facts", "state", "cause"),
    [
        (sts(), StsState.VALID, None),
        (MtaStsFacts(), StsState.NONE, None),
        (MtaStsFacts(failure=ProbeFailure(Stage.DNS, Kind.SERVFAIL)), StsState.UNKNOWN, Cause.DNS_UNANSWERED),
        (MtaStsFacts(failure=ProbeFailure(Stage.DNS, Kind.BOGUS)), StsState.UNKNOWN, Cause.DNSSEC_INVALID),
        (MtaStsFacts(StsRecord("", problem="2 records")), StsState.RECORD_INVALID, Cause.STS_POLICY_INVALID),
        (MtaStsFacts(RECORD), StsState.UNKNOWN, Cause.NOT_ASKED),
        (sts(media_type="TEXT/PLAIN ;charset=us-ascii"), StsState.VALID, None),
        (sts(media_type=""), StsState.FETCH_ERROR, Cause.STS_POLICY_FETCH_ERROR),
        (sts(None, status=404), StsState.FETCH_ERROR, Cause.STS_POLICY_FETCH_ERROR),
        (sts(None), StsState.POLICY_INVALID, Cause.STS_POLICY_INVALID),
        (sts(StsPolicy(problem="bad")), StsState.POLICY_INVALID, Cause.STS_POLICY_INVALID),
        (
            sts(certificates=(msgspec.structs.replace(WEB, names_dns=(), common_names=("mta-sts.example.org",)),)),
            StsState.WEBPKI_INVALID,
            Cause.STS_WEBPKI_INVALID,
        ),
        (
            sts(None, certificates=(), failure=ProbeFailure(Stage.POLICY_FETCH, Kind.TIMEOUT)),
            StsState.UNKNOWN,
            Cause.UNANSWERED,
        ),
        (
            sts(None, certificates=(), failure=ProbeFailure(Stage.POLICY_FETCH, Kind.EXCLUDED)),
            StsState.UNKNOWN,
            Cause.NOT_ASKED,
        ),
        (
            sts(None, certificates=(), failure=ProbeFailure(Stage.POLICY_FETCH, Kind.TLS)),
            StsState.FETCH_ERROR,
            Cause.STS_POLICY_FETCH_ERROR,
        ),
    ],
)
def test_states(facts, state, cause):
    verdict = sts_verdict(seen_of(sts=facts), trusting)
    assert verdict
    assert verdict.state is state
    assert (verdict.reason.cause if verdict.reason else None) is cause
    assert (verdict.delivers is Fact.NOT_TESTED) is (state is not StsState.VALID)


def test_delivery_is_judged_on_the_handshake_with_the_name():
    stranger = msgspec.structs.replace(GOOD, shake=handshake(chain=(OTHER,)))
    good = sts_verdict(seen_of(stranger, sts=sts(), named=GOOD), trusting)
    bad = sts_verdict(seen_of(GOOD, sts=sts(), named=stranger), trusting)
    assert good
    assert bad
    assert (good.delivers, bad.delivers) == (Fact.YES, Fact.NO)
    assert bad.reason
    assert bad.reason.cause is Cause.CERTIFICATE_HOST_MISMATCH


def test_a_silent_server_is_left_open():
    verdict = sts_verdict(seen_of(sts=sts(), named=msgspec.structs.replace(GOOD, connect=Kind.TIMEOUT)), trusting)
    assert verdict
    assert verdict.delivers is Fact.INCONCLUSIVE


@pytest.mark.parametrize(
    ("host", "pattern", "matches"),
    [
        ("mx.example.org", "mx.example.org", True),
        ("mx.example.org", "*.example.org", True),
        ("a.mx.example.org", "*.example.org", False),
        ("example.org", "*.example.org", False),
        ("mx.example.org", "example.org", False),
        ("mx.example.org", "*.org", False),
        ("mx.example.organic", "*.example.org", False),
    ],
)
def test_patterns(host, pattern, matches):
    assert covered(host, [pattern]) is matches


def test_remarks():
    policy = StsPolicy(StsMode.ENFORCE, 3600, (MX, "old.example.org"), remarks=("line 1 is empty",))
    verdict = sts_verdict(seen_of(sts=sts(policy)), trusting)
    assert verdict
    assert len(verdict.remarks) == 3

"""Cliff dates: which day comes first, and why."""

from datetime import timedelta

import msgspec
import pytest

from audits.cliffs import cliffs
from audits.dane import dane_verdict
from audits.mta_sts import StsState, StsVerdict
from scanner.facts import Level
from scanner.policy_facts import MtaStsFacts, PolicyFetch, StsMode, StsPolicy, StsRecord
from scanner.tls_facts import CertificateFacts
from tests.audits.policy_factory import MATCH, MISMATCH, host_tlsa, seen_of, tlsa_answer
from tests.audits.session_factory import GOOD, MX, SEEN

DAY = timedelta(days=1)
UNTIL = SEEN + 9 * DAY
WEB = CertificateFacts("dd" * 32, b"web", names_dns=("mta-sts.example.org",), not_after=SEEN + 5 * DAY)


def told(*found):
    return [(cliff.at, cliff.what, cliff.where) for cliff in found]


def test_the_leaf_ends_must_and_nothing_else():
    seen = seen_of()
    assert told(*cliffs(seen, (Level.MUST,), None, None)) == [(SEEN, "MUST", MX)]
    assert cliffs(seen, (Level.MAY,), None, None) == ()


def test_tlsa_records_of_a_certificate_end_with_it_and_those_of_a_key_do_not():
    signed = msgspec.structs.replace(tlsa_answer(MATCH), signed_until=UNTIL)
    seen = seen_of(GOOD, host_tlsa(signed))
    found = cliffs(seen, (), dane_verdict(seen), None)
    assert told(*found) == [(SEEN, "DANE", MX), (UNTIL, "DANE", MX)]
    of_a_key = msgspec.structs.replace(signed, records=(msgspec.structs.replace(MISMATCH, selector=1),))
    seen = seen_of(GOOD, host_tlsa(of_a_key))
    assert told(*cliffs(seen, (), dane_verdict(seen), None)) == [(UNTIL, "DANE", MX)]


def test_the_signatures_of_the_mx_record_end_too():
    seen = seen_of(GOOD, host_tlsa(tlsa_answer(msgspec.structs.replace(MATCH, selector=1))))
    assert seen.facts.policy
    policy = msgspec.structs.replace(seen.facts.policy, mx_signed_until=UNTIL)
    seen = msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, policy=policy))
    assert told(*cliffs(seen, (), dane_verdict(seen), None)) == [(UNTIL, "DANE", "example.org")]


@pytest.mark.parametrize(
    ("state", "mode", "at"),
    [
        (StsState.VALID, StsMode.ENFORCE, SEEN + 5 * DAY),
        (StsState.VALID, StsMode.TESTING, SEEN + 5 * DAY),
        (StsState.WEBPKI_INVALID, StsMode.ENFORCE, SEEN + 7 * DAY),
        (StsState.VALID, StsMode.NONE, None),
    ],
)
def test_mta_sts(state, mode, at):
    policy = StsPolicy(mode, 7 * 86400, (MX,))
    fetch = PolicyFetch(SEEN, "192.0.2.9", 200, "text/plain", "", (WEB,))
    seen = seen_of(sts=MtaStsFacts(StsRecord("", "1"), fetch=fetch, policy=policy))
    verdict = StsVerdict(state, mode=mode, max_age_s=7 * 86400)
    expected = [(at, "MTA-STS", "mta-sts.example.org")] if at else []
    assert told(*cliffs(seen, (), None, verdict)) == expected

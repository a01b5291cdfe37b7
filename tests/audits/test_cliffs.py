"""Cliff dates: which day comes first, and why."""

from datetime import timedelta

import msgspec
import pytest

from audits.cliffs import SHOWN, Cliff, cliffs, next_cliff
from audits.dane import dane_verdict
from audits.mta_sts import StsState, StsVerdict
from audits.trust import ChainVerdict
from scanner.facts import Level
from scanner.policy_facts import MtaStsFacts, PolicyFetch, SignatureEnd, StsMode, StsPolicy, StsRecord
from scanner.tls_facts import CertificateFacts
from tests.audits.policy_factory import MATCH, MISMATCH, host_tlsa, seen_of, seen_with_chain, tlsa_answer, tlsa_of
from tests.audits.session_factory import GOOD, ISSUER, LEAF, MX, SEEN
from tests.certificate_factory import intermediate, leaf, root

DAY = timedelta(days=1)
UNTIL = SEEN + 9 * DAY
WEB = CertificateFacts("dd" * 32, b"web", names_dns=("mta-sts.example.org",), not_after=SEEN + 5 * DAY)


def told(*found):
    return [(cliff.at, cliff.what, cliff.where) for cliff in found]


def test_the_leaf_ends_must_and_nothing_else():
    seen = seen_of()
    assert told(*cliffs(seen, (Level.MUST,), None, None)) == [(SEEN, "MUST", MX)]
    assert cliffs(seen, (Level.MAY,), None, None) == ()


def with_policy(seen, **changes):
    policy = msgspec.structs.replace(seen.facts.policy, **changes)
    return msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, policy=policy))


def dane_cliffs(*records, chain=(LEAF, ISSUER), signed_until=None):
    """The cliffs of a host with this chain and these records."""
    answer = msgspec.structs.replace(tlsa_answer(*records), signed_until=signed_until)
    seen = seen_with_chain(chain, host_tlsa(answer))
    return told(*cliffs(seen, (), dane_verdict(seen), None))


def test_tlsa_records_of_a_certificate_end_with_it_and_those_of_a_key_do_not():
    base = f"_25._tcp.{MX}"
    assert dane_cliffs(MATCH, signed_until=UNTIL) == [(SEEN, "DANE", MX), (UNTIL, "DANE", base)]
    of_a_key = msgspec.structs.replace(MISMATCH, selector=1)
    assert dane_cliffs(of_a_key, signed_until=UNTIL) == [(UNTIL, "DANE", base)]


def test_days_that_roll_on_do_not_hide_the_end_of_a_certificate():
    """A zone that is signed anew each week has many ends before the one for which somebody must act."""
    ends = tuple(SignatureEnd(f"host-{number}.test", "A", SEEN - (number + 1) * DAY) for number in range(20))
    found = cliffs(with_policy(seen_of(), signatures=ends), (Level.MUST,), None, None)
    assert [cliff for cliff in found if not cliff.rolling] == [found[-1]]
    assert told(found[-1]) == [(SEEN, "MUST", MX)]
    assert len(found) == SHOWN + 1


ROOT = root()
BELOW = intermediate(ROOT, not_after=SEEN + 99 * DAY)
GIVEN = leaf(BELOW, MX)
SERVED = (GIVEN.facts, BELOW.facts)


@pytest.mark.parametrize(
    ("records", "dates"),
    [
        ([tlsa_of(3, 1, GIVEN.facts)], []),
        ([tlsa_of(3, 0, GIVEN.facts)], [GIVEN]),
        ([tlsa_of(3, 0, GIVEN.facts), tlsa_of(3, 1, GIVEN.facts)], []),
        ([tlsa_of(2, 0, BELOW.facts)], [GIVEN]),
        ([tlsa_of(2, 1, ROOT.facts)], [GIVEN, BELOW]),
        ([tlsa_of(2, 0, BELOW.facts), tlsa_of(2, 1, ROOT.facts)], [GIVEN]),
        ([tlsa_of(2, 0, BELOW.facts), tlsa_of(3, 1, GIVEN.facts)], []),
    ],
)
def test_the_dates_that_a_match_rests_on(records, dates):
    """Below an anchor every certificate must be valid; the anchor's own dates do not count, nor those of a bare key."""
    chain = (*SERVED, ROOT.facts)
    expected = sorted((each.facts.not_after, "DANE", MX) for each in dates)
    assert dane_cliffs(*records, chain=chain) == expected


def test_an_intermediate_counts_where_it_ends_before_the_leaf():
    seen = seen_with_chain(SERVED)
    assert told(*cliffs(seen, (Level.MUST,), None, None)) == [
        (BELOW.facts.not_after, "MUST", MX),
        (GIVEN.facts.not_after, "MUST", MX),
    ]
    longer = (GIVEN.facts, intermediate(ROOT).facts)
    assert told(*cliffs(seen_with_chain(longer), (Level.MUST,), None, None)) == [(GIVEN.facts.not_after, "MUST", MX)]


def test_what_is_sent_along_and_not_used_ends_without_harm():
    """An old cross-signed root, expired for years or about to be: the grade and the policy rest on another path."""
    expired = intermediate(root("Old Root CA"), "Example Root CA", not_after=SEEN - 99 * DAY).facts
    ending = intermediate(root("Old Root CA"), "Example Root CA", not_after=SEEN + 9 * DAY).facts
    seen = seen_with_chain((*SERVED, expired, ending))
    verified = ChainVerdict(trusted=True, verified=tuple(each.sha256 for each in (GIVEN, BELOW, ROOT)))
    judged = [msgspec.structs.replace(verdict, trust=verified) for verdict in seen.verdicts]
    found = cliffs(msgspec.structs.replace(seen, verdicts=judged), (Level.MUST,), None, None)
    assert [cliff.at for cliff in found] == [BELOW.facts.not_after, GIVEN.facts.not_after]

    assert dane_cliffs(tlsa_of(2, 1, ROOT.facts), chain=(*SERVED, expired, ROOT.facts)) == [
        (BELOW.facts.not_after, "DANE", MX),
        (GIVEN.facts.not_after, "DANE", MX),
    ]
    fetch = PolicyFetch(SEEN, "192.0.2.9", 200, "text/plain", "", (WEB, expired))
    facts = MtaStsFacts(StsRecord("", "1"), fetch=fetch, policy=StsPolicy(StsMode.ENFORCE, 7 * 86400, (MX,)))
    sts = StsVerdict(StsState.VALID, mode=StsMode.ENFORCE, max_age_s=7 * 86400)
    assert [cliff.at for cliff in cliffs(seen_of(sts=facts), (), None, sts)] == [WEB.not_after]


@pytest.mark.parametrize(("tlsa", "what"), [((), "DNSSEC"), ((MATCH,), "DANE")])
def test_the_signatures_of_a_signed_zone_end_too(tlsa, what):
    seen = seen_of(GOOD, host_tlsa(tlsa_answer(*(msgspec.structs.replace(each, selector=1) for each in tlsa))))
    ends = SignatureEnd("example.org", "MX", UNTIL), SignatureEnd(MX, "A", UNTIL + DAY)
    found = cliffs(with_policy(seen, signatures=ends), (), dane_verdict(seen), None)
    assert told(*found) == [(UNTIL, what, "example.org"), (UNTIL + DAY, what, MX)]
    assert all(cliff.rolling and cliff.why.startswith("signatures of the ") for cliff in found)


def test_the_next_cliff_is_one_for_which_somebody_must_act():
    rolling, fixed = Cliff(SEEN, "DANE", "signatures", rolling=True), Cliff(UNTIL, "MUST", "leaf")
    assert next_cliff((rolling, fixed)) is fixed
    assert next_cliff((rolling,)) is rolling
    assert next_cliff(()) is None


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
    fetch = PolicyFetch(SEEN, "192.0.2.9", 200, "text/plain", "", (WEB, ISSUER))
    seen = seen_of(sts=MtaStsFacts(StsRecord("", "1"), fetch=fetch, policy=policy))
    verdict = StsVerdict(state, mode=mode, max_age_s=7 * 86400)
    expected = [(at, "MTA-STS", "mta-sts.example.org")] if at else []
    assert told(*cliffs(seen, (), None, verdict)) == expected


def test_the_chain_of_the_policy_host_and_the_signatures_on_the_way_to_it():
    below = msgspec.structs.replace(ISSUER, not_after=SEEN + 3 * DAY)
    fetch = PolicyFetch(SEEN, "192.0.2.9", 200, "text/plain", "", (WEB, below))
    ends = (SignatureEnd("_mta-sts.example.org", "TXT", UNTIL),)
    policy = StsPolicy(StsMode.ENFORCE, 7 * 86400, (MX,))
    seen = seen_of(sts=MtaStsFacts(StsRecord("", "1"), fetch=fetch, policy=policy, signatures=ends))
    found = cliffs(seen, (), None, StsVerdict(StsState.VALID, mode=StsMode.ENFORCE, max_age_s=7 * 86400))
    assert [(cliff.at, cliff.why.split()[0], cliff.rolling) for cliff in found] == [
        (SEEN + 3 * DAY, "intermediate", False),
        (SEEN + 5 * DAY, "leaf", False),
        (UNTIL, "signatures", True),
    ]

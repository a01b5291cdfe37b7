"""MUST, split by how the MX name was learnt."""

import msgspec
import pytest

from audits.mta_sts import StsHost, StsState, StsVerdict
from audits.must_names import MustBy, must_by
from scanner.facts import Dnssec, Fact, Level, RouteStatus
from scanner.policy_facts import StsMode
from tests.audits.policy_factory import seen_of
from tests.audits.session_factory import GOOD, ISSUER, LEAF, MX, handshake

MUST = (Level.MUST,)
HOST = StsHost(MX, "192.0.2.1", True, Fact.YES)
STS = StsVerdict(StsState.VALID, mode=StsMode.ENFORCE, hosts=(HOST,))


@pytest.mark.parametrize(
    ("dnssec", "sts", "ways"),
    [
        (Dnssec.SECURE, None, [MustBy.DNSSEC]),
        (Dnssec.SECURE, STS, [MustBy.DNSSEC, MustBy.STS]),
        (Dnssec.INSECURE, STS, [MustBy.STS]),
        (Dnssec.INDETERMINATE, None, [MustBy.INSECURE_MX]),
        (Dnssec.INSECURE, None, [MustBy.INSECURE_MX]),
        (Dnssec.INSECURE, msgspec.structs.replace(STS, mode=StsMode.TESTING), [MustBy.INSECURE_MX]),
        (Dnssec.INSECURE, msgspec.structs.replace(STS, state=StsState.FETCH_ERROR), [MustBy.INSECURE_MX]),
        (
            Dnssec.INSECURE,
            msgspec.structs.replace(STS, hosts=(HOST, msgspec.structs.replace(HOST, in_policy=False))),
            [MustBy.INSECURE_MX],
        ),
    ],
)
def test_ways(dnssec, sts, ways):
    assert list(must_by(seen_of(mx_dnssec=dnssec), MUST, sts)) == ways


@pytest.mark.parametrize("status", [RouteStatus.IMPLICIT_MX, RouteStatus.NEXT_HOP])
def test_a_name_that_no_mx_record_gave(status):
    assert must_by(seen_of(status=status, mx_dnssec=Dnssec.INSECURE), MUST, None) == (MustBy.NEXTHOP,)


def test_a_certificate_of_the_domain_itself():
    both = msgspec.structs.replace(LEAF, names_dns=(MX, "example.org"))
    seen = seen_of(msgspec.structs.replace(GOOD, shake=handshake(chain=(both, ISSUER))), mx_dnssec=Dnssec.INSECURE)
    known = {
        endpoint: msgspec.structs.replace(facts, certificates=(both, ISSUER))
        for endpoint, facts in seen.endpoints.items()
    }
    assert must_by(msgspec.structs.replace(seen, endpoints=known), MUST, None) == (MustBy.NEXTHOP,)


def test_without_must_there_is_nothing_to_split():
    assert must_by(seen_of(), (Level.MAY,), STS) == ()

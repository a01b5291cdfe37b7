"""MTA-STS and TLSRPT as they were found and judged."""

import msgspec
import pytest

from audits.established.published_policy import (
    PolicyHostName,
    StsFetched,
    StsPolicySeen,
    StsPublished,
    StsServer,
    TlsReporting,
    without_policy,
)
from audits.established.views import DomainView, Inapplicable, Missing
from audits.mta_sts import StsState
from scanner.answers import Fact
from scanner.facts import MailRoute, RouteStatus
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.mta_sts import sts_policy, sts_record
from scanner.policy_facts import MtaStsFacts, PolicyFacts, PolicyFetch, StsMode, TlsRptFacts
from scanner.tlsrpt import tls_rpt_record
from tests.audits.policy_factory import seen_of
from tests.audits.session_factory import GOOD, MX, SEEN, SILENT
from tests.certificate_factory import self_signed

from .views import failure, only, routed, view_of

TEXT = "version: STSv1\nmode: {mode}\nmax_age: 1209600\nmx: {mx}\n"
RECORD = sts_record(["v=STSv1; id=20261121;"])
HOST = "mta-sts.example.org"
STS_FACTS = (StsPublished, StsFetched, StsPolicySeen, StsServer, PolicyHostName)


def fetched(body: str, **changes) -> MtaStsFacts:
    """A policy that was fetched from a host with a certificate of its own name (every chain is trusted here)."""
    chain = (self_signed(changes.pop("name", HOST)).facts,)
    fetch = PolicyFetch(SEEN, "192.0.2.7", 200, "text/plain", body, chain)
    fetch = msgspec.structs.replace(fetch, **changes)
    return MtaStsFacts(RECORD, fetch=fetch, policy=sts_policy(body) if fetch.status == 200 else None)


def view(sts: MtaStsFacts | None, server=GOOD) -> DomainView:
    return view_of(seen_of(server, sts=sts))


GOOD_POLICY = fetched(TEXT.format(mode="enforce", mx=MX))
TIMEOUT = ProbeFailure(Stage.POLICY_FETCH, Kind.TIMEOUT, "60 s")


def test_a_policy_in_force_is_known_to_its_servers():
    good = view(GOOD_POLICY)
    assert only(StsPublished, good) == StsPublished(RECORD)
    assert only(StsFetched, good) == StsFetched(StsState.VALID)
    assert only(StsPolicySeen, good) == StsPolicySeen(StsMode.ENFORCE, 1_209_600, (MX,))
    assert only(PolicyHostName, good) == PolicyHostName(HOST, HOST)
    ((subject, server),) = StsServer.of_domain(good)
    assert isinstance(server, StsServer)
    assert (subject, server.host.verified) == (f"{MX} [192.0.2.1]", Fact.YES)


def test_patterns_and_hosts_are_compared():
    other = fetched(TEXT.format(mode="testing", mx="*.example.net"))
    seen = only(StsPolicySeen, view(other))
    assert (seen.uncovered, seen.unused) == ((MX,), ("*.example.net",))


@pytest.mark.parametrize(
    ("sts", "state"),
    [
        (fetched("", status=404), StsState.FETCH_ERROR),
        (fetched(TEXT.format(mode="enforce", mx=MX), name="other.example.net"), StsState.WEBPKI_INVALID),
        (fetched("version: STSv1\n"), StsState.POLICY_INVALID),
    ],
)
def test_what_keeps_a_policy_from_being_in_force(sts, state):
    seen = view(sts)
    found = only(StsFetched, seen)
    assert found.state is state
    assert found.why
    assert isinstance(only(StsPolicySeen, seen), Inapplicable)
    assert isinstance(only(StsServer, seen), Inapplicable)


def test_a_policy_host_that_does_not_answer_leaves_all_open():
    silent = view(MtaStsFacts(RECORD, fetch=PolicyFetch(SEEN, "192.0.2.7", failure=TIMEOUT)))
    assert only(StsPublished, silent) == StsPublished(RECORD), "the record is known all the same"
    for fact in (StsFetched, StsPolicySeen, StsServer, PolicyHostName):
        found = only(fact, silent)
        assert isinstance(found, Missing)
        assert "timeout" in found.why


def test_servers_that_do_not_answer_leave_their_question_open():
    assert isinstance(only(StsServer, view(GOOD_POLICY, SILENT)), Missing)
    leaving = fetched("version: STSv1\nmode: none\nmax_age: 60\n")
    assert isinstance(only(StsServer, view(leaving)), Inapplicable)


@pytest.mark.parametrize("sts", [MtaStsFacts(), MtaStsFacts(sts_record(["v=STSv1; id=;"]))])
def test_without_a_valid_record_there_is_no_policy(sts):
    for fact in STS_FACTS[1:]:
        assert isinstance(only(fact, view(sts)), Inapplicable)
    assert only(StsPublished, view(sts)) == StsPublished(sts.record)


def test_a_wildcard_is_shown_as_such():
    assert only(PolicyHostName, view(fetched("", name="*.example.org"))).identifier == "*.example.org"


@pytest.mark.parametrize("fact", [*STS_FACTS, TlsReporting])
def test_failed_look_ups_and_other_routes(fact):
    broken = PolicyFacts((), MtaStsFacts(failure=failure()), TlsRptFacts(failure=failure()))
    seen = view(None)
    failed = msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, policy=broken))
    assert "servfail" in only(fact, failed).why
    nexthop = msgspec.structs.replace(seen.facts, route=MailRoute(RouteStatus.NEXT_HOP))
    assert isinstance(only(fact, msgspec.structs.replace(seen, facts=nexthop)), Inapplicable)
    assert isinstance(only(fact, routed(MailRoute(RouteStatus.NULL_MX))), Inapplicable)
    assert isinstance(without_policy(routed(MailRoute(RouteStatus.MX))), Missing)


def test_reporting_is_a_record_or_none():
    record = tls_rpt_record(["v=TLSRPTv1; rua=mailto:t@example.org"])
    seen = view(None)
    policy = PolicyFacts((), None, record)
    with_record = msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, policy=policy))
    assert only(TlsReporting, with_record) == TlsReporting(record)
    assert only(TlsReporting, seen) == TlsReporting(None)

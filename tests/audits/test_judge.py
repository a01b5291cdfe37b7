"""Records from stored facts: the same for every judge, at any time, in any order, however many domains share a host."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits import judge as judge_module
from audits.judge import Judge
from audits.records import DomainRecord
from audits.trust import TrustStore
from scanner.facts import (
    DomainFacts,
    EndpointFacts,
    EndpointRef,
    Level,
    MailRoute,
    RouteStatus,
    Target,
)
from scanner.failures import Kind, ProbeFailure, Stage
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, any_server, asked, domain_facts, handshake, reference
from tests.certificate_factory import SEEN, intermediate, leaf, root

ROOT = root()
INTERMEDIATE = intermediate(ROOT)
TRUST = TrustStore([ROOT.der])
MX = "mx.example.org"
CHAIN = (leaf(INTERMEDIATE, MX).facts, INTERMEDIATE.facts)

Case = tuple[DomainFacts, tuple[EndpointFacts, ...]]


def trusted(address: str = "192.0.2.1", at=SEEN, chain=CHAIN) -> EndpointFacts:
    """A healthy server with a real chain, as it was seen at that time."""
    facts = asked(msgspec.structs.replace(GOOD, shake=handshake(chain=chain)), address=address)
    return msgspec.structs.replace(facts, certificates=chain, seen_at=at)


def domain(name: str, *seen: EndpointFacts, required: Level | None = None, status=RouteStatus.MX) -> Case:
    facts = domain_facts(*map(reference, seen), status=status)
    return msgspec.structs.replace(facts, target=Target(name, name, required=required)), seen


def fresh(case: Case, required: Level | None = None) -> DomainRecord:
    """The record by a judge who has seen nothing before."""
    return Judge(TRUST, 9, required).record(*case)


def test_a_trusted_chain_with_the_right_name_is_must():
    record = fresh(domain("a.example", trusted()))
    assert (record.grade, record.domain, record.binding) == ("MUST", "a.example", None)


def test_the_time_of_judgement_is_when_the_chain_was_seen():
    until = CHAIN[0].not_after
    assert fresh(domain("a.example", trusted(at=until - timedelta(days=1)))).grade == "MUST"
    late = fresh(domain("a.example", trusted(at=until + timedelta(days=1))))
    assert (late.grade, late.binding.reason) == ("MUST_NOPEERMATCH", "certificate-expired")


def test_the_depth_and_the_trust_store_are_those_of_the_judge():
    second = intermediate(INTERMEDIATE, "Second")
    third = intermediate(second, "Third")
    chain = (leaf(third, MX).facts, third.facts, second.facts, INTERMEDIATE.facts)
    case = domain("a.example", trusted(chain=chain))
    assert Judge(TRUST, 9, None).record(*case).grade == "MUST"
    assert Judge(TRUST, 1, None).record(*case).grade == "MUST_NOPEERMATCH"
    stranger = TrustStore([root("Another Root").der])
    assert Judge(stranger, 9, None).record(*domain("a.example", trusted())).binding.reason == "certificate-not-trusted"


def test_an_idn_is_shown_as_people_write_it():
    record = fresh(domain("xn--bcher-kva.example", trusted()))
    assert (record.domain, record.domain_unicode) == ("xn--bcher-kva.example", "bücher.example")


# --- domains that share their hosts --------------------------------------------------------------------------------


def test_domains_with_the_same_hosts_differ_in_name_and_demand_only():
    judge, host = Judge(TRUST, 9, None), asked(NO_TLS)
    first = judge.record(*domain("a.example", host))
    second = judge.record(*domain("b.example", host))
    demanding = judge.record(*domain("c.example", host, required=Level.MUST))
    assert second == msgspec.structs.replace(first, domain="b.example", domain_unicode="b.example")
    assert (first.compliant, demanding.compliant, demanding.required) == (None, False, "MUST")


def test_where_no_mail_goes_each_domain_is_named():
    judge = Judge(TRUST, 9, None)
    for name in ("a.example", "b.example"):
        record = judge.record(*domain(name, status=RouteStatus.NULL_MX))
        assert (record.grade, record.binding.detail) == ("NO_MAIL", name)


def test_what_keeps_a_domain_from_being_asked_is_its_own():
    judge = Judge(TRUST, 9, None)
    for name in ("a.example", "b.example"):
        left_alone = MailRoute(RouteStatus.UNRESOLVED, failure=ProbeFailure(Stage.DNS, Kind.EXCLUDED, name))
        record = judge.record(DomainFacts(Target(name, name), left_alone), ())
        assert name in record.binding.detail


def test_the_same_host_by_another_name_is_judged_anew():
    judge, host = Judge(TRUST, 9, None), trusted()
    facts, seen = domain("a.example", host)
    other = msgspec.structs.replace(facts, endpoints=(EndpointRef("mx.example.net", 10, host.endpoint),))
    assert judge.record(facts, seen).grade == "MUST"
    assert judge.record(other, seen).binding.reason == "certificate-host-mismatch"


def test_new_facts_of_the_same_host_are_judged_anew():
    """Facts of an endpoint may be forgotten and seen again; objects that die give their ids to others."""
    judge = Judge(TRUST, 9, None)
    for number in range(200):
        server = (GOOD, NO_TLS, SILENT)[number % 3]
        case = domain(f"d{number}.example", asked(server))
        assert judge.record(*case).grade == fresh(case).grade
        del case


SHARED = st.lists(any_server().map(asked), min_size=1, max_size=2)
DEMANDS = st.sampled_from([None, Level.MAY, Level.MUST])
STATUSES = st.sampled_from([RouteStatus.MX, RouteStatus.IMPLICIT_MX, RouteStatus.NULL_MX, RouteStatus.NO_MX_ADDRESS])


@settings(deadline=None)
@given(SHARED, st.lists(st.tuples(DEMANDS, STATUSES, st.integers(0, 3)), max_size=8), DEMANDS)
def test_a_judge_with_memory_says_what_one_without_says(hosts, domains, required):
    judge = Judge(TRUST, 9, required)
    for number, (demand, status, which) in enumerate(domains):
        seen = [host for bit, host in enumerate(hosts) if which & 1 << bit]
        case = domain(f"d{number}.example", *seen, required=demand, status=status)
        assert judge.record(*case) == fresh(case, required)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(judge_module, "ALIKE", 3)
    monkeypatch.setattr(judge_module, "REMEMBERED", 3)
    judge = Judge(TRUST, 9, None)
    for number in range(1, 20):
        at = SEEN + timedelta(minutes=number)
        assert judge.record(*domain("a.example", trusted(f"192.0.2.{number}", at))).grade == "MUST"
        held = [value for value in vars(judge).values() if isinstance(value, dict)]
        assert held
        assert all(len(memory) <= 3 for memory in held)


@pytest.mark.parametrize("count", [1, 3])
def test_a_stored_run_is_judged_the_same_after_a_year(count):
    """Facts that went through JSON, as the store keeps them, give the same record."""
    hosts = [trusted(f"192.0.2.{number}") for number in range(1, count + 1)]
    facts, seen = domain("a.example", *hosts)
    again = msgspec.json.decode(msgspec.json.encode(facts), type=DomainFacts)
    back = tuple(msgspec.json.decode(msgspec.json.encode(each), type=EndpointFacts) for each in seen)
    assert fresh((again, back)) == fresh((facts, seen))

"""What is settled of published policy: answers count, silence leaves the earlier one."""

from audits.diff.policy_view import dane_kept, dnssec_seen, sts_kept, tlsa_seen, tlsrpt_kept
from audits.diff.settled import Settled
from scanner.facts import Dnssec, Fact, RouteStatus
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.policy_facts import MtaStsFacts
from tests.audits.diff.looks import FAILED, Night, look, one
from tests.audits.diff.test_policy import HERE, sts, tlsa
from tests.audits.policy_factory import host_tlsa
from tests.audits.session_factory import MX, SEEN


def test_where_nobody_looked_nothing_is_settled():
    bare = look(0, one())
    assert tlsa_seen(bare) == {}
    assert dane_kept(None, bare, False) is sts_kept(None, bare, False) is tlsrpt_kept(None, bare) is None


def test_dane_without_records_is_nothing_to_speak_of():
    assert dane_kept(None, look(0, one(published=True)), False) is None


def test_a_yes_of_those_who_answered_mends_nothing():
    broken = Settled(Fact.NO, "night-0", SEEN)
    now = look(1, one(published=True, tlsa=tlsa(HERE)))
    assert now.record.published.dane.dane is Fact.YES
    assert dane_kept(broken, now, partial=True) is broken
    assert dane_kept(broken, now, partial=False).value is Fact.YES


def test_whether_a_policy_is_kept_stays_known_while_servers_are_silent():
    first = sts_kept(None, look(0, one(published=True, sts=sts())), False)
    again = sts_kept(first, look(1, Night(servers={}, published=True, sts=sts())), True)
    assert again.value == first.value
    assert sts_kept(first, look(1, one(published=True, sts=MtaStsFacts(failure=FAILED))), False) is first


def test_records_by_host_and_port():
    seen = look(0, one(published=True, tlsa=(*tlsa(HERE), host_tlsa(FAILED, 465), host_tlsa(FAILED))))
    assert list(tlsa_seen(seen)) == []
    seen = look(0, one(published=True, tlsa=(*tlsa(HERE), host_tlsa(FAILED, 465))))
    assert list(tlsa_seen(seen)) == [MX]


def test_wrong_signatures_are_told_and_missing_answers_are_not():
    bogus = look(0, Night(servers={}, status=RouteStatus.UNRESOLVED))
    assert dnssec_seen(bogus) == {}
    assert dnssec_seen(look(0, one(mx_dnssec=Dnssec.SECURE)))[""] is Dnssec.SECURE
    assert ProbeFailure(Stage.DNS, Kind.BOGUS).kind is Kind.BOGUS

"""Grades, hosts and servers between two nights."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.diff import Kind, Severity
from scanner.facts import Fact, RouteStatus
from tests.audits.diff.looks import Night, changes, kinds, look, one
from tests.audits.session_factory import BROKEN_TLS, GOOD, NO_CERTIFICATE, NO_TLS, any_server

MX = "mx.example.org"
BOTH = [("192.0.2.1", NO_TLS), ("192.0.2.2", BROKEN_TLS)]


def test_a_night_like_the_other_changes_nothing():
    assert changes(one(), one()) == ()


def test_a_lower_grade_tells_why_and_what_is_lost():
    down, lost = changes(one(), one(NO_TLS))
    assert (down.kind, down.severity, down.before, down.after) == (Kind.GRADE_DOWN, Severity.ALARM, "MUST", "MAY")
    assert (down.where, down.detail) == (MX, "starttls-not-supported")
    assert (lost.kind, lost.severity, lost.where) == (Kind.STARTTLS_LOST, Severity.ALARM, MX)


def test_an_untrusted_certificate_is_a_warning_because_encryption_stays():
    (down,) = changes(one(), one(trusted=False))
    assert (down.kind, down.severity) == (Kind.GRADE_DOWN, Severity.WARNING)
    assert (down.detail, down.evidence) == ("certificate-expired", "certificate has expired")


def test_another_cause_for_the_same_grade():
    (same,) = changes(one(trusted=False), one(NO_CERTIFICATE))
    assert same.kind is Kind.CAUSE_CHANGED
    assert (same.before, same.after) == (
        "MUST_NOPEERMATCH (certificate-expired)",
        "MUST_NOPEERMATCH (no-certificate)",
    )


@pytest.mark.parametrize("status", [RouteStatus.NULL_MX, RouteStatus.NO_SUCH_DOMAIN])
def test_a_domain_that_takes_no_mail_any_more_is_an_alarm(status):
    """That its hosts are gone goes without saying."""
    (down,) = changes(one(), Night(servers={}, status=status))
    assert (down.kind, down.severity, down.after) == (Kind.GRADE_DOWN, Severity.ALARM, "NO_MAIL")


def test_hosts_come_and_go_and_their_order_means_nothing():
    both = {"mx1.example.org": {"192.0.2.1": GOOD}, "mx2.example.org": {"192.0.2.2": GOOD}}
    first, turned = Night(servers=both), Night(servers=dict(reversed(both.items())))
    assert kinds(first, turned) == []
    alone = Night(servers={"mx1.example.org": both["mx1.example.org"]})
    (new,) = changes(alone, first)
    assert (new.kind, new.where, new.before, new.after) == (Kind.MX_NEW, "mx2.example.org", "", "mx2.example.org")
    assert new.evidence == "192.0.2.2"
    (gone,) = changes(first, alone)
    assert (gone.kind, gone.before, gone.after) == (Kind.MX_GONE, "mx2.example.org", "")


def test_of_two_causes_neither_is_new_because_it_is_asked_first():
    """A name server that turns the addresses round at each answer makes no news."""
    first, turned = (Night(servers={MX: dict(order)}) for order in (BOTH, BOTH[::-1]))
    assert {night.record.binding.reason for night in (look(0, first), look(1, turned))} == {
        "starttls-not-supported",
        "handshake-failed",
    }
    assert kinds(first, turned) == []
    one_mended = Night(servers={MX: {"192.0.2.1": NO_TLS, "192.0.2.2": GOOD}})
    assert Kind.CAUSE_CHANGED.value in kinds(turned, one_mended)
    assert Kind.CAUSE_CHANGED.value in kinds(one_mended, turned)


def test_addresses_of_a_host_are_information():
    one_address, other = ({MX: {address: GOOD}} for address in ("192.0.2.1", "192.0.2.7"))
    found = changes(Night(servers=one_address), Night(servers=other))
    assert [(c.kind, c.before, c.after) for c in found] == [
        (Kind.ADDRESS_NEW, "", "192.0.2.7"),
        (Kind.ADDRESS_GONE, "192.0.2.1", ""),
    ]
    assert {c.severity for c in found} == {Severity.INFORMATION}


def test_an_old_version_that_comes_back_is_a_warning():
    yes, no = ({"TLSv1.0": fact, "TLSv1.3": fact} for fact in (Fact.YES, Fact.NO))
    found = {c.after: c.severity for c in changes(one(BROKEN_TLS, versions=no), one(BROKEN_TLS, versions=yes))}
    assert found == {"TLSv1.0 yes": Severity.WARNING, "TLSv1.3 yes": Severity.NOTICE}


def test_what_is_the_same_at_several_addresses_is_one_change():
    many = {f"mx{n}.example.org": {f"192.0.2.{n}": GOOD} for n in range(1, 6)}
    none = {host: dict.fromkeys(addresses, NO_TLS) for host, addresses in many.items()}
    found = changes(Night(servers=many), Night(servers=none))
    (lost,) = (c for c in found if c.kind is Kind.STARTTLS_LOST)
    assert lost.where == "mx1.example.org, mx2.example.org, mx3.example.org +2"


# --- forth and back ------------------------------------------------------------------------------------------------

BACK = {
    Kind.GRADE_DOWN: Kind.GRADE_UP,
    Kind.MX_NEW: Kind.MX_GONE,
    Kind.ADDRESS_NEW: Kind.ADDRESS_GONE,
    Kind.STARTTLS_LOST: Kind.STARTTLS_GAINED,
    Kind.PROTOCOL_LOST: Kind.PROTOCOL_GAINED,
    Kind.CAUSE_CHANGED: Kind.CAUSE_CHANGED,
    Kind.CERTIFICATE_CHANGED: Kind.CERTIFICATE_CHANGED,
}
BACK |= {there: here for here, there in BACK.items()}
HOSTS = st.dictionaries(
    st.sampled_from(["mx1.example.org", "mx2.example.org", "mx3.example.org"]),
    st.dictionaries(st.sampled_from(["192.0.2.1", "192.0.2.2"]), any_server(), min_size=1, max_size=2),
    min_size=1,
    max_size=3,
)
VERSIONS = st.dictionaries(st.sampled_from(["TLSv1.0", "TLSv1.2"]), st.sampled_from(Fact))
NIGHTS = st.builds(lambda servers, versions: Night(servers=servers, versions=versions), HOSTS, VERSIONS)


@settings(max_examples=200, deadline=None)
@given(NIGHTS, NIGHTS)
def test_the_way_back_is_the_opposite_of_the_way_there(first, second):
    """Where every mail endpoint answered on both nights; else a grade is an upper bound and goes one way only."""
    there, back = ({(c.kind, c.before, c.after) for c in changes(*way)} for way in ((first, second), (second, first)))
    expected = {(BACK[kind], after, before) for kind, before, after in there}
    if not unanswered(first) and not unanswered(second):
        assert back == expected
    grades = {Kind.GRADE_DOWN, Kind.GRADE_UP, Kind.CAUSE_CHANGED}
    assert {c for c in back if c[0] not in grades} == {c for c in expected if c[0] not in grades}


def unanswered(night: Night) -> list[str]:
    return [each.address for each in look(0, night).record.endpoints if each.state != "ok"]

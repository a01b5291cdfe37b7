"""The counts: ends, causes, deliveries, and what a change changes."""

from audits.simulate.outcomes import Kind, Outcome, Word
from audits.simulate.simulation import DomainSimulation
from audits.simulate.summary import DomainReport, Tally, end_of, is_lost, ranked

SENT = Outcome(Kind.TLS, Word.TRUSTED)
VERIFIED = Outcome(Kind.TLS, Word.VERIFIED)
LOST = Outcome(Kind.DEFERRED, None, "certificate-expired")
UNKNOWN = Outcome(Kind.UNKNOWN, None, "throttled")


def simulation(*possible: Outcome) -> DomainSimulation:
    return DomainSimulation("example.org", "smtp:example.org", possible)


def report(
    name: str, before: DomainSimulation, after: DomainSimulation | None = None, deliveries: int | None = None
) -> DomainReport:
    return DomainReport(name, before, after, deliveries)


def test_words_and_loss() -> None:
    assert end_of(simulation(SENT)) == "Trusted TLS"
    assert end_of(simulation(SENT, LOST)) == "varies"
    assert is_lost(simulation(LOST))
    assert not is_lost(simulation(LOST, SENT))
    assert not is_lost(simulation(UNKNOWN))


def test_today_alone() -> None:
    tally = Tally(with_change=False)
    reports = [report("a", simulation(SENT), deliveries=5), *(report(name, simulation(LOST)) for name in "bc")]
    for each in reports:
        tally.add(each)
    summary = tally.summary
    assert summary.changed is None
    assert summary.domains == 3
    assert ranked(summary.today.outcomes) == [("deferred", 2), ("Trusted TLS", 1)]
    assert summary.today.lost_by_cause == {"certificate-expired": 2}
    assert summary.today.deliveries == {"Trusted TLS": 5}


def test_what_a_change_changes() -> None:
    tally = Tally(with_change=True)
    tally.add(report("safe.example", simulation(SENT), simulation(VERIFIED)))
    tally.add(report("lost.example", simulation(SENT), simulation(LOST)))
    tally.add(report("saved.example", simulation(LOST), simulation(SENT)))
    tally.add(report("same.example", simulation(LOST), simulation(LOST)))
    tally.add(report("open.example", simulation(UNKNOWN), simulation(UNKNOWN)))
    summary = tally.summary
    assert (summary.differing, summary.newly_lost, summary.rescued) == (3, 1, 1)
    assert summary.differing_domains == ["safe.example", "lost.example", "saved.example"]
    assert summary.changed is not None
    assert summary.changed.unknown_by_cause == {"throttled": 1}


def test_another_reason_for_the_same_end_is_no_difference() -> None:
    other = Outcome(Kind.DEFERRED, None, "starttls-not-supported")
    assert not report("x", simulation(LOST), simulation(other)).differs
    assert not report("x", simulation(LOST)).differs

"""The numbers of a report: each endpoint and certificate once, and nothing unknown counted as a no."""

from collections import Counter
from datetime import timedelta

from audits.reports.figures import WEEKS, Figures, key_name
from tests.audits.reports.report_factory import few, healthy, judged, world
from tests.certificate_factory import SEEN


def figures_of(names) -> Figures:
    figures = Figures(SEEN)
    for domain in judged(names):
        figures.take(domain)
    return figures


def test_shared_endpoints_and_certificates_count_once():
    figures = figures_of({"a.example": healthy(0), "b.example": healthy(0), "c.example": healthy(1)})
    assert (figures.domains, figures.endpoints) == (3, 2)
    assert figures.grades.total() == 3
    assert figures.keys.total() == 1


def test_a_silent_server_is_not_known_and_one_without_starttls_speaks_none():
    figures = figures_of(few())
    assert figures.versions["TLSv1.3"] == Counter({"yes": 2, "no": 1, "not-tested": 1})
    assert figures.hybrid["no"] == 1


def test_baselines_are_counted_apart():
    figures = figures_of(few())
    assert figures.baselines
    assert all(counts.total() == len(few()) for counts in figures.baselines.values())


def test_the_calendar_has_every_certificate_in_one_place():
    end = world()[1][0].not_after
    for at, place in ((end, "expired"), (end - timedelta(days=1), "week"), (end - timedelta(weeks=WEEKS + 1), "later")):
        figures = Figures(at)
        for domain in judged({"a.example": healthy(0)}):
            figures.take(domain)
        calendar = figures.calendar()
        numbers = {"expired": calendar.expired, "week": sum(n for _, n in calendar.weeks), "later": calendar.later}
        assert numbers == {"expired": 0, "week": 0, "later": 0} | {place: 1}


def test_keys_have_names():
    assert key_name(world()[1][0]) in ("EC secp256r1", "RSA 2048")

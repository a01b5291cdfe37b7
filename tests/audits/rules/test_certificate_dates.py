"""From when and until when certificates are valid."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from audits.baseline import shipped_baseline
from audits.evaluate import folded
from audits.findings import Verdict
from audits.rules.certificate_dates import Window, expires_soon
from scanner.answers import Fact
from tests.audits.rules.chains import GOOD, INTER, MX, ROOT, one, served
from tests.audits.rules.examples import Examples
from tests.certificate_factory import SEEN, intermediate, leaf

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
OLD_ISSUER = intermediate(ROOT, not_after=SEEN - DAY)


def valid(start: datetime, length: timedelta) -> object:
    """A leaf that is valid for so long, both ends counted."""
    return one(MX, not_before=start, not_after=start + length - SECOND)


def undated() -> object:
    leaf_ = msgspec.structs.replace(GOOD.chains[0].leaf, not_before=None, not_after=None, problem="validity: broken")
    chain = msgspec.structs.replace(GOOD.chains[0], certificates=(leaf_, *GOOD.chains[0].issuers))
    return msgspec.structs.replace(GOOD, chains=(chain,))


EXAMPLES = {
    "CERT-020": Examples(
        expects={},
        passes=(GOOD, one(MX, not_after=SEEN)),
        fails=(one(MX, not_after=SEEN - SECOND), served(leaf(OLD_ISSUER, MX), OLD_ISSUER)),
        opens=(undated(),),
    ),
    "CERT-021": Examples(
        expects={},
        passes=(GOOD, one(MX, not_before=SEEN)),
        fails=(one(MX, not_before=SEEN + SECOND),),
        opens=(undated(),),
    ),
    "CERT-022": Examples(
        expects={"days_left": 14},
        passes=(GOOD, one(MX, not_after=SEEN + 14 * DAY)),
        fails=(one(MX, not_after=SEEN + 14 * DAY - SECOND), one(MX, not_after=SEEN - DAY)),
        opens=(undated(),),
    ),
    "CERT-023": Examples(
        expects={"days_at_most": 398, "issued_before": "2026-03-15"},
        passes=(valid(START, 398 * DAY), served(leaf(INTER, MX, not_before=START, not_after=START + DAY), INTER)),
        fails=(valid(START, 398 * DAY + SECOND), valid(START, 900 * DAY)),
        opens=(undated(),),
    ),
}


@pytest.mark.parametrize(
    ("issued", "days", "failing"),
    [
        ("2026-03-14", 398, ""),
        ("2026-03-14", 399, "BR-6.3.2-398"),
        ("2026-03-15", 200, ""),
        ("2026-03-15", 201, "BR-6.3.2-200"),
        ("2027-03-14", 398, "BR-6.3.2-200"),
        ("2027-03-15", 100, ""),
        ("2027-03-15", 101, "BR-6.3.2-100"),
        ("2029-03-14", 200, "BR-6.3.2-100"),
        ("2029-03-15", 47, ""),
        ("2029-03-15", 48, "BR-6.3.2-47"),
    ],
)
def test_the_schedule_of_the_cabrowser_forum_goes_by_the_day_of_issuance(issued, days, failing):
    seen = valid(datetime.fromisoformat(issued).replace(tzinfo=UTC), days * DAY)
    questions = [q for q in shipped_baseline("cabf-tls-br").questions if q.rule.id == "CERT-023"]
    found = {
        q.requirement.id: folded(tuple(q.rule.ask(seen, q.expects)), Verdict.FAIL)[0]
        for q in questions
        if q.requirement.level == "must"
    }
    applied = {id: verdict for id, verdict in found.items() if verdict is not Verdict.NOT_APPLICABLE}
    assert len(found) == 4
    assert len(applied) == 1
    assert [id for id, verdict in applied.items() if verdict is Verdict.FAIL] == ([failing] if failing else [])


@pytest.mark.parametrize(
    ("id", "requirement", "days"),
    [
        ("mozilla-modern", "MOZ-MODERN-CERT-LIFESPAN", 90),
        ("mozilla-intermediate", "MOZ-INTER-CERT-LIFESPAN", 366),
        ("mozilla-intermediate", "MOZ-INTER-CERT-LIFESPAN-WANTED", 90),
        ("nist-800-52r2", "SP800-52R2-3.2.1-VAL", 1096),
    ],
)
def test_other_standards_count_days_from_beginning_to_end(id, requirement, days):
    """`openssl x509 -days 90` makes a certificate from one time of the day to the same."""
    (asked,) = (q for q in shipped_baseline(id).questions if q.requirement.id == requirement)
    for end, met in ((START + days * DAY, Fact.YES), (START + days * DAY + SECOND, Fact.NO)):
        seen = served(leaf(INTER, MX, not_before=START, not_after=end), INTER)
        assert [item.met for item in asked.rule.ask(seen, asked.expects)] == [met]


def test_evidence_has_dates_and_no_distances():
    (item,) = expires_soon.ask(one(MX, not_after=SEEN + DAY), Window(days_left=14))
    assert item.evidence == "CN=mx.example.org: expires 2026-01-16 12:00 UTC (looked at 2026-01-15 12:00 UTC)"

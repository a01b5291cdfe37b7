"""News for the tests: a quiet night, and one with changes and a missed gate."""

from datetime import UTC, datetime, timedelta

from audits.diff import Change, Kind, Severity
from audits.nightly.news import News

STARTED = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
HOSTILE = "x.example\r\nBcc: evil@example.net\x1b[31m"


def change(domain: str = "a.example", severity: Severity = Severity.ALARM, kind: Kind = Kind.GRADE_DOWN) -> Change:
    return Change(domain=domain, kind=kind, severity=severity, before="MUST", after="MAY", since="2026-11-20")


def quiet() -> News:
    return News(
        run="2026-11-21",
        started=STARTED,
        finished=STARTED + timedelta(minutes=9),
        since="2026-11-20",
        grades={"MUST": 2},
    )


def loud() -> News:
    return News(
        run="2026-11-21",
        started=STARTED,
        finished=STARTED + timedelta(minutes=9),
        since="2026-11-20",
        changes=(change(), change(HOSTILE, Severity.NOTICE)),
        counts={"alarm": 1, "notice": 1},
        gate={HOSTILE: ("fail R (TLS-001) mx",)},
        gate_missed=1,
        expired=("TLS-001 for x (me, 2026-01-01)",),
        grades={"MUST": 1, "MAY": 1},
        baselines={"rfc": {"fail": 1, "pass": 1}},
        first_expiry=STARTED + timedelta(days=9),
    )

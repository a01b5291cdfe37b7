"""A fortnight of a real server that changes: `tlsaudit diff` tells exactly what was done to it, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from .fortnight import BUSY, CLEAR, Fortnight, Night, fortnight

pytestmark = pytest.mark.lab

ONE_VERSION = {"smtpd_tls_protocols": ">=TLSv1.3"}
OLDER = ("TLSv1.0", "TLSv1.1", "TLSv1.2")
LAST_S = 15.0
"""What is left of the certificate that ends; longer than starting the servers and a scan take."""

Told = set[tuple[str, str, str, str]]
"""Domain, kind, where, severity."""

NIGHTS: list[tuple[Night, Told]] = [
    (Night(title="the first"), set()),
    (Night(title="nothing happens"), set()),
    (
        Night(title="certificate renewed", certificate=1),
        {("main.test", "certificate-renewed", "mx.main.test", "information")},
    ),
    (
        Night(title="MX added", certificate=1, second_listed=True),
        {("main.test", "mx-new", "mx.second.test", "notice")},
    ),
    (Night(title="the new host is down", certificate=1, second_listed=True, second_up=False), set()),
    (Night(title="and up again", certificate=1, second_listed=True), set()),
    (
        Night(title="protocol dropped", certificate=1, second_listed=True, options=ONE_VERSION),
        {("main.test", f"protocol-lost {version} no", "mx.main.test", "notice") for version in OLDER},
    ),
    (Night(title="STARTTLS lost behind a 421", certificate=1, second_listed=True, options={**CLEAR, **BUSY}), set()),
    (
        Night(title="the 421 is gone, STARTTLS too", certificate=1, second_listed=True, options=CLEAR),
        {
            ("main.test", "grade-down", "mx.main.test", "alarm"),
            ("main.test", "starttls-lost", "mx.main.test", "alarm"),
        },
    ),
    (
        Night(title="STARTTLS is back", certificate=1, second_listed=True, options=ONE_VERSION),
        {
            ("main.test", "grade-up", "mx.main.test", "notice"),
            ("main.test", "starttls-gained", "mx.main.test", "notice"),
        },
    ),
    (
        Night(
            title="a certificate about to end", certificate=2, lives_s=LAST_S, second_listed=True, options=ONE_VERSION
        ),
        {
            ("main.test", "certificate-renewed", "mx.main.test", "information"),
            ("main.test", "certificate-expiring", "mx.main.test", "warning"),
        },
    ),
    (
        Night(title="expired", certificate=2, second_listed=True, options=ONE_VERSION),
        {("main.test", "grade-down", "mx.main.test", "warning")},
    ),
    (
        Night(title="DANE broken", certificate=2, second_listed=True, options=ONE_VERSION, dane_key=1),
        {
            ("dane.test", "dane-broken", "", "alarm"),
            ("dane.test", "certificate-renewed", "mx.dane.test", "information"),
        },
    ),
    (
        Night(title="all mended, the second host gone", certificate=3, dane_key=1, record=1),
        {
            ("main.test", "grade-up", "mx.main.test", "notice"),
            ("main.test", "certificate-renewed", "mx.main.test", "information"),
            ("main.test", "mx-gone", "mx.second.test", "notice"),
            ("main.test", "protocol-gained TLSv1.2 yes", "mx.main.test", "notice"),
            ("main.test", "protocol-gained TLSv1.1 yes", "mx.main.test", "warning"),
            ("main.test", "protocol-gained TLSv1.0 yes", "mx.main.test", "warning"),
            ("dane.test", "dane-mended", "", "notice"),
            ("dane.test", "tlsa-changed", "mx.dane.test", "notice"),
        },
    ),
]


@pytest.fixture(scope="module")
def lab() -> Iterator[Fortnight]:
    with fortnight() as running:
        yield running


def kind_of(change: dict[str, Any]) -> str:
    """The kind, and which version where it is about one."""
    version = f" {change['after']}" if change["kind"].startswith("protocol") else ""
    return change["kind"] + version


def test_the_true_events_and_nothing_else(lab: Fortnight) -> None:
    assert len(NIGHTS) == 14
    wrong = []
    for number, (night, expected) in enumerate(NIGHTS):
        if night.title == "expired":
            lab.wait_until_expired(night.certificate)
        lab.scan(night)
        if number == 0:
            continue
        changes = lab.changes()
        told = {(each["domain"], kind_of(each), each["where"], each["severity"]) for each in changes}
        print(f"{night.title}: {len(told)} told")
        if told != expected:
            wrong.append(f"{night.title}:\n  too many {told - expected}\n  missing {expected - told}\n  {changes}")
        if night.title == "the 421 is gone, STARTTLS too":
            since = {each["since"] for each in changes}
            assert len(since) == 1, "both are compared with the last night on which the server spoke"
    assert not wrong, "\n".join(wrong)

"""The lab for the tests: started once, asked once by the real Postfix and once by tlsaudit."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from .comparison import Case
from .enumeration_lab import EnumerationLab, enumeration_lab
from .enumeration_states import ENUMERATED
from .laboratory import Laboratory, laboratory
from .outcomes import Key, Outcome, receipts
from .scanning import scanning
from .sender import send_to_all


class Asked(Struct, frozen=True):
    """What both said about every domain, and how each message arrived."""

    deliveries: dict[str, dict[str, Outcome]]
    reports: dict[str, dict[str, Any]]
    arrivals: dict[Key, str]

    def case(self, domain: str) -> Case:
        return Case(domain, self.reports[domain], self.deliveries[domain])


@pytest.fixture(scope="session")
def lab() -> Iterator[Laboratory]:
    with laboratory() as running:
        yield running


@pytest.fixture(scope="session")
def enumeration() -> Iterator[EnumerationLab]:
    """The servers whose suites are enumerated; they live beside the lab, at addresses of their own."""
    with enumeration_lab(ENUMERATED) as running:
        yield running


@pytest.fixture(scope="session")
def asked(lab: Laboratory) -> Asked:
    """Both at the same time: each waits for the other's servers far more than it works."""
    with scanning(lab, "oracle", lab.domains) as scan:
        deliveries = send_to_all(lab.domains, lab.sender_log)
    return Asked(deliveries, scan.reports, receipts(lab.receiver_logs))

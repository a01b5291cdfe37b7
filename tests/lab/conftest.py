"""The lab for the tests: started once, asked once by the real Postfix and once by tlsaudit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from .comparison import Case
from .enumeration_lab import EnumerationLab, enumeration_lab
from .enumeration_states import ENUMERATED
from .laboratory import Laboratory, laboratory
from .namespace import bring_up, lab_folder
from .outcomes import Key, Outcome, receipts
from .postgresql import postgresql
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


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder in memory, in namespaces whose loopback is up; for tests without the lab's servers."""
    with lab_folder() as folder:
        bring_up("127.0.0.1", folder)
        yield folder


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[str]:
    """A PostgreSQL: the beginning of its databases' URLs."""
    with postgresql(folder) as server:
        yield server

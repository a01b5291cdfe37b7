"""`tlsaudit tlsrpt` as a user runs it: a scan, then reports about it."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audits.demo.behaviour import Behaviour, TlsServer
from audits.demo.certificates import Validity, new_authority
from tests.loopback_world import World, world

AUTHORITY = new_authority()
ZONE: dict[str, Any] = {
    "good.example": {"MX": ["10 mx.good.example"]},
    "mx.good.example": {"A": ["192.0.2.1"]},
    "expired.example": {"MX": ["10 mx.expired.example"]},
    "mx.expired.example": {"A": ["192.0.2.2"]},
    "silent.example": {"MX": ["10 mx.silent.example"]},
    "mx.silent.example": {"A": ["192.0.2.3"]},
}


def server(name: str, validity: Validity = Validity.NOW) -> Behaviour:
    return Behaviour(tls=TlsServer(chains=(AUTHORITY.credential(name, validity=validity).chain_pem,)))


SERVERS = {
    ("192.0.2.1", 25): server("mx.good.example"),
    ("192.0.2.2", 25): server("mx.expired.example", Validity.EXPIRED),
}


@pytest.fixture(scope="module")
def scanned(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("reports")
    with world(folder, ZONE, SERVERS, AUTHORITY) as running:
        domains = ["good.example", "expired.example", "silent.example"]
        options = ("--ports", "25", "--depth", "policy", "--max-inconclusive", "100", "-q")
        done = running.run("scan", *running.arguments(), *options, *domains)
        assert done.returncode == 0, done.stderr
        yield running


def report(*failures: tuple[str, str, str]) -> bytes:
    policies = [
        {
            "policy": {"policy-type": "no-policy-found", "policy-domain": domain},
            "failure-details": [{"result-type": word, "receiving-mx-hostname": host, "failed-session-count": 3}],
        }
        for domain, host, word in failures
    ]
    return json.dumps({"organization-name": "Company-X", "policies": policies}).encode()


@pytest.mark.parametrize(
    ("failure", "standing"),
    [
        (("expired.example", "mx.expired.example", "certificate-expired"), "confirmed"),
        (("expired.example", "MX.Expired.Example.", "validation-failure"), "confirmed"),
        (("expired.example", "", "certificate-expired"), "confirmed"),
        (("expired.example", "mx.expired.example", "starttls-not-supported"), "contradicted"),
        (("good.example", "mx.good.example", "certificate-expired"), "contradicted"),
        (("good.example", "old.good.example", "certificate-expired"), "not seen"),
        (("silent.example", "mx.silent.example", "starttls-not-supported"), "not seen"),
        (("unknown.example", "mx.unknown.example", "certificate-expired"), "not seen"),
        (("good.example", "mx.good.example", "sts-policy-fetch-error"), "contradicted"),
        (("good.example", "mx.good.example", "dane-required"), "confirmed"),
        (("good.example", "mx.good.example", "a-word-of-tomorrow"), "not seen"),
    ],
)
def test_a_failure_beside_our_findings(scanned, failure, standing):
    file = scanned.folder / "report.json.gz"
    file.write_bytes(gzip.compress(report(failure)))
    done = scanned.run("tlsrpt", "--store", str(scanned.folder / "runs.db"), "--json", str(file))
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, done.stdout.splitlines())
    assert (line["standing"], line["sessions"], line["organization"]) == (standing, 3, "Company-X")


def test_lines_for_people(scanned):
    file = scanned.folder / "lines.json"
    file.write_bytes(report(("expired.example", "mx.expired.example", "certificate-expired")))
    done = scanned.run("tlsrpt", "--store", str(scanned.folder / "runs.db"), str(file))
    words = "expired.example: certificate-expired at mx.expired.example, 3 sessions, by Company-X: confirmed"
    assert done.stdout.startswith(words)


def test_hostile_text_is_escaped(scanned):
    file = scanned.folder / "hostile.json"
    file.write_bytes(report(("good.example", "\x1b[31m\x9b31mm\u202ex", "certificate-expired")))
    for option in ((), ("--json",)):
        done = scanned.run("tlsrpt", "--store", str(scanned.folder / "runs.db"), *option, str(file))
        assert done.returncode == 0, done.stderr
        assert done.stdout.removesuffix("\n").isprintable()


def test_wrong_use(scanned, tmp_path: Path):
    file = tmp_path / "no-report"
    file.write_bytes(b"hello")
    done = scanned.run("tlsrpt", "--store", str(scanned.folder / "runs.db"), str(file))
    assert done.returncode == 2
    file.write_bytes(report())
    assert scanned.run("tlsrpt", "--store", str(scanned.folder / "runs.db"), "--run", "none", str(file)).returncode == 2


def test_what_is_published_is_shown(scanned):
    done = scanned.run("show", "--store", str(scanned.folder / "runs.db"), "good.example")
    assert "MUST by: MUST-INSECURE-MX" in done.stdout
    assert "MTA-STS: none" in done.stdout
    assert "DANE: no TLSA records;  sustained dane" in done.stdout
    assert "TLSRPT: none" in done.stdout
    assert "cliff: " in done.stdout

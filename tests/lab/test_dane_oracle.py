"""DANE against a real Postfix: mail is delivered where tlsaudit calls `dane` or `dane-only` sustained, nowhere else."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from .dane_lab import BOGUS_MX, CANARIES, LEVELS, DaneLab, dane_laboratory, send_to_all
from .outcomes import Outcome
from .scanning import scanning

pytestmark = pytest.mark.lab
FIELDS = {"dane": "dane", "daneonly": "dane_only"}


class DaneAsked(Struct, frozen=True):
    """What both said about every domain."""

    lab: DaneLab
    deliveries: dict[str, dict[str, Outcome]]
    reports: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def asked() -> Iterator[DaneAsked]:
    with dane_laboratory() as lab:
        domains = [state.domain for state in lab.states]
        options = ("--dnssec-canary", ",".join(CANARIES), "--depth", "policy")
        with scanning(lab, "dane", [*domains, BOGUS_MX], *options) as scan:  # type: ignore[arg-type]
            deliveries = send_to_all(domains, lab.sender_log)
        yield DaneAsked(lab, deliveries, scan.reports)


def test_levels(asked: DaneAsked) -> None:
    """Each state at both levels."""
    assert len(asked.lab.states) >= 20
    wrong, left_open = [], 0
    for state in asked.lab.states:
        dane = asked.reports[state.domain]["published"]["dane"]
        for level, field in FIELDS.items():
            outcome, said = asked.deliveries[state.domain][level], dane[field]
            left_open += said == "inconclusive"
            if said == "inconclusive" and state.passing and not outcome.delivered:
                continue
            if said != ("yes" if outcome.delivered else "no"):
                lines = "\n    ".join(outcome.evidence[-4:])
                wrong.append(f"{state.domain} at {LEVELS[level]}: {said}\n    {lines}\n    {dane}")
    print(f"DANE: {2 * len(asked.lab.states)} verdicts, {len(wrong)} wrong, {left_open} left open")
    assert not wrong, "\n".join(wrong)


def test_posttls_finger(asked: DaneAsked) -> None:
    """posttls-finger -l dane says that a record matches where tlsaudit does, and nowhere else."""
    spoken, wrong = 0, []
    for state in asked.lab.states:
        command = ["posttls-finger", "-c", "-l", "dane", "-t", "15", "-o", "smtp_host_lookup=dns", state.domain]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        output = said.stdout + said.stderr
        dane = asked.reports[state.domain]["published"]["dane"]
        if "TLS connection established" not in output or not dane["endpoints"]:
            continue
        spoken += 1
        matched = dane["endpoints"][0]["matched"] == "yes"
        if matched != ("Matched DANE" in output):
            wrong.append(f"{state.domain}: matched {matched}\n{output[-800:]}")
    print(f"posttls-finger: {spoken} asked, {len(wrong)} disagree")
    assert spoken >= 20
    assert not wrong, "\n".join(wrong)


def test_connections(asked: DaneAsked) -> None:
    """One more connection with a server name where usable records are, one more for a second chain; else none."""
    for state in asked.lab.states:
        report = asked.reports[state.domain]
        named = [each for each in report["endpoints"] if each["sni"]]
        has_records = any(each["state"] == "usable" for each in report["published"]["dane"]["endpoints"])
        assert bool(named) == has_records, state.domain
        plain = {each["address"]: each["connections"] for each in report["endpoints"] if each["use"] == "mail"}
        for each in named:
            second = "MUST_NOPEERMATCH" in each["sustained"]
            assert each["connections"] == plain[each["address"]] + second, (state.domain, each)


def test_remarks(asked: DaneAsked) -> None:
    """Records that match no chain, a second chain that no record matches, and where only SNI helps."""
    said = {name: str(asked.reports[f"{name}.test"]["published"]) for name in ("ee-rollover", "two-chains-second")}
    assert "matches no chain that is served" in said["ee-rollover"]
    assert "no record matches the RSA chain" in said["two-chains-second"]
    assert "servername=" in str(asked.reports["by-name-only.test"]["published"]["remarks"])


def test_a_bogus_mx_record_is_told_apart(asked: DaneAsked) -> None:
    report = asked.reports[BOGUS_MX]
    assert (report["grade"], report["binding"]["reason"]) == ("INCONCLUSIVE", "dnssec-invalid")


def test_must_by_dnssec(asked: DaneAsked) -> None:
    """The names of signed MX records are known for sure; those of unsigned ones are not."""
    assert asked.reports["ee-spki.test"]["published"]["must_by"] == ["MUST-DNSSEC"]
    assert asked.reports["unsigned.example"]["published"]["must_by"] == ["MUST-INSECURE-MX"]
    assert asked.reports["unsigned.example"]["published"]["mx_dnssec"] == "insecure"

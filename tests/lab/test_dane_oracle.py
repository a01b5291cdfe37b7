"""DANE against a real Postfix: mail is delivered where tlsaudit calls `dane` or `dane-only` sustained, nowhere else."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from .dane_lab import BOGUS_MX, CANARIES, LEVELS, DaneLab, dane_laboratory, send_to_all
from .dane_several import SEVERAL_HOSTS
from .dane_states import SUBMISSION, DaneState
from .outcomes import Outcome
from .policy_domains import POLICY_DOMAINS
from .scanning import scanning

pytestmark = pytest.mark.lab


BASELINES = ("--baseline", "rfc7672-dane", "--baseline", "rfc8461-mta-sts")


class DaneAsked(Struct, frozen=True):
    """What both said about every domain; `submission` by the host and port as Postfix writes a next-hop."""

    lab: DaneLab
    deliveries: dict[str, dict[str, Outcome]]
    reports: dict[str, dict[str, Any]]
    submission: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def asked() -> Iterator[DaneAsked]:
    with dane_laboratory() as lab:
        domains = [*(state.domain for state in lab.states), *(each.domain for each in SEVERAL_HOSTS)]
        others = [BOGUS_MX, *(each.domain for each in POLICY_DOMAINS)]
        options = ("--dnssec-canary", ",".join(CANARIES), *BASELINES)
        with scanning(lab, "dane", [*domains, *others], *options) as scan:  # type: ignore[arg-type]
            deliveries = send_to_all(domains, lab.sender_log)
        hosts = [f"mx.{state.domain}" for state in SUBMISSION]
        targets = [
            *(state.domain for state in SUBMISSION),
            *(f"[{host}]:{port}" for host in hosts for port in (465, 587)),
        ]
        with scanning(lab, "submission", targets, *options, "--ports", "25,465,587") as beside:  # type: ignore[arg-type]
            pass
        yield DaneAsked(lab, deliveries, scan.reports, beside.reports)


def verdict(report: dict[str, Any], level: str) -> str:
    """What tlsaudit says of a level: the words of its own facts; the lists of levels must say the same."""
    lists = "yes" if level in report["sustained"] else "inconclusive" if level in report["unknown"] else "no"
    answered = report["coverage"]["answered"]
    said: str = report["published"]["dane"][level.replace("-", "_")]
    assert lists == said or not answered, report
    return said


def test_levels(asked: DaneAsked) -> None:
    """Each state at both levels."""
    assert len(asked.lab.states) >= 20
    wrong, left_open = [], 0
    for state in asked.lab.states:
        report = asked.reports[state.domain]
        for word, level in LEVELS.items():
            outcome, said = asked.deliveries[state.domain][word], verdict(report, level)
            left_open += said == "inconclusive"
            if said == "inconclusive" and state.passing and not outcome.delivered:
                continue
            if said != ("yes" if outcome.delivered else "no"):
                lines = "\n    ".join(outcome.evidence[-4:])
                wrong.append(f"{state.domain} at {level}: {said}\n    {lines}\n    {report['published']['dane']}")
    print(f"DANE: {2 * len(asked.lab.states)} verdicts, {len(wrong)} wrong, {left_open} left open")
    assert not wrong, "\n".join(wrong)


def test_several_hosts(asked: DaneAsked) -> None:
    """Sustained is what every host delivers where it stands alone; then the domain loses nothing either."""
    wrong, left_open = [], 0
    for each in SEVERAL_HOSTS:
        for word, level in LEVELS.items():
            said, outcome = verdict(asked.reports[each.domain], level), asked.deliveries[each.domain][word]
            alone = [truth(asked, domain, word) for domain in each.alone]
            left_open += said == "inconclusive"
            if said != next((fact for fact in ("no", "inconclusive") if fact in alone), "yes"):
                wrong.append(f"{each.domain} at {level}: {said}, but alone {alone}")
            if said == "yes" and not outcome.delivered:
                wrong.append(f"{each.domain} at {level} is lost: {outcome.evidence[-3:]}")
    print(f"several MX hosts: {2 * len(SEVERAL_HOSTS)} verdicts, {len(wrong)} wrong, {left_open} left open")
    assert not wrong, "\n".join(wrong)


def truth(asked: DaneAsked, domain: str, word: str) -> str:
    """What Postfix did; open where it lost the mail for a reason that may pass."""
    if asked.deliveries[domain][word].delivered:
        return "yes"
    return "inconclusive" if verdict(asked.reports[domain], LEVELS[word]) == "inconclusive" else "no"


def finger(next_hop: str, *options: str) -> str:
    """What posttls-finger says of a next-hop at level dane."""
    command = ["posttls-finger", "-c", "-l", "dane", "-t", "15", "-o", "smtp_host_lookup=dns", *options, next_hop]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return said.stdout + said.stderr


def test_posttls_finger(asked: DaneAsked) -> None:
    """posttls-finger -l dane says that a record matches where tlsaudit does, and nowhere else."""
    spoken, wrong = 0, []
    for state in asked.lab.states:
        output, dane = finger(state.domain), asked.reports[state.domain]["published"]["dane"]
        if "TLS connection established" not in output or not dane["endpoints"]:
            continue
        spoken += 1
        matched = dane["endpoints"][0]["matched"] == "yes"
        if matched != ("Matched DANE" in output):
            wrong.append(f"{state.domain}: matched {matched}\n{output[-800:]}")
    print(f"posttls-finger: {spoken} asked, {len(wrong)} disagree")
    assert spoken >= 20
    assert not wrong, "\n".join(wrong)


NEEDS_A_NAME = ("submission-mismatch", "submission-one-port", "submission-issuer-wrong-name", "submission-by-name")
"""Beside a domain the submission ports are asked without a server name, so that a chain that does not match is open."""


@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize("state", SUBMISSION, ids=lambda state: state.name)
def test_submission(asked: DaneAsked, state: DaneState, port: int) -> None:
    """As a next-hop the port is judged as posttls-finger does; beside its domain it is shown for what it is."""
    next_hop = f"[mx.{state.domain}]:{port}"
    output = finger(next_hop, *(["-w"] if port == 465 else []))
    assert "TLS connection established" in output, output
    (judged,) = asked.submission[next_hop]["published"]["dane"]["endpoints"]
    assert (judged["matched"] == "yes") == ("Matched DANE" in output), (judged, output)
    beside = {each["port"]: each for each in asked.submission[state.domain]["published"]["dane"]["endpoints"]}[port]
    same = {name: beside[name] == judged[name] for name in ("state", "base", "records", "matched", "dane", "dane_only")}
    if all(same.values()):
        return
    assert state.name in NEEDS_A_NAME
    assert (beside["matched"], beside["reason"]["cause"]) == ("inconclusive", "unconfirmed")
    assert next(name for name, equal in same.items() if not equal) == "matched"


def test_connections(asked: DaneAsked) -> None:
    """One more connection with a server name where usable records are, one more for a second chain; else none."""
    for state in asked.lab.states:
        report = asked.reports[state.domain]
        named = [each for each in report["endpoints"] if each["sni"]]
        has_records = any(each["state"] == "usable" for each in report["published"]["dane"]["endpoints"])
        if state.name == "tlsa-without-a-key":
            continue  # whether full data can be read is found out when it is judged
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
    assert report["published"]["mx_dnssec"] == "bogus"


def test_must_by_dnssec(asked: DaneAsked) -> None:
    """The names of signed MX records are known for sure; those of unsigned ones are not."""
    assert asked.reports["ee-spki.test"]["published"]["must_by"] == ["MUST-DNSSEC"]
    assert asked.reports["unsigned.example"]["published"]["must_by"] == ["MUST-INSECURE-MX"]
    assert asked.reports["unsigned.example"]["published"]["mx_dnssec"] == "insecure"


# --- MTA-STS beside DNSSEC -----------------------------------------------------------------------------------------

STS = {
    "sts-signed.test": ("valid", "yes", "secure", ["MUST-DNSSEC", "MUST-STS"], ["dane", "dane-only"]),
    "sts-unsigned.example": ("valid", "yes", "insecure", ["MUST-STS"], ["dane"]),
    "sts-tlsa-mismatch.test": ("valid", "yes", "secure", ["MUST-DNSSEC", "MUST-STS"], []),
    "sts-self-signed.test": ("valid", "no", "secure", [], ["dane", "dane-only"]),
    "sts-other-host.test": ("valid", "no", "secure", ["MUST-DNSSEC"], ["dane", "dane-only"]),
    "sts-record-bogus.test": ("unknown", "not-tested", "bogus", ["MUST-DNSSEC"], ["dane", "dane-only"]),
    "sts-host-bogus.test": ("fetch-error", "not-tested", "secure", ["MUST-DNSSEC"], ["dane", "dane-only"]),
}


def test_policies_beside_signed_zones(asked: DaneAsked) -> None:
    """Each mechanism is judged for itself: a policy that is kept heals no TLSA record, nor the other way round."""
    assert STS.keys() == {each.domain for each in POLICY_DOMAINS}
    for domain, (state, delivers, record, must_by, levels) in STS.items():
        report = asked.reports[domain]
        published = report["published"]
        sts = published["mta_sts"]
        assert (sts["state"], sts["delivers"], sts["dnssec"]) == (state, delivers, record), (domain, sts)
        assert published["must_by"] == must_by, domain
        assert [level for level in report["sustained"] if level.startswith("dane")] == levels, domain
        assert [each["connections"] for each in report["endpoints"] if each["sni"]] == [2], "DANE and MTA-STS share it"


def test_signatures_that_end(asked: DaneAsked) -> None:
    """Of each secure answer on the way to the mail and to the policy."""
    cliffs = asked.reports["sts-signed.test"]["published"]["cliffs"]
    assert {(each["what"], each["where"]) for each in cliffs if each["rolling"]} == {
        ("DANE", "sts-signed.test"),
        ("DANE", "mx.ee-spki.test"),
        ("DANE", "_25._tcp.mx.ee-spki.test"),
        ("MTA-STS", "_mta-sts.sts-signed.test"),
        ("MTA-STS", "mta-sts.sts-signed.test"),
    }
    unsigned = asked.reports["unsigned.example"]["published"]["cliffs"]
    assert unsigned
    assert not any(each["rolling"] for each in unsigned)


def test_a_bogus_answer_on_the_way_to_a_policy_is_named(asked: DaneAsked) -> None:
    reasons = {
        name: asked.reports[f"sts-{name}-bogus.test"]["published"]["mta_sts"]["reason"] for name in ("record", "host")
    }
    assert reasons["record"]["cause"] == "dnssec-invalid"
    assert asked.reports["sts-host-bogus.test"]["published"]["mta_sts"]["host_dnssec"] == "bogus"
    assert "the signatures are wrong" in reasons["host"]["detail"]


# --- the same as findings of baselines -----------------------------------------------------------------------------

ROLL = {"RFC7671-8-ROLL": "advice"}
"""Each of these hosts has one TLSA record."""
STS_REQUIREMENTS = (
    *("RFC8461-3.1-TXT", "RFC8461-3.3-200", "RFC8461-3.3-CERT", "RFC8461-3.2-FIELDS", "RFC8461-3.2-MAXAGE"),
    *("RFC8461-3.2-MAXAGE-WEEKS", "RFC8461-4.1-MATCH", "RFC8461-4.2-CERT"),
)
FINDINGS = {
    "sts-signed.test": ROLL,
    "sts-unsigned.example": ROLL,
    "sts-tlsa-mismatch.test": ROLL | {"RFC7672-3.1.1-MATCH": "fail", "RFC7672-2.2.3-COMMIT": "fail"},
    "sts-self-signed.test": ROLL | {"RFC8461-4.2-CERT": "fail"},
    "sts-other-host.test": ROLL | {"RFC8461-4.1-MATCH": "fail"},
    "sts-record-bogus.test": ROLL | dict.fromkeys(STS_REQUIREMENTS, "unknown"),
    "sts-host-bogus.test": ROLL | {"RFC8461-3.3-200": "fail"},
}


def told(report: dict[str, Any]) -> dict[str, str]:
    findings = report["findings"]
    return {f["requirement"]: f["verdict"] for f in findings if f["verdict"] not in ("pass", "not-applicable")}


def test_findings_about_published_policy(asked: DaneAsked) -> None:
    assert {domain: told(asked.reports[domain]) for domain in FINDINGS} == FINDINGS


def test_the_finding_that_a_sender_delivers_is_what_postfix_does(asked: DaneAsked) -> None:
    """Where there are signed TLSA records; without them the question does not arise."""
    (word,) = (word for word, level in LEVELS.items() if level == "dane")
    proven, wrong = 0, []
    for state in asked.lab.states:
        said = {f["verdict"] for f in asked.reports[state.domain]["findings"] if f["rule"] == "DANE-021"}
        delivered = asked.deliveries[state.domain][word].delivered
        if said & {"pass", "fail"}:
            proven += 1
            if ("fail" not in said) != delivered:
                wrong.append(f"{state.domain}: {said}, and Postfix: {delivered}")
    print(f"findings of DANE-021: {proven} proven, {len(wrong)} wrong")
    assert proven >= 15
    assert not wrong, "\n".join(wrong)

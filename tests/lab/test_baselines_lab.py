"""Baselines against real servers: their own recommendation passes, and they differ where their documents differ."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from audits.baseline import shipped_baseline
from tests.audits.openssl_lists import installed
from tests.audits.test_baseline_lists import READINGS
from tests.audits.test_postfix_grades import LISTS, TLS13, V31

from .baseline_states import JUDGED, RECOMMENDED
from .enumeration_lab import EnumerationLab, enumeration_lab
from .sslyze_mozilla import OBJECTIONS, sslyze_objections

pytestmark = pytest.mark.lab
ABOUT_TLS = ("TLS-", "CIPHER-", "KEX-", "DH-", "SIG-", "SESSION-", "VULN-")
NAMES = [state.name for state in JUDGED]
UNMET = ("advice", "warn", "fail")


class Judged(Struct, frozen=True):
    """What one scan says of each server, and the servers themselves."""

    lab: EnumerationLab
    reports: dict[str, dict[str, Any]]

    def findings(self, server: str, baseline: str) -> dict[str, dict[str, Any]]:
        """Requirement -> finding, of the rules about TLS."""
        found = self.reports[f"{server}.test"]["findings"]
        return {
            finding["requirement"]: finding
            for finding in found
            if finding["baseline"] == baseline and finding["rule"].startswith(ABOUT_TLS)
        }

    def finding(self, server: str, requirement: str) -> dict[str, Any]:
        found = self.reports[f"{server}.test"]["findings"]
        (finding,) = (one for one in found if one["requirement"] == requirement)
        return dict(finding)

    def verdict(self, server: str, requirement: str) -> str:
        return str(self.finding(server, requirement)["verdict"])

    def suites(self, server: str) -> set[str]:
        """All accepted suites; the search was exact."""
        endpoint = self.reports[f"{server}.test"]["endpoints"][0]
        assert set(endpoint["suites_complete"].values()) == {True}
        return {name for names in endpoint["suites"].values() for name in names}


@pytest.fixture(scope="module")
def judged() -> Iterator[Judged]:
    with enumeration_lab(JUDGED) as lab:
        chosen = [word for id in RECOMMENDED for word in ("--baseline", id)]
        with lab.scanning(NAMES, "--depth", "full", *chosen) as scan:
            pass
        yield Judged(lab, scan.reports)


# --- its own recommendation ------------------------------------------------------------------------------------------

NOT_HERE = {
    "mozilla-intermediate": {"MOZ-INTER-PQ": "advice"},
    "mozilla-modern": {"MOZ-MODERN-PQ": "advice"},
    "ncsc-nl-2025-05": {"NCSCNL25-3.3.3-PQ": "advice", "NCSCNL25-3.4.2-CLIENT": "unknown"},
    "rfc9325-bcp195": {"RFC9155-SHA1": "advice"},
    "bsi-tr-02102-2": {
        "TR02102-2-3.2-12": "advice",
        "TR02102-2-3.3.4.1-CLIENT": "unknown",
        "TR02102-2-3.4.2-PQ": "advice",
    },
    "postfix-high": {"PF-PQ": "advice"},
}
"""What the servers of this lab cannot do (hybrid groups need OpenSSL 3.5), what was not tried, what ends in 2031."""


@pytest.mark.parametrize("baseline", RECOMMENDED)
def test_a_server_set_up_by_its_own_recommendation_passes(judged: Judged, baseline: str) -> None:
    found = judged.findings(RECOMMENDED[baseline].name, baseline)
    asked = {q.requirement.id for q in shipped_baseline(baseline).questions if q.rule.id.startswith(ABOUT_TLS)}
    elsewhere = {q.requirement.id for q in shipped_baseline(baseline).questions if q.requirement.ports}
    assert asked - elsewhere <= found.keys() <= asked
    unmet = {id: each["verdict"] for id, each in found.items() if each["verdict"] not in ("pass", "not-applicable")}
    assert unmet == NOT_HERE.get(baseline, {}), {id: found[id]["evidence"] for id in unmet}
    assert sum(each["verdict"] == "pass" for each in found.values()) >= 4


# --- independent readings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", NAMES)
def test_lists_are_judged_as_the_words_of_the_standards_have_it(judged: Judged, server: str) -> None:
    accepted = judged.suites(server)
    for (baseline, requirement), meant in READINGS.items():
        questions = {q.requirement.id: q for q in shipped_baseline(baseline).questions}
        closed = questions[requirement].rule.id == "CIPHER-002"
        met = accepted <= meant if closed else accepted.isdisjoint(meant)
        assert (judged.verdict(server, requirement) not in UNMET) == met, (requirement, accepted & meant)


@pytest.mark.parametrize("server", NAMES)
def test_grades_are_those_of_the_cipher_lists_of_postfix(judged: Judged, server: str) -> None:
    accepted = judged.suites(server)
    for requirement, version, grade in (("PF-GRADE-OLD", "3.1", "high"), ("PF-GRADE-25-HIGH", "3.8", "high")):
        within = accepted - TLS13 <= installed(LISTS[version][grade])
        assert accepted <= installed("ALL:COMPLEMENTOFALL") | TLS13, "the installed OpenSSL can tell of all of them"
        assert (judged.verdict(server, requirement) == "pass") == within, judged.finding(server, requirement)


def test_the_lists_are_those_of_the_postfix_that_runs_here() -> None:
    words = ["mail_version", *(f"tls_{grade}_cipherlist" for grade in V31)]
    done = subprocess.run(["postconf", "-d", "-h", *words], capture_output=True, text=True, check=True)
    version, *lists = done.stdout.splitlines()
    major, minor = map(int, version.split(".")[:2])
    assert (major, minor) >= (3, 1)
    expected = {**V31, **(LISTS["3.8"] if (major, minor) >= (3, 8) else {})}
    assert lists[:2] == [expected["high"], expected["medium"]]


OURS = {
    "tls_versions": ("MOZ-INTER-VERSIONS",),
    "ciphers": ("MOZ-INTER-SUITES",),
    "ciphersuites": ("MOZ-INTER-SUITES",),
    "tls_curves": ("MOZ-INTER-GROUPS",),
}


@pytest.mark.parametrize("server", ["as-mozilla-intermediate", "dhe", "stock", "cbc-etm"])
def test_mozilla_is_read_as_sslyze_reads_it(judged: Judged, server: str) -> None:
    """sslyze ships 5.7, whose three DHE suites and classical groups are what 6.0 changed."""
    said = sslyze_objections(f"{server}.test", judged.lab.servers[server].behind)
    objected = {id for word in said["6.0"] if word in OBJECTIONS for id in OURS[word]}
    assert {id for id in sorted(set(sum(OURS.values(), ()))) if judged.verdict(server, id) in UNMET} == objected
    older = {word for word in said["5.7"] if word in OBJECTIONS}
    newer = {word for word in said["6.0"] if word in OBJECTIONS}
    assert newer - older == ({"ciphers"} if server == "dhe" else set()), "the DHE suites that 6.0 took away"


# --- where they contradict each other --------------------------------------------------------------------------------

CONTRADICTIONS = [
    ("dhe", {"BCP195-4.1-DHE": "warn", "MOZ-INTER-SUITES": "warn", "NCSCNL25-APPB-PHASE-OUT": "warn"}),
    ("dhe", {"SP800-52R2-3.3.1-APPROVED": "pass", "TR02102-2-3.3.1.1": "pass", "NCSCNL25-APPB": "pass"}),
    ("cbc-plain", {"BCP195-4.2-CBC": "advice", "MOZ-INTER-SUITES": "warn", "TR02102-2-CBC": "warn"}),
    ("cbc-plain", {"SP800-52R2-3.3.1-APPROVED": "pass", "NCSCNL25-APPB": "pass"}),
    ("cbc-etm", {"BCP195-4.2-CBC": "pass", "TR02102-2-CBC": "pass", "TR02102-2-3.3.1.1": "pass"}),
    ("cbc-etm", {"MOZ-INTER-SUITES": "warn", "NCSCNL25-APPB-PHASE-OUT": "warn"}),
    ("chacha", {"SP800-52R2-3.3.1-APPROVED": "advice", "TR02102-2-3.3.1.1": "warn"}),
    ("chacha", {"NCSCNL25-APPB": "pass", "MOZ-INTER-SUITES": "pass"}),
    ("x25519", {"TR02102-2-3.3.2": "warn", "SP800-52R2-3.4.2.2": "advice", "BCP195-4.2.1-P256": "advice"}),
    ("x25519", {"BCP195-4.2.1-X25519": "pass", "MOZ-INTER-GROUPS": "pass", "NCSCNL25-3.3.3-EC": "pass"}),
    ("hybrid", {"NCSCNL25-3.3.3-PQ": "pass", "MOZ-INTER-PQ": "pass", "PF-PQ": "pass", "TR02102-2-3.3.2": "warn"}),
    ("ccm8", {"NCSCNL25-APPB": "fail", "SP800-52R2-3.3.1-APPROVED": "pass"}),
    ("without-tls13", {"SP800-52R2-3.1-13": "advice", "TR02102-2-3.2-13": "warn", "MOZ-MODERN-CURRENT": "warn"}),
    ("without-tls13", {"NCSCNL25-3.3.1": "pass", "BCP195-3.1.1-13": "advice", "MOZ-INTER-CURRENT": "pass"}),
    ("as-mozilla-modern", {"MOZ-MODERN-VERSIONS": "pass", "BCP195-3.1.1-12": "warn", "NCSCNL25-3.3.1": "pass"}),
    ("everything", {"NCSCNL25-APPB": "fail", "NCSCNL25-3.3.1": "fail", "BCP195-4.1-NULL": "warn"}),
    ("everything", {"TR02102-2-3.3.1.1": "warn", "SP800-52R2-3.3.1-APPROVED": "advice"}),
]
"""Section by section: the same server passes one and fails the other; BCP 195 and Mozilla are milder on port 25."""


@pytest.mark.parametrize(("server", "verdicts"), CONTRADICTIONS)
def test_documents_contradict_each_other(judged: Judged, server: str, verdicts: dict[str, str]) -> None:
    assert {id: judged.verdict(server, id) for id in verdicts} == verdicts


POSTFIX = [
    ("stock", "PF-GRADE-OPPORTUNISTIC", "pass", "high: "),
    ("everything", "PF-GRADE-OPPORTUNISTIC", "fail", "null: "),
    ("everything", "PF-EXCLUDE", "warn", "aNULL: "),
    ("stock", "PF-EXCLUDE", "warn", "AES128-SHA: TLS_RSA_WITH_AES_128_CBC_SHA"),
    ("asks-for-certificates", "PF-ASK-CCERT", "warn", "requested in"),
    ("stock", "PF-ASK-CCERT", "pass", "not requested"),
    ("anonymous", "PF-CERT", "fail", "without any"),
    ("stock", "PF-SESSION-LIFE", "pass", "TLSv1.3 ticket: "),
    ("dh-1024", "PF-DH512", "pass", "1024 bits (of its own making)"),
    ("dh-1024", "PF-DH", "warn", "1024 bits"),
    ("dh-1024", "PF-DH-OWN", "pass", "1024 bits (of its own making)"),
    ("stock", "PF-DH", "warn", "1024 bits (modp1024)"),  # OpenSSL's own choice for anonymous suites of 128 bits
    ("as-postfix-high", "PF-DH", "pass", "2048 bits"),
    ("stock", "PF-EECDH", "pass", "secp384r1 (ultra)"),
]


@pytest.mark.parametrize(("server", "requirement", "verdict", "evidence"), POSTFIX)
def test_postfix_as_its_documents_have_it(judged: Judged, server: str, requirement: str, verdict: str, evidence: str):
    found = judged.finding(server, requirement)
    assert found["verdict"] == verdict, found["evidence"]
    assert evidence in found["evidence"]

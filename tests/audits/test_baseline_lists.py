"""The suite lists of the shipped baselines against an independent reading: the words of each standard put to each name.

And each list against the search: what a baseline forbids must be settled at depth standard.
"""

import re
from collections.abc import Callable

import pytest

from audits.baseline import Baseline, Question, shipped, shipped_baseline
from audits.rules.suite_patterns import SuitePatterns, matches
from audits.rules.tls_cipher_grades import CipherGrades
from audits.rules.tls_order import GoodBeforeBad
from audits.rules.tls_suites import SuiteLabels
from audits.rules.tls_versions import ForbiddenVersions
from scanner.wire.registry import all_suites
from scanner.wire.suite_traits import Trait
from scanner.wire.weakness import uncovered

NAMES = [one.name for one in all_suites() if not one.has(Trait.SIGNALLING) and one.code]
TLS13 = [one.name for one in all_suites() if one.has(Trait.TLS13)]


def questions(id: str) -> dict[str, Question]:
    return {question.requirement.id: question for question in shipped_baseline(id).questions}


def matched(id: str, requirement: str) -> set[str]:
    expects = questions(id)[requirement].expects
    assert isinstance(expects, SuitePatterns)
    return {name for name in NAMES if expects.match(name)}


def read(pattern: str, *more: str) -> set[str]:
    """The names that the words of a standard mean, as one expression over a name."""
    return {name for name in NAMES if any(re.fullmatch(each, name) for each in (pattern, *more))}


# --- readings --------------------------------------------------------------------------------------------------------

AEAD = r"(AES_(128|256)_GCM_SHA\d+|CHACHA20_POLY1305_SHA256)"
MOZILLA_13 = r"TLS_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)"
READINGS: dict[tuple[str, str], set[str]] = {
    # "six ECDHE AEAD suites", and the three of TLS 1.3
    ("mozilla-intermediate", "MOZ-INTER-SUITES"): read(MOZILLA_13, rf"TLS_ECDHE_(ECDSA|RSA)_WITH_{AEAD}"),
    ("mozilla-modern", "MOZ-MODERN-SUITES"): read(MOZILLA_13),
    # Phase-out: ECDHE with AES/Camellia/ARIA CBC-SHA2 or Camellia/ARIA GCM, all DHE-RSA with SHA-2 or AEAD
    ("ncsc-nl-2025-05", "NCSCNL25-APPB-PHASE-OUT"): read(
        r"TLS_ECDHE_(ECDSA|RSA)_WITH_(AES|CAMELLIA|ARIA)_\d+_CBC_SHA(256|384)",
        r"TLS_ECDHE_(ECDSA|RSA)_WITH_(CAMELLIA|ARIA)_\d+_GCM_SHA\d+",
        r"TLS_DHE_RSA_WITH_\w+_CBC_SHA(256|384)",
        r"TLS_DHE_RSA_WITH_\w+_(GCM_SHA\d+|CCM|POLY1305_SHA256)",
    ),
    # Sufficient and good beside that: AES with GCM or CCM (not CCM_8), ChaCha20
    ("ncsc-nl-2025-05", "NCSCNL25-APPB"): read(
        r"TLS_AES_(128_GCM_SHA256|256_GCM_SHA384|128_CCM_SHA256)|TLS_CHACHA20_POLY1305_SHA256",
        rf"TLS_ECDHE_(ECDSA|RSA)_WITH_{AEAD}",
        r"TLS_ECDHE_ECDSA_WITH_AES_\d+_CCM",
    ),
    ("ncsc-nl-2025-05", "NCSCNL25-KX"): read(r"TLS_(RSA|DH|ECDH)_(?!anon)\w+"),
    # "10 ECDHE suites until 2031, 10 DHE suites until 2029", static (EC)DH until 2026, three of TLS 1.3
    ("bsi-tr-02102-2", "TR02102-2-3.3.1.1-2029"): read(
        r"TLS_DHE_(RSA|DSS)_WITH_AES_(128|256)_(CBC_SHA256|GCM_SHA256|GCM_SHA384)",
        r"TLS_DHE_RSA_WITH_AES_(128|256)_CCM",
    ),
    ("bsi-tr-02102-2", "TR02102-2-3.3.1.2"): read(
        r"TLS_ECDH_(ECDSA|RSA)_WITH_AES_(128_CBC_SHA256|256_CBC_SHA384|128_GCM_SHA256|256_GCM_SHA384)",
        r"TLS_DH_(DSS|RSA)_WITH_AES_(128_CBC_SHA256|256_CBC_SHA256|128_GCM_SHA256|256_GCM_SHA384)",
    ),
    # Made wholly of approved algorithms: AES with GCM, CCM, CCM_8 or CBC, with ephemeral keys or with a DH certificate
    ("nist-800-52r2", "SP800-52R2-3.3.1-APPROVED"): read(
        r"TLS_AES_128_GCM_SHA256|TLS_AES_256_GCM_SHA384|TLS_AES_128_CCM(_8)?_SHA256",
        r"TLS_ECDHE_(ECDSA|RSA)_WITH_AES_\d+_(GCM|CBC)_SHA\d*",
        r"TLS_(ECDHE_ECDSA|DHE_RSA)_WITH_AES_\d+_CCM(_8)?",
        r"TLS_(DHE_RSA|DHE_DSS|DH_RSA|DH_DSS|ECDH_ECDSA|ECDH_RSA)_WITH_AES_\d+_(GCM|CBC)_SHA\d*",
    ),
    ("rfc9325-bcp195", "BCP195-4.1-NULL"): read(r"TLS_\w*NULL\w*", r"TLS_SHA\d+_SHA\d+"),
    ("rfc9325-bcp195", "BCP195-4.1-RC4"): read(r"\w+_RC4_\w+"),
    ("rfc9325-bcp195", "BCP195-4.1-128"): read(r"\w+_3DES_\w+"),
    ("rfc9325-bcp195", "BCP195-4.1-RSA"): read(r"TLS_RSA_(?!PSK)\w+"),
    ("rfc9325-bcp195", "BCP195-4.1-DH"): read(r"TLS_DH_\w+"),
    ("rfc9325-bcp195", "BCP195-4.1-DHE"): read(r"TLS_DHE_(?!PSK)\w+"),
    ("rfc9325-bcp195", "BCP195-4.1-ECDH"): read(r"TLS_ECDH_\w+"),
}
READINGS["ncsc-nl-2025-05", "NCSCNL25-APPB"] |= READINGS["ncsc-nl-2025-05", "NCSCNL25-APPB-PHASE-OUT"]
READINGS["bsi-tr-02102-2", "TR02102-2-3.3.1.1"] = (
    READINGS["bsi-tr-02102-2", "TR02102-2-3.3.1.1-2029"]
    | READINGS["bsi-tr-02102-2", "TR02102-2-3.3.1.2"]
    | read(
        r"TLS_ECDHE_(ECDSA|RSA)_WITH_AES_(128_CBC_SHA256|256_CBC_SHA384|128_GCM_SHA256|256_GCM_SHA384)",
        r"TLS_ECDHE_ECDSA_WITH_AES_\d+_CCM",
        r"TLS_AES_(128_GCM_SHA256|256_GCM_SHA384|128_CCM_SHA256)",
    )
)


@pytest.mark.parametrize(("id", "requirement"), READINGS)
def test_a_list_is_what_the_words_of_the_standard_mean(id, requirement):
    assert matched(id, requirement) == READINGS[id, requirement]


def test_weak_suites_have_less_than_112_bits():
    weak = {one.name for one in all_suites() if one.parts.bits and one.parts.bits < 112 and one.name in NAMES}
    assert matched("rfc9325-bcp195", "BCP195-4.1-112") == weak


def test_every_exact_name_is_a_suite():
    unknown = []
    for id in shipped():
        for question in shipped_baseline(id).questions:
            unknown += [name for name in _names(question) if "*" not in name and name not in NAMES]
    assert not unknown


def _names(question: Question) -> list[str]:
    match question.expects:
        case SuitePatterns(patterns=patterns, unless=unless):
            return [*patterns, *unless]
        case GoodBeforeBad(first=first, later=later):
            return [*first, *later]
        case SuiteLabels(classes=classes):
            return [name for patterns in classes.values() for name in patterns]
    return []


# --- coverage --------------------------------------------------------------------------------------------------------


def forbidden_by(question: Question) -> set[str]:
    """The suites whose acceptance a requirement does not expect."""
    allow: Callable[[str], bool] | None = None
    match question.rule.id, question.expects:
        case "CIPHER-001", SuitePatterns() as listed:
            return {name for name in NAMES if listed.match(name)}
        case "CIPHER-002", SuitePatterns() as listed:
            allow = listed.match
        case "CIPHER-005", CipherGrades() as grades:
            return {name for name in NAMES if grades.grade_of(name) not in grades.good}
        case "CIPHER-004", SuiteLabels(classes=classes):
            return {name for name in NAMES for patterns in classes.values() if matches(name, patterns)}
    return {name for name in NAMES if not allow(name)} if allow else set()


def versions_forbidden_by(baseline: Baseline) -> set[str]:
    kinds = (q.expects for q in baseline.questions if q.rule.id == "TLS-001" and q.requirement.since is None)
    return {version for expects in kinds if isinstance(expects, ForbiddenVersions) for version in expects.forbidden}


@pytest.mark.parametrize("id", shipped())
def test_the_search_settles_whatever_a_baseline_forbids(id):
    baseline = shipped_baseline(id)
    forbidden = {name for question in baseline.questions for name in forbidden_by(question)}
    assert uncovered(forbidden, versions_forbidden_by(baseline)) == ()


def test_some_baselines_forbid_suites():
    assert sum(bool(forbidden_by(q)) for id in shipped() for q in shipped_baseline(id).questions) > 15

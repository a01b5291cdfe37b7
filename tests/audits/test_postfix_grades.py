"""The cipher grades and excluded classes of `postfix-high` are what OpenSSL makes of the lists of Postfix."""

import pytest

from audits.baseline import shipped_baseline
from audits.rules.suite_patterns import matches
from audits.rules.tls_cipher_grades import CipherGrades
from audits.rules.tls_suites import SuiteLabels
from tests.audits.openssl_lists import EVERYTHING, ORACLES, installed, legacy

TLS13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
"""`openssl ciphers` shows them whatever the list says."""
V31 = {
    "high": "aNULL:-aNULL:HIGH:@STRENGTH",
    "medium": "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
    "low": "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH",
    "export": "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH",
    "null": "eNULL:!aNULL",
}
V28 = {
    "high": "aNULL:-aNULL:ALL:!EXPORT:!LOW:!MEDIUM:+RC4:@STRENGTH",
    "medium": "aNULL:-aNULL:ALL:!EXPORT:!LOW:+RC4:@STRENGTH",
    "low": "aNULL:-aNULL:ALL:!EXPORT:+RC4:@STRENGTH",
    "export": "aNULL:-aNULL:ALL:+RC4:@STRENGTH",
    "null": "eNULL:!aNULL",
}
V24 = {grade: text.removeprefix("aNULL:-aNULL:") for grade, text in V28.items()}
V23 = {
    "high": "!EXPORT:!LOW:!MEDIUM:ALL:+RC4:@STRENGTH",
    "medium": "!EXPORT:!LOW:ALL:+RC4:@STRENGTH",
    "low": "!EXPORT:ALL:+RC4:@STRENGTH",
    "export": "ALL:+RC4:@STRENGTH",
    "null": "!aNULL:eNULL+kRSA",
}
_WITHOUT = "!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5"
V38 = {
    "high": f"aNULL:-aNULL:HIGH:{_WITHOUT}:@STRENGTH",
    "medium": f"aNULL:-aNULL:HIGH:MEDIUM:{_WITHOUT}:+RC4:@STRENGTH",
    "null": "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL",
}
LISTS = {"2.3": V23, "2.4": V24, "2.8": V28, "3.1": V31, "3.8": V38}
"""Postfix -> grade -> list, from src/global/mail_params.h of each version."""


def expectations(requirement: str, kind: type):
    found = {q.requirement.id: q.expects for q in shipped_baseline("postfix-high").questions}[requirement]
    assert isinstance(found, kind)
    return found


def grade_in(lists: dict[str, str], oracle, name: str) -> str:
    """The best grade whose list holds the suite."""
    held = (grade for grade, text in lists.items() if name in oracle(text) and not (grade == "null" and name in TLS13))
    return next(held, "no grade")


@pytest.mark.parametrize("version", ["2.3", "2.4", "2.8", "3.1"])
@pytest.mark.parametrize(
    ("requirement", "oracle"),
    [("PF-GRADE-OPPORTUNISTIC", legacy), ("PF-GRADE-OLD", installed)],
    ids=["OpenSSL 1.0.2e", "installed"],
)
def test_old_grades_are_those_of_openssl(requirement, oracle, version):
    grades = expectations(requirement, CipherGrades)
    narrow_null = version == "2.3"
    every = sorted(name for name in oracle(EVERYTHING) if not (narrow_null and "_NULL_" in name))
    assert len(every) > 100
    assert {name: grades.grade_of(name) for name in every} == {
        name: grade_in(LISTS[version], oracle, name) for name in every
    }


def test_grade_null_had_rsa_alone_in_2_3():
    for oracle in ORACLES.values():
        assert oracle(V23["null"]) - TLS13 == {name for name in oracle(V24["null"]) if name.startswith("TLS_RSA_WITH_")}


@pytest.mark.parametrize("oracle", ORACLES.values(), ids=ORACLES)
def test_grades_since_3_8_are_those_of_openssl(oracle):
    grades = expectations("PF-GRADE-MANDATORY", CipherGrades)
    every = sorted(oracle(EVERYTHING))
    assert {name: grades.grade_of(name) for name in every} == {name: grade_in(V38, oracle, name) for name in every}
    assert oracle(V38["medium"]) == oracle(V38["high"]), "medium holds no more than high"


def test_the_grade_on_port_25_is_told_by_the_same_lists():
    assert expectations("PF-GRADE-25-HIGH", CipherGrades) == expectations("PF-GRADE-MANDATORY", CipherGrades)


def test_3des_changed_its_grade_with_openssl():
    name = "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
    assert expectations("PF-GRADE-OPPORTUNISTIC", CipherGrades).grade_of(name) == "high"
    assert expectations("PF-GRADE-OLD", CipherGrades).grade_of(name) == "medium"


_CLASSES = {**expectations("PF-EXCLUDE", SuiteLabels).classes}


@pytest.mark.parametrize("label", _CLASSES)
def test_excluded_classes_are_those_of_openssl(label):
    named = {name: oracle(label) - TLS13 for name, oracle in ORACLES.items()}
    assert any(named.values()) or label == "KRB5", "one of the two knows the word"
    for name, excluded in named.items():
        mine = {suite for suite in ORACLES[name](EVERYTHING) if matches(suite, _CLASSES[label])}
        assert mine == excluded


@pytest.mark.parametrize("label", ["EDH-RSA-DES-CDC3-SHA", "KRB5-DE5", "CBC3-SHA"])
def test_the_misspelt_names_exclude_nothing(label):
    for oracle in ORACLES.values():
        assert not oracle(label) - TLS13

"""Which cipher grades a server's suites reach."""

from audits.rules.tls_cipher_grades import CipherGrade, CipherGrades, cipher_grade
from tests.audits.rules.examples import Examples
from tests.audits.rules.test_tls_suites import BAD, CHACHA, GOOD, accepting

GRADES = [
    {"name": "high", "patterns": ["TLS_AES_*", "TLS_CHACHA20_*"]},
    {"name": "medium", "patterns": ["*_RC4_*"], "unless": ["*_EXPORT_*"]},
]
EXPORT = "TLS_RSA_EXPORT_WITH_RC4_40_MD5"

EXAMPLES = {
    "CIPHER-005": Examples(
        expects={"grades": GRADES, "wanted": "high"},
        passes=(accepting(GOOD, CHACHA), accepting(GOOD, unsettled=frozenset({CHACHA}))),
        fails=(accepting(GOOD, BAD), accepting(EXPORT, only_handshakes=True)),
        opens=(accepting(GOOD, unsettled=frozenset({BAD})), accepting(GOOD, only_handshakes=True)),
    )
}


def wanting(grade: str) -> CipherGrades:
    return CipherGrades(
        (CipherGrade(name="high", patterns=("TLS_AES_*",)), CipherGrade(name="medium", patterns=("*_RC4_*",))), grade
    )


def test_a_better_grade_is_as_good():
    assert {item.met.value for item in cipher_grade.ask(accepting(GOOD, BAD), wanting("medium"))} == {"yes"}


def test_the_grades_are_told_with_their_suites():
    told = [item.evidence for item in cipher_grade.ask(accepting(GOOD, BAD, CHACHA), wanting("high"))]
    assert set(told) == {
        f"high: {GOOD}",
        f"no grade: {CHACHA}",
        f"medium: {BAD}",
    }


def test_a_grade_that_does_not_exist_is_reached_by_nothing():
    assert {item.met.value for item in cipher_grade.ask(accepting(GOOD), wanting("best"))} == {"no"}

"""Known attacks, where they were tried."""

from audits.established.tls_weaknesses import (
    CCS_INJECTION,
    HEARTBLEED,
    RENEGOTIATION,
    ROBOT,
    CommandInjection,
    Ssl2Ciphers,
    TriedAttacks,
)
from scanner.answers import Fact
from scanner.sslyze_probe import TESTS
from tests.audits.rules.examples import Examples

OPEN = (Fact.INCONCLUSIVE, Fact.NOT_TESTED)


def tried(name: str, vulnerable: Fact) -> TriedAttacks:
    return TriedAttacks({name: vulnerable}, {name: "words of the test"})


def example(name: str) -> Examples:
    other = next(test for test in TESTS if test != name)
    opens = (*(tried(name, fact) for fact in OPEN), tried(other, Fact.YES), tried(other, Fact.NO))
    return Examples(expects={}, passes=(tried(name, Fact.NO),), fails=(tried(name, Fact.YES),), opens=opens)


EXAMPLES = {
    "VULN-001": example(ROBOT),
    "VULN-002": example(HEARTBLEED),
    "VULN-003": example(CCS_INJECTION),
    "VULN-004": example(RENEGOTIATION),
    "VULN-005": Examples(
        expects={},
        passes=(CommandInjection(Fact.NO),),
        fails=(CommandInjection(Fact.YES),),
        opens=tuple(map(CommandInjection, OPEN)),
    ),
    "VULN-006": Examples(
        expects={},
        passes=(Ssl2Ciphers((), Fact.NO),),
        fails=(Ssl2Ciphers(("SSL_CK_RC4_128_WITH_MD5",), Fact.YES), Ssl2Ciphers((), Fact.YES)),
        opens=tuple(Ssl2Ciphers((), fact) for fact in OPEN),
    ),
}


def test_the_names_are_those_of_the_tests_that_the_scanner_runs():
    assert {ROBOT, HEARTBLEED, CCS_INJECTION, RENEGOTIATION} == set(TESTS)

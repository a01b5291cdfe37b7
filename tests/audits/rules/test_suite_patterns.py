"""Names and patterns of suites as baselines write them."""

from audits.rules.suite_patterns import SHOWN, SuitePatterns, matches, some


def test_patterns_match_whole_names_in_their_case():
    assert matches("TLS_RSA_WITH_RC4_128_SHA", ("*_RC4_*",))
    assert not matches("TLS_RSA_WITH_RC4_128_SHA", ("TLS_RSA",))
    assert not matches("TLS_RSA_WITH_RC4_128_SHA", ("*_rc4_*",))
    assert not matches("TLS_RSA_WITH_RC4_128_SHA", ())


def test_exceptions_win():
    static = SuitePatterns(("TLS_RSA_*",), ("TLS_RSA_PSK_*",))
    assert static.match("TLS_RSA_WITH_RC4_128_SHA")
    assert not static.match("TLS_RSA_PSK_WITH_RC4_128_SHA")


def test_long_lists_are_cut():
    names = [f"S{number}" for number in range(SHOWN + 2)]
    assert some(names[:2]) == "S0, S1"
    assert some(names).endswith("S11 and 2 more")

"""Whose order of suites counts, and whether good ones come first."""

from audits.established.tls_order import SuiteOrder, VersionOrder
from audits.rules.tls_order import GoodBeforeBad, WantedPreference, good_before_bad, wanted_preference
from scanner.wire_facts import Preference
from tests.audits.rules.examples import Examples

GCM, CHACHA = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
CBC, RSA = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"
SERVER, CLIENT, MIXED, UNKNOWN = Preference.SERVER, Preference.CLIENT, Preference.MIXED, Preference.UNKNOWN


def order(preference: Preference, *suites: str, unsettled: tuple[str, ...] = ()) -> SuiteOrder:
    return SuiteOrder((VersionOrder("TLSv1.2", preference, suites, unsettled),))


EXAMPLES = {
    "CIPHER-006": Examples(
        expects={"first": ["*_GCM_*", "*_CHACHA20_*"], "later": ["*_CBC_*"]},
        passes=(
            order(SERVER, GCM, CHACHA, CBC, RSA),
            order(CLIENT, CHACHA, GCM),
            order(UNKNOWN, GCM),
            order(CLIENT, CHACHA, unsettled=(GCM,)),
        ),
        fails=(
            order(SERVER, CBC, GCM),
            order(SERVER, GCM, CBC, CHACHA),
            order(CLIENT, GCM, CBC),
        ),
        opens=(
            order(UNKNOWN, GCM, CBC),
            order(MIXED, GCM, CBC),
            order(SERVER, GCM, unsettled=(CBC,)),
            order(UNKNOWN, CBC, unsettled=(GCM,)),
        ),
    ),
    "CIPHER-007": Examples(
        expects={"wanted": "server"},
        passes=(order(SERVER, GCM, CBC),),
        fails=(order(CLIENT, GCM, CBC),),
        opens=(order(UNKNOWN, GCM, CBC), order(MIXED, GCM, CBC), order(UNKNOWN, GCM, unsettled=(CBC,))),
    ),
}


def test_without_a_good_suite_there_is_nothing_to_prefer():
    wants = GoodBeforeBad(("*_GCM_*",), ("*_CBC_*",))
    assert not [*good_before_bad.ask(order(SERVER, CBC, RSA), wants)]
    assert [item.met.value for item in good_before_bad.ask(order(UNKNOWN, CBC, unsettled=(GCM,)), wants)] == [
        "inconclusive"
    ]


def test_one_suite_has_no_order():
    assert not [*wanted_preference.ask(order(UNKNOWN, GCM), WantedPreference(SERVER))]

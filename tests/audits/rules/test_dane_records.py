"""DANE: signed zones and the TLSA records of MX hosts."""

from audits.dane import TlsaState
from audits.established.mail_route import SignedRoute
from audits.established.tlsa_records import TlsaInUse, TlsaLooked, TlsaOnHosts, TlsaPublished
from audits.rules.dane_records import mx_signed
from audits.rules.question import NoExpectations
from scanner.dns_facts import Dnssec, TlsaRecord
from tests.audits.rules.examples import Examples


def record(form: str, first: int = 0) -> TlsaRecord:
    usage, selector, matching = map(int, form.split())
    return TlsaRecord(usage, selector, matching, bytes([first]) * {0: 64, 1: 32, 2: 64}.get(matching, 3))


def records(*forms: str) -> TlsaInUse:
    return TlsaInUse(tuple(record(form, place) for place, form in enumerate(forms)))


def route(mx: Dnssec, **hosts: Dnssec) -> SignedRoute:
    return SignedRoute(mx, {f"{name}.example.org": state for name, state in hosts.items()})


SECURE, INSECURE, OPEN, BOGUS = Dnssec.SECURE, Dnssec.INSECURE, Dnssec.INDETERMINATE, Dnssec.BOGUS
SHORT = TlsaInUse((TlsaRecord(3, 1, 1, b"short"),))

EXAMPLES = {
    "DANE-001": Examples(
        expects={}, passes=(route(SECURE),), fails=(route(INSECURE), route(BOGUS)), opens=(route(OPEN),)
    ),
    "DANE-002": Examples(
        expects={},
        passes=(route(INSECURE, a=SECURE),),
        fails=(route(SECURE, a=SECURE, b=INSECURE),),
        opens=(route(SECURE, a=SECURE, b=OPEN),),
    ),
    "DANE-003": Examples(
        expects={},
        passes=(TlsaPublished(TlsaState.USABLE),),
        fails=(
            TlsaPublished(TlsaState.NONE, "no TLSA look-up"),
            TlsaPublished(TlsaState.INSECURE),
            TlsaPublished(TlsaState.UNUSABLE),
            TlsaPublished(TlsaState.LOOKUP_FAILED, "dns: bogus"),
        ),
    ),
    "DANE-004": Examples(
        expects={}, passes=(TlsaLooked(False, "nodata, secure"),), fails=(TlsaLooked(True, "dns: bogus"),)
    ),
    "DANE-005": Examples(
        expects={"forms": ["3 1 1", "2 0 1"]},
        passes=(records("3 1 1"), records("3 0 1", "2 0 1")),
        fails=(records("3 0 1"), records("2 1 1", "3 1 2")),
    ),
    "DANE-006": Examples(
        expects={"forms": ["* * 0", "2 1 *", "0 * *", "1 * *"]},
        passes=(records("3 1 1", "2 0 1"),),
        fails=(records("3 1 1", "2 1 1"), records("3 0 0"), records("1 0 1")),
    ),
    "DANE-007": Examples(
        expects={}, passes=(records("3 1 1", "1 0 1"),), fails=(SHORT, records("3 1 1", "3 1 7"), records("9 1 1"))
    ),
    "DANE-008": Examples(
        expects={},
        passes=(TlsaOnHosts({"a": TlsaState.USABLE, "b": TlsaState.UNUSABLE}),),
        fails=(
            TlsaOnHosts({"a": TlsaState.USABLE, "b": TlsaState.NONE}),
            TlsaOnHosts({"a": TlsaState.USABLE, "b": TlsaState.INSECURE}),
        ),
    ),
    "DANE-009": Examples(
        expects={"schemes": [["3 * *", "3 * *"], ["3 * *", "2 * *"]]},
        passes=(records("3 1 1", "3 1 1"), records("2 0 1", "3 1 1")),
        fails=(records("3 1 1"), records("2 0 1", "2 1 1"), TlsaInUse((record("3 1 1"), record("3 1 1"))), SHORT),
    ),
}


def test_a_next_hop_in_brackets_has_no_mx_answer_to_be_signed():
    assert not [*mx_signed.ask(SignedRoute(None, {"mx.example.org": Dnssec.SECURE}), NoExpectations())]

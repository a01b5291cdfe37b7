"""The search for classes: complete, and cheap."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.answers import Fact
from scanner.wire.asking import Asker
from scanner.wire.code_points import TLS12, TLS13
from scanner.wire.enumeration import find_version
from scanner.wire.events import Alert
from scanner.wire.hello import Hello
from scanner.wire.ledger import Ledger
from scanner.wire.registry import offered_suites
from scanner.wire.search import open_classes, search_classes
from scanner.wire.server_flight import FlightEnd, ServerFlight
from scanner.wire.weakness import SEARCH_CLASSES, classes_of
from tests.scanner.wire.imaginary_server import ImaginaryServer
from tests.scanner.wire.test_enumeration import drive


@settings(deadline=None)
@given(st.lists(st.sampled_from(offered_suites(tls13=False)), unique=True, min_size=1, max_size=60), st.booleans())
def test_every_class_is_settled_at_one_connection_a_class(suites, server_order):
    server = ImaginaryServer(pairs=tuple((TLS12, code) for code in suites), server_order=server_order)
    asker = Asker(Ledger())
    drive(find_version(asker, TLS12), server.answer)
    asked = drive(search_classes(asker, TLS12), server.answer)
    accepted = {name for code in suites for name in classes_of(code)}
    assert open_classes(asker) == {entry.name for entry in SEARCH_CLASSES} - accepted
    of_open = {code for code in offered_suites(tls13=False) if classes_of(code) & open_classes(asker)}
    assert not of_open & set(asker.ledger.open_suites(TLS12)), "an open class was not refused to the end"
    assert len(asked) <= len(accepted) + 2
    assert asker.ledger.versions[TLS12] is Fact.YES


def test_a_server_without_forbidden_suites_costs_two_connections():
    server = ImaginaryServer(pairs=((TLS12, 0xC02F), (TLS12, 0xC030)))
    asker = Asker(Ledger())
    drive(find_version(asker, TLS12), server.answer)
    assert len(drive(search_classes(asker, TLS12), server.answer)) == 2


def test_a_retry_that_names_no_group_leads_to_no_hello_without_groups():
    """A cookie alone (RFC 8446 section 4.1.4) asks for no other share; and without groups nothing is ever taken up."""
    ccm = 0x1304

    def answer(hello: Hello) -> ServerFlight:
        taken = next((code for code in hello.suites if code in (0x1301, ccm)), None)
        if not hello.groups or taken is None:
            return ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, 109 if not hello.groups else 40))
        return ServerFlight(end=FlightEnd.RETRY, version=TLS13, suite=0x1301 if 0x1301 in hello.suites else taken)

    asker = Asker(Ledger())
    drive(find_version(asker, TLS13), answer)
    drive(search_classes(asker, TLS13), answer)
    assert classes_of(ccm).isdisjoint(open_classes(asker))

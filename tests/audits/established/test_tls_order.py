"""The order of suites of each version that is spoken."""

import msgspec

from audits.established.tls_order import SuiteOrder, VersionOrder
from audits.established.views import Missing
from scanner.answers import Fact
from scanner.wire_facts import Preference, TlsFacts, VersionFacts
from tests.audits.established.test_tls_asked import speaking
from tests.audits.established.test_tls_features import CBC, CBC_CODE, GCM, seen
from tests.audits.session_factory import GOOD, asked
from tests.audits.views_factory import endpoint_view


def test_the_order_of_what_is_spoken():
    spoken = VersionFacts(
        version="TLSv1.2", offered=Fact.YES, suites=(GCM,), unsettled=(CBC_CODE,), preference=Preference.SERVER
    )
    refused = msgspec.structs.replace(spoken, version="TLSv1.1", offered=Fact.INCONCLUSIVE)
    order = VersionOrder("TLSv1.2", Preference.SERVER, (GCM,), (CBC,))
    assert seen(SuiteOrder, TlsFacts(versions=(spoken, refused))) == SuiteOrder((order,))


def test_without_a_version_there_is_none():
    assert isinstance(seen(SuiteOrder, speaking()), Missing)
    assert isinstance(SuiteOrder.of_endpoint(endpoint_view(asked(GOOD))), Missing)

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
    refused = msgspec.structs.replace(spoken, version="TLSv1.1", offered=Fact.NO, suites=(), unsettled=())
    order = VersionOrder("TLSv1.2", Preference.SERVER, (GCM,), (CBC,))
    assert seen(SuiteOrder, TlsFacts(versions=(spoken, refused))) == SuiteOrder((order,))


def test_a_version_of_which_nobody_knows_has_every_suite_open():
    spoken = VersionFacts(version="TLSv1.3", offered=Fact.YES, suites=("TLS_AES_256_GCM_SHA384",))
    unknown = VersionFacts(version="TLSv1.2", offered=Fact.INCONCLUSIVE)
    assert CBC in seen(SuiteOrder, TlsFacts(versions=(spoken, unknown))).versions[1].unsettled


def test_without_a_version_there_is_none():
    assert isinstance(seen(SuiteOrder, speaking()), Missing)
    assert isinstance(SuiteOrder.of_endpoint(endpoint_view(asked(GOOD))), Missing)

"""Which version is taken, and what protects the choice."""

import msgspec

from audits.established.tls_downgrade import DowngradeProtection
from audits.established.views import Missing
from scanner.answers import Fact
from tests.audits.established.test_tls_asked import speaking
from tests.audits.established.test_tls_features import seen
from tests.audits.session_factory import GOOD, OLD_TLS, asked
from tests.audits.views_factory import endpoint_view, with_tls


def test_offered_and_open_versions_highest_first():
    tls = speaking(v3=Fact.YES, v0=Fact.YES, v1=Fact.INCONCLUSIVE)
    tls = msgspec.structs.replace(tls, downgrade_sentinel=Fact.YES, fallback_scsv=Fact.NO)
    assert seen(DowngradeProtection, tls) == DowngradeProtection(
        offered=("TLSv1.3", "TLSv1.0"),
        open=("TLSv1.1",),
        taken="TLSv1.3",
        sentinel=Fact.YES,
        fallback_scsv=Fact.NO,
    )


def test_what_was_not_asked_is_open():
    tls = msgspec.structs.replace(speaking(), versions=speaking(v3=Fact.YES).versions[:2])
    assert seen(DowngradeProtection, tls).open == ("TLSv1.1", "TLSv1.0", "SSLv3")


def test_openssl_calls_tls_1_0_otherwise():
    facts = with_tls(asked(OLD_TLS), speaking(v0=Fact.YES))
    assert DowngradeProtection.of_endpoint(endpoint_view(facts)).taken == "TLSv1.0"


def test_without_hellos_it_is_not_known():
    assert isinstance(DowngradeProtection.of_endpoint(endpoint_view(asked(GOOD))), Missing)

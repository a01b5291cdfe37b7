"""Versions and suites as far as they are settled; what nobody asked stays open."""

from audits.established.tls_abilities import AcceptedSuites, ProtocolVersions
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.wire_facts import TlsFacts, VersionFacts
from tests.audits.session_factory import BROKEN_TLS, GOOD, NO_TLS, OLD_TLS, SILENT, asked
from tests.audits.views_factory import endpoint_view, with_tls

GCM = "TLS_AES_256_GCM_SHA384"
TLS = TlsFacts(
    versions=(
        VersionFacts(
            version="TLSv1.2", offered=Fact.YES, suites=("TLS_RSA_WITH_AES_128_CBC_SHA",), unsettled=(0x0005,)
        ),
        VersionFacts(version="TLSv1.0", offered=Fact.NO, evidence="alert 70", unsettled=(0x0004,)),
        VersionFacts(version="SSLv3", offered=Fact.INCONCLUSIVE),
    )
)


def test_versions_come_from_hellos_and_handshakes():
    seen = ProtocolVersions.of_endpoint(endpoint_view(with_tls(asked(GOOD), TLS)))
    assert isinstance(seen, ProtocolVersions)
    assert seen.offered == {"TLSv1.2": "yes", "TLSv1.0": "no", "SSLv3": "inconclusive", "TLSv1.3": "yes"}
    assert seen.evidence == {"TLSv1.0": "alert 70"}


def test_an_old_handshake_counts_by_our_name_of_the_version():
    seen = ProtocolVersions.of_endpoint(endpoint_view(asked(OLD_TLS)))
    assert isinstance(seen, ProtocolVersions)
    assert seen.offered["TLSv1.0"] == "yes"


def test_suites_are_accepted_unsettled_or_refused():
    settled = TlsFacts(versions=TLS.versions[:2])
    seen = AcceptedSuites.of_endpoint(endpoint_view(with_tls(asked(GOOD), settled)))
    assert isinstance(seen, AcceptedSuites)
    assert seen.accepted == ("TLS_RSA_WITH_AES_128_CBC_SHA", GCM)
    assert seen.unsettled == {"TLS_RSA_WITH_RC4_128_SHA"}, "those of a version that is not offered are refused"
    assert not seen.all_unsettled
    assert not seen.open_versions


def test_every_suite_is_open_while_nobody_knows_of_a_version():
    seen = AcceptedSuites.of_endpoint(endpoint_view(with_tls(asked(GOOD), TLS)))
    assert isinstance(seen, AcceptedSuites)
    assert seen.open_versions == ("SSLv3",)
    assert {"TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_EXPORT_WITH_RC4_40_MD5"} <= seen.unsettled
    assert "TLS_AES_128_CCM_8_SHA256" not in seen.unsettled, "it is of TLS 1.3, which was not asked for"


def test_after_handshakes_alone_everything_else_is_open():
    seen = AcceptedSuites.of_endpoint(endpoint_view(asked(GOOD)))
    assert isinstance(seen, AcceptedSuites)
    assert (seen.accepted, seen.all_unsettled) == ((GCM,), True)


def test_nothing_is_known_of_servers_that_gave_no_handshake():
    for fact in (ProtocolVersions, AcceptedSuites):
        assert isinstance(fact.of_endpoint(endpoint_view(asked(SILENT))), Missing)
        assert isinstance(fact.of_endpoint(endpoint_view(asked(BROKEN_TLS))), Missing)
        assert isinstance(fact.of_endpoint(endpoint_view(asked(NO_TLS))), Inapplicable)

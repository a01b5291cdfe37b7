"""Extensions, CBC and export keys as the hellos showed them."""

import msgspec
import pytest

from audits.established.tls_features import CbcProtection, ExportKeys, OlderTlsFeatures
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.wire_facts import ClassFacts, TlsFacts, VersionFacts
from tests.audits.established.test_tls_asked import speaking
from tests.audits.session_factory import GOOD, asked
from tests.audits.views_factory import endpoint_view, with_tls

CBC, GCM = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
CBC_CODE, GCM_CODE = 0xC013, 0xC02F


def tls12(*suites: str, unsettled: tuple[int, ...] = (), **more: object) -> TlsFacts:
    version = VersionFacts(version="TLSv1.2", offered=Fact.YES, suites=suites, unsettled=unsettled)
    return TlsFacts(versions=(version,), **more)


def seen(fact, tls: TlsFacts):
    return fact.of_endpoint(endpoint_view(with_tls(asked(GOOD), tls)))


@pytest.mark.parametrize("fact", [OlderTlsFeatures, CbcProtection, ExportKeys])
def test_tls13_alone_has_none_of_this(fact):
    assert isinstance(seen(fact, speaking(v3=Fact.YES)), Inapplicable)
    assert isinstance(fact.of_endpoint(endpoint_view(asked(GOOD))), Missing)


@pytest.mark.parametrize("name", OlderTlsFeatures.__struct_fields__)
@pytest.mark.parametrize("answer", Fact)
def test_a_feature_is_what_the_hellos_showed(name, answer):
    features = seen(OlderTlsFeatures, tls12(GCM, **{name: answer}))
    assert features == msgspec.structs.replace(OlderTlsFeatures(), **{name: answer})


def test_cbc_suites_and_what_stayed_open():
    assert seen(CbcProtection, tls12(GCM, CBC, encrypt_then_mac=Fact.YES)) == CbcProtection((CBC,), Fact.YES)
    assert seen(CbcProtection, tls12(GCM, unsettled=(GCM_CODE,))) == CbcProtection((), Fact.NOT_TESTED)
    assert seen(CbcProtection, tls12(GCM, unsettled=(CBC_CODE,))).open
    assert seen(CbcProtection, speaking(v2=Fact.YES, v1=Fact.INCONCLUSIVE)).open


@pytest.mark.parametrize(
    ("accepted", "refused"), [("yes", "no"), ("no", "yes"), ("inconclusive", "inconclusive"), (None, "not-tested")]
)
def test_export_keys(accepted, refused):
    classes = (ClassFacts("export", Fact(accepted)),) if accepted else ()
    assert seen(ExportKeys, tls12(GCM, classes=classes, export_rsa_bits=512)) == ExportKeys(512, Fact(refused))

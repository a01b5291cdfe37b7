"""Certificates wanted and shown, staples and signatures: from handshakes, hellos or both."""

import msgspec

from audits.established.tls_handshakes import (
    ClientCertificateRequest,
    HandshakeSignatures,
    HelloTolerance,
    ServerAuthentication,
    Stapling,
)
from audits.established.views import Inapplicable, Missing
from scanner.answers import Fact
from scanner.facts import EndpointFacts
from scanner.wire_facts import ChainFacts, VersionFacts
from tests.audits.established.test_tls_asked import speaking
from tests.audits.established.test_tls_features import GCM, seen, tls12
from tests.audits.session_factory import GOOD, ISSUER, LEAF, NO_CERTIFICATE, SILENT, asked, handshake
from tests.audits.views_factory import endpoint_view, with_tls

RSA_CHAIN = ChainFacts("RSA", (LEAF.sha256,))


def requesting(answer: bool | None) -> EndpointFacts:
    shake = msgspec.structs.replace(handshake(), client_certificate_requested=answer)
    return asked(msgspec.structs.replace(GOOD, shake=shake))


def of(fact, facts: EndpointFacts):
    return fact.of_endpoint(endpoint_view(facts))


def test_a_request_is_seen_in_a_handshake_or_a_hello():
    assert of(ClientCertificateRequest, requesting(True)).asked is Fact.YES
    assert of(ClientCertificateRequest, requesting(False)).asked is Fact.NO
    assert isinstance(of(ClientCertificateRequest, requesting(None)), Missing)
    for answer in (Fact.YES, Fact.NO):
        told = of(ClientCertificateRequest, with_tls(requesting(None), tls12(GCM, client_certificate=answer)))
        assert told.asked is answer
    told = of(ClientCertificateRequest, with_tls(requesting(False), tls12(GCM, client_certificate=Fact.YES)))
    assert told.asked is Fact.YES, "one handshake that asks is enough"
    assert isinstance(of(ClientCertificateRequest, asked(SILENT)), Missing)


def test_chains_are_counted_each_once():
    assert of(ServerAuthentication, asked(GOOD)) == ServerAuthentication((), 1)
    both = with_tls(asked(GOOD), tls12(GCM, chains=(ChainFacts("ECDSA", ("ee" * 32,)), RSA_CHAIN)))
    assert of(ServerAuthentication, both) == ServerAuthentication(("ECDSA", "RSA"), 3)
    assert of(ServerAuthentication, asked(NO_CERTIFICATE)) == ServerAuthentication((), 0)


def test_a_staple_is_due_where_the_certificate_names_a_responder():
    leaf = msgspec.structs.replace(LEAF, ocsp_urls=("http://ocsp.example",), must_staple=True)
    tls = tls12(GCM, chains=(RSA_CHAIN,), ocsp_staple=Fact.NO)
    facts = msgspec.structs.replace(with_tls(asked(GOOD), tls), certificates=(leaf, ISSUER))
    assert of(Stapling, facts) == Stapling(Fact.NO, responder=True, must_staple=True)
    assert seen(Stapling, tls) == Stapling(Fact.NO, responder=False, must_staple=False)
    newest = speaking(v3=Fact.YES)
    due = msgspec.structs.replace(with_tls(asked(GOOD), newest), certificates=(leaf, ISSUER))
    assert isinstance(of(Stapling, due), Missing), "it goes encrypted"
    assert isinstance(of(Stapling, msgspec.structs.replace(due, certificates=())), Missing), "nobody knows what is due"
    nothing = Stapling(Fact.NOT_TESTED, responder=False, must_staple=False)
    assert seen(Stapling, newest) == nothing, "without a responder nothing is due, in whatever version"
    assert isinstance(of(Stapling, with_tls(asked(NO_CERTIFICATE), tls12(GCM))), Inapplicable)


def test_signatures():
    version = VersionFacts(version="TLSv1.2", offered=Fact.YES, schemes=("rsa_pkcs1_sha256",))
    tls = msgspec.structs.replace(tls12(GCM, sha1_signatures=Fact.YES), versions=(version,))
    assert seen(HandshakeSignatures, tls) == HandshakeSignatures({"TLSv1.2": ("rsa_pkcs1_sha256",)}, Fact.YES)
    assert isinstance(seen(HandshakeSignatures, speaking(v3=Fact.YES)), Inapplicable)


def test_the_large_hello():
    assert seen(HelloTolerance, tls12(GCM, large_hello=Fact.NO)) == HelloTolerance(Fact.NO)
    assert isinstance(of(HelloTolerance, asked(GOOD)), Missing)

"""Each kind of certificate is refused by a verifying client for its own reason, and only for that."""

import ssl

import pytest

from audits.demo.behaviour import TlsServer
from audits.demo.certificates import Authority, Credential, Validity, new_authority, self_signed
from audits.demo.tls_stream import server_context

from .clients import shake_in_memory, verifying

HOST = "mx.example.org"


def verify(authority: Authority, credential: Credential, name: str = HOST) -> ssl.SSLObject:
    server = server_context(TlsServer(chains=(credential.chain_pem,)))
    return shake_in_memory(verifying(authority.root_pem), server, name)


def test_a_good_chain_verifies_strictly_for_each_of_its_names(authority: Authority) -> None:
    credential = authority.credential(HOST, "mail.example.org")
    assert verify(authority, credential, HOST).version() == "TLSv1.3"
    assert verify(authority, credential, "mail.example.org").version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda ca: ca.credential(HOST, validity=Validity.EXPIRED), "certificate has expired"),
        (lambda ca: ca.credential(HOST, validity=Validity.NOT_YET), "certificate is not yet valid"),
        (lambda ca: ca.credential("mail.example.com"), "Hostname mismatch"),
        (lambda ca: ca.credential(HOST, complete=False), "unable to get local issuer certificate"),
        (lambda ca: self_signed(HOST), "self-signed certificate"),
        (lambda ca: new_authority().credential(HOST), "unable to get local issuer certificate"),
    ],
)
def test_a_flaw_is_named_by_openssl(authority: Authority, make: object, why: str) -> None:
    assert callable(make)
    with pytest.raises(ssl.SSLCertVerificationError) as refusal:
        verify(authority, make(authority))
    assert why in refusal.value.verify_message


def test_a_wildcard_name_covers_one_label(authority: Authority) -> None:
    credential = authority.credential("*.example.org")
    assert verify(authority, credential, HOST).version()
    with pytest.raises(ssl.SSLCertVerificationError):
        verify(authority, credential, "a.b.example.org")


def test_two_authorities_share_no_key() -> None:
    assert new_authority().root_pem != new_authority().root_pem


def test_the_chain_is_leaf_first_and_without_the_root(authority: Authority) -> None:
    pem = authority.credential(HOST).chain_pem
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert pem.count(b"BEGIN CERTIFICATE") == 2
    assert authority.root_pem not in pem

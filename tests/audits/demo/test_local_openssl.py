"""A handshake that works in memory works; one that cannot is told apart without an exception."""

import ssl

import msgspec

from audits.demo.behaviour import TlsServer
from audits.demo.local_openssl import handshake_works

V = ssl.TLSVersion


def test_what_modern_openssl_can_do(good_tls: TlsServer) -> None:
    assert handshake_works(good_tls)
    assert handshake_works(msgspec.structs.replace(good_tls, maximum=V.TLSv1_2))
    assert handshake_works(TlsServer(maximum=V.TLSv1_2, ciphers="aNULL"))


def test_what_cannot_work(good_tls: TlsServer) -> None:
    assert not handshake_works(TlsServer())  # no certificate, and the suites want one
    assert not handshake_works(msgspec.structs.replace(good_tls, ciphers="NO-SUCH-CIPHER"))
    assert not handshake_works(msgspec.structs.replace(good_tls, maximum=V.TLSv1_2, ciphers="aRSA"))

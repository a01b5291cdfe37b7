"""The server's TLS against the standard library's client: what is offered, what is seen, what is said on failure."""

import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio

from audits.demo.behaviour import ClientCertificate, TlsServer
from audits.demo.certificates import Authority
from audits.demo.local_openssl import handshake_works
from audits.demo.tls_stream import TlsFailed, TlsStream, server_context

from .clients import credulous, shake_in_memory

V = ssl.TLSVersion
HOST = "mx.example.org"


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[trio.SocketStream, trio.SocketStream]]:
    ours, theirs = trio.socket.socketpair()
    async with trio.SocketStream(ours) as server, trio.SocketStream(theirs) as client:
        yield server, client


def legacy(tls: TlsServer) -> TlsServer:
    """The same server with TLS 1.0 only; without such an OpenSSL there is nothing to test."""
    old = msgspec.structs.replace(tls, minimum=V.TLSv1, maximum=V.TLSv1)
    if not handshake_works(old):
        pytest.skip("the local OpenSSL has no TLS 1.0")
    return old


@pytest.mark.parametrize("version", [V.TLSv1_2, V.TLSv1_3])
def test_the_window_of_versions(good_tls: TlsServer, version: ssl.TLSVersion) -> None:
    only = server_context(msgspec.structs.replace(good_tls, minimum=version, maximum=version))
    assert shake_in_memory(credulous(), only, HOST).version() == version.name.replace("_", ".")
    other = V.TLSv1_2 if version is V.TLSv1_3 else V.TLSv1_3
    with pytest.raises(ssl.SSLError):
        shake_in_memory(credulous(minimum_version=other, maximum_version=other), only, HOST)


def test_tls_1_0_without_a_warning(good_tls: TlsServer) -> None:
    old = server_context(legacy(good_tls))
    client = credulous()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version = V.TLSv1
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    assert shake_in_memory(client, old, HOST).version() == "TLSv1"


def test_suites_and_the_group(good_tls: TlsServer) -> None:
    tls = msgspec.structs.replace(
        good_tls, maximum=V.TLSv1_2, ciphers="ECDHE-ECDSA-CHACHA20-POLY1305", curve="secp384r1"
    )
    client = shake_in_memory(credulous(), server_context(tls), HOST)
    assert (client.cipher() or [""])[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"
    no_common_group = credulous()
    no_common_group.set_ecdh_curve("prime256v1")
    with pytest.raises(ssl.SSLError):
        shake_in_memory(no_common_group, server_context(tls), HOST)


def test_what_openssl_does_not_know_is_refused_at_the_start(good_tls: TlsServer) -> None:
    with pytest.raises(ssl.SSLError):
        server_context(msgspec.structs.replace(good_tls, ciphers="NO-SUCH-CIPHER"))
    with pytest.raises(ssl.SSLError):
        server_context(TlsServer(chains=(b"no PEM at all",)))


@pytest.mark.parametrize("wanted", list(ClientCertificate))
def test_client_certificates(authority: Authority, good_tls: TlsServer, wanted: ClientCertificate) -> None:
    tls = msgspec.structs.replace(
        good_tls, maximum=V.TLSv1_2, client_certificate=wanted, client_ca_pem=authority.root_pem
    )
    if wanted is ClientCertificate.REQUIRED:
        with pytest.raises(ssl.SSLError):
            shake_in_memory(credulous(), server_context(tls), HOST)
    else:
        assert shake_in_memory(credulous(), server_context(tls), HOST).version() == "TLSv1.2"


async def test_text_passes_both_ways_and_the_stream_knows_its_parameters(good_tls: TlsServer) -> None:
    async with connected() as (below, wire):
        server = TlsStream(below, server_context(good_tls))
        client = trio.SSLStream(wire, credulous(), server_hostname=HOST, https_compatible=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.handshake)
            await client.do_handshake()
        assert (server.version, server.asked_name) == ("TLSv1.3", HOST)
        assert server.suite.startswith("TLS_")
        assert 100 < server.hello_bytes < 2000
        await client.send_all(b"EHLO client.example.org\r\n")
        assert await server.receive_some() == b"EHLO client.example.org\r\n"
        await server.send_all(b"250 mx.example.org\r\n")
        assert await client.receive_some() == b"250 mx.example.org\r\n"
        await server.send_close_notify()
        assert await client.receive_some() == b""
        await client.unwrap()
        assert await server.receive_some() == b""


async def test_a_failed_handshake_sends_its_alert(good_tls: TlsServer) -> None:
    async with connected() as (below, wire):
        server = TlsStream(below, server_context(msgspec.structs.replace(good_tls, minimum=V.TLSv1_3)))
        client = trio.SSLStream(wire, credulous(maximum_version=V.TLSv1_2), https_compatible=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(expect_failure, server, "UNSUPPORTED_PROTOCOL")
            with pytest.raises(trio.BrokenResourceError) as broken:
                await client.do_handshake()
    assert "alert protocol version" in str(broken.value.__cause__)


async def test_a_large_hello_is_refused_and_measured(good_tls: TlsServer) -> None:
    async with connected() as (below, wire):
        server = TlsStream(below, server_context(good_tls))
        await wire.send_all(b"\x16\x03\x01\x02\x01" + bytes(513))
        with pytest.raises(TlsFailed, match="513 bytes"):
            await server.handshake(512)
        assert server.hello_bytes == 513


async def test_bytes_that_are_no_tls_and_an_early_end(good_tls: TlsServer) -> None:
    async with connected() as (below, wire):
        await wire.send_all(b"EHLO client.example.org\r\n")
        await expect_failure(TlsStream(below, server_context(good_tls)), "SSL")
    async with connected() as (below, wire):
        await wire.send_all(b"\x16\x03")
        await wire.send_eof()
        await expect_failure(TlsStream(below, server_context(good_tls)), "closed the connection within TLS")


async def expect_failure(server: TlsStream, words: str) -> None:
    with pytest.raises(TlsFailed, match=words):
        await server.handshake()

"""Full handshakes in memory: the client under test against the standard library's server side."""

import base64
import contextlib
import gc
import ssl
import weakref
from functools import cache

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audits.demo.behaviour import ClientCertificate, TlsServer
from audits.demo.certificates import new_authority
from audits.demo.tls_stream import server_context
from scanner import settings
from scanner.failures import ProtocolError
from scanner.handshake import TlsClient, TlsError
from scanner.tls_facts import HelloStyle
from tests.certificate_factory import integer, intermediate, leaf, root, rsa_key, sequence

MUST, CLASSIC, LEVEL1 = HelloStyle.POSTFIX_MUST, HelloStyle.CLASSIC, HelloStyle.CLASSIC_LEVEL1
TLS10, TLS11 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

AUTHORITY = new_authority()
CHAIN = AUTHORITY.credential("mx.example.org").chain_pem
ANONYMOUS = TlsServer(ciphers="aNULL", maximum=TLS12)


class Server:
    """The server's end of a connection, in memory."""

    def __init__(self, tls: TlsServer, context: ssl.SSLContext | None = None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.end = (context or server_context(tls)).wrap_bio(self._in, self._out, server_side=True)
        self.failure = ""

    def answer(self, data: bytes) -> bytes:
        """Takes bytes from the client, goes on with the handshake, gives the bytes for the client (alerts too)."""
        self._in.write(data)
        try:
            self.end.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.failure = str(error)
        return self._out.read()

    def say(self, text: bytes) -> bytes:
        self.end.write(text)
        return self._out.read()

    def hear(self, data: bytes) -> bytes:
        self._in.write(data)
        return self.end.read()

    def close(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.end.unwrap()
        return self._out.read()


def shaken(client: TlsClient, server: Server, chunk: int = 1 << 20) -> TlsClient:
    """The client after the handshake; the server's bytes come in chunks of this size. Raises what the client raises."""
    for _ in range(6):
        done = client.shake()
        back = server.answer(client.outgoing())
        for at in range(0, len(back), chunk):
            client.feed(back[at : at + chunk])
            if not done:
                done = client.shake()
        if done and not server.failure:
            if tickets := server.answer(client.outgoing()):
                client.feed(tickets)
            return client
    raise AssertionError("the handshake does not come to its end")


def facts_with(tls: TlsServer, hello: HelloStyle = MUST):
    client = shaken(TlsClient(hello), Server(tls))
    return client.facts(tuple(f"{len(der)}" for der in client.chain_der()))


# --- what is reached -----------------------------------------------------------------------------------------------


def test_a_modern_server():
    facts = facts_with(TlsServer(chains=(CHAIN,)))
    assert (facts.version, facts.suite) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert facts.openssl_suite == "TLS_AES_256_GCM_SHA384"
    assert facts.group
    assert (facts.sni, facts.client_certificate_requested) == (None, False)
    assert facts.fits_level1


def test_tls_1_2_with_both_names_of_the_suite():
    facts = facts_with(TlsServer(chains=(CHAIN,), maximum=TLS12, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"))
    assert (facts.version, facts.suite) == ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    assert facts.openssl_suite == "ECDHE-ECDSA-AES128-GCM-SHA256"


def test_the_chain_is_kept_as_it_was_sent():
    top = root()
    middle = intermediate(top)
    end = leaf(middle, "mx.example.org")
    for sent in ([end], [end, middle], [end, middle, top], [end, top, middle], [end, middle, middle]):
        pem = end.key.pem + b"".join(certificate.pem for certificate in sent)
        client = shaken(TlsClient(MUST), Server(TlsServer(chains=(pem,))))
        assert list(client.chain_der()) == [certificate.der for certificate in sent]


def test_old_versions_work_at_level_0_only():
    old = TlsServer(chains=(CHAIN,), minimum=TLS10, maximum=TLS11, ciphers="ALL")
    facts = facts_with(old, CLASSIC)
    assert facts.version == "TLSv1.1"
    assert not facts.fits_level1
    for hello in (MUST, LEVEL1):
        with pytest.raises(TlsError):
            facts_with(old, hello)


def test_anonymous_suites_are_offered_by_the_classic_hello_only():
    facts = facts_with(ANONYMOUS, CLASSIC)
    assert facts.chain == ()
    assert "anon" in facts.suite
    assert not facts.fits_level1
    for hello in (MUST, LEVEL1):
        with pytest.raises(TlsError):
            facts_with(ANONYMOUS, hello)


@cache
def modp2048() -> bytes:
    """The group of RFC 3526 section 3 as PEM; its prime is made of digits of pi (Machin's formula)."""

    def arctan_of_inverse(x: int, unit: int) -> int:
        total = term = unit // x
        n = 1
        while term := term // (x * x):
            n += 2
            total += -(term // n) if n % 4 == 3 else term // n
        return total

    unit = 1 << (1918 + 32)
    pi = (4 * (4 * arctan_of_inverse(5, unit) - arctan_of_inverse(239, unit))) >> 32
    prime = 2**2048 - 2**1984 - 1 + 2**64 * (pi + 124476)
    parameters = base64.encodebytes(sequence(integer(prime), integer(2)))
    return b"-----BEGIN DH PARAMETERS-----\n" + parameters + b"-----END DH PARAMETERS-----\n"


def server_with_dhe(tmp_path, ciphers: str) -> Server:
    issued = leaf(None, "mx.example.org", key=rsa_key(2048))
    tls = TlsServer(chains=(issued.key.pem + issued.pem,), maximum=TLS12, ciphers=ciphers)
    file = tmp_path / "dh.pem"
    file.write_bytes(modp2048())
    context = server_context(tls)
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.load_dh_params(str(file))
    return Server(tls, context)


@pytest.mark.parametrize("hello", [MUST, CLASSIC, LEVEL1])
def test_a_server_that_has_nothing_but_dhe_is_understood(hello, tmp_path):
    client = shaken(TlsClient(hello), server_with_dhe(tmp_path, "DHE-RSA-AES256-GCM-SHA384"))
    assert client.facts(()).suite == "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"


def test_dhe_stands_behind_all_else_in_the_offer(tmp_path):
    client = shaken(TlsClient(MUST), server_with_dhe(tmp_path, "DHE-RSA-AES256-GCM-SHA384:AES128-SHA"))
    assert client.facts(()).suite == "TLS_RSA_WITH_AES_128_CBC_SHA"


@pytest.mark.parametrize("bits", [1024, 2048])
def test_small_rsa_keys_pass_the_handshake_and_are_judged_later(bits):
    issued = leaf(None, "mx.example.org", key=rsa_key(bits))
    assert facts_with(TlsServer(chains=(issued.key.pem + issued.pem,))).chain


@pytest.mark.parametrize("hello", [MUST, CLASSIC, LEVEL1])
def test_rsa_512_fails_everywhere(hello):
    issued = leaf(None, "mx.example.org", key=rsa_key(512))
    with pytest.raises(TlsError):
        facts_with(TlsServer(chains=(issued.key.pem + issued.pem,)), hello)


def test_nothing_is_verified():
    assert facts_with(TlsServer(chains=(AUTHORITY.credential("elsewhere.example", complete=False).chain_pem,))).chain


# --- client certificates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_request_for_a_client_certificate_is_noticed(version):
    tls = TlsServer(chains=(CHAIN,), minimum=version, maximum=version, client_certificate=ClientCertificate.ASKED)
    assert facts_with(tls).client_certificate_requested is True


def test_a_demand_for_a_client_certificate_shows_after_a_tls_1_3_handshake():
    tls = TlsServer(chains=(CHAIN,), client_certificate=ClientCertificate.REQUIRED, client_ca_pem=AUTHORITY.root_pem)
    client, server = TlsClient(MUST), Server(tls)
    assert not client.shake()
    client.feed(server.answer(client.outgoing()))
    assert client.shake()
    client.feed(server.answer(client.outgoing()))
    with pytest.raises(TlsError, match="certificate required"):
        client.decrypt()


def test_a_demand_for_a_client_certificate_ends_a_tls_1_2_handshake():
    tls = TlsServer(
        chains=(CHAIN,), maximum=TLS12, client_certificate=ClientCertificate.REQUIRED, client_ca_pem=AUTHORITY.root_pem
    )
    with pytest.raises(TlsError, match="alert"):
        facts_with(tls)


# --- the hello -----------------------------------------------------------------------------------------------------


def hello_of(style: HelloStyle, sni: str = "") -> bytes:
    client = TlsClient(style, sni)
    assert not client.shake()
    return client.outgoing()


def test_no_name_is_sent_unless_asked_for():
    assert b"mx.example.org" not in hello_of(MUST)
    assert b"mx.example.org" in hello_of(MUST, "mx.example.org")
    server = Server(TlsServer(chains=(CHAIN,)))
    client = shaken(TlsClient(MUST, "mx.example.org"), server)
    assert client.facts(()).sni == "mx.example.org"


def test_the_classic_hellos_are_no_larger_than_that_of_postfix():
    assert len(hello_of(MUST)) > 1000
    assert len(hello_of(CLASSIC)) <= 517
    assert len(hello_of(LEVEL1)) <= 517


# --- what a hostile server can send --------------------------------------------------------------------------------


@given(st.binary(max_size=600))
@hypothesis_settings(deadline=None)
def test_garbage_instead_of_a_handshake(data):
    client = TlsClient(MUST)
    client.shake()
    client.outgoing()
    client.feed(data)
    with contextlib.suppress(TlsError):
        assert client.shake() is False
    client.outgoing()


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=4))
@hypothesis_settings(deadline=None, max_examples=60)
def test_a_changed_flight_ends_in_the_declared_error_or_waits(changes):
    client, server = TlsClient(MUST), Server(TlsServer(chains=(CHAIN,)))
    client.shake()
    flight = bytearray(server.answer(client.outgoing()))
    for place, mask in changes:
        flight[int(place * (len(flight) - 1))] ^= mask
    client.feed(bytes(flight))
    with contextlib.suppress(TlsError):
        client.shake()
    client.outgoing()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"220 mx.example.org ESMTP\r\n", "version"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "handshake failure"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "version"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "version"),
    ],
)
def test_the_error_says_what_came(data, words):
    client = TlsClient(MUST)
    client.shake()
    client.feed(data)
    with pytest.raises(TlsError, match=words):
        client.shake()


def test_the_end_of_the_stream_within_the_handshake():
    client = TlsClient(MUST)
    client.shake()
    client.feed(b"")
    with pytest.raises(TlsError):
        client.shake()


def test_an_old_error_does_not_spoil_the_next_connection():
    broken = TlsClient(MUST, "x" * 300)
    broken.feed(b"garbage, garbage, garbage")
    with pytest.raises(TlsError):
        broken.shake()
    TlsClient(MUST, "x" * 300)
    shaken(TlsClient(MUST), Server(TlsServer(chains=(CHAIN,))))


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_any_chunking_of_the_flight(chunk):
    assert shaken(TlsClient(MUST), Server(TlsServer(chains=(CHAIN,))), chunk).facts(()).version == "TLSv1.3"


def test_a_chain_beyond_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(settings, "MAX_CHAIN_BYTES", 300)
    client = shaken(TlsClient(MUST), Server(TlsServer(chains=(CHAIN,))))
    with pytest.raises(ProtocolError, match="300 bytes"):
        client.chain_der()


# --- inside TLS ----------------------------------------------------------------------------------------------------


def test_text_in_both_directions_and_a_close_in_good_order():
    server = Server(TlsServer(chains=(CHAIN,)))
    client = shaken(TlsClient(MUST), server)
    client.encrypt(b"EHLO probe.example.net\r\n")
    assert server.hear(client.outgoing()) == b"EHLO probe.example.net\r\n"
    assert client.decrypt() is None
    client.feed(server.say(b"250 mx.example.org\r\n"))
    assert client.decrypt() == b"250 mx.example.org\r\n"
    assert client.decrypt() is None
    client.feed(server.close())
    assert client.decrypt() == b""
    client.close()
    assert client.outgoing()


def test_a_record_cut_short_is_no_text():
    server = Server(TlsServer(chains=(CHAIN,)))
    client = shaken(TlsClient(MUST), server)
    client.feed(server.say(b"250 mx.example.org\r\n")[:-1])
    assert client.decrypt() is None
    client.feed(b"")
    with pytest.raises(TlsError):
        client.decrypt()


def test_a_forged_record_is_an_error():
    server = Server(TlsServer(chains=(CHAIN,)))
    client = shaken(TlsClient(MUST), server)
    record = bytearray(server.say(b"250 mx.example.org\r\n"))
    record[-1] ^= 1
    client.feed(bytes(record))
    with pytest.raises(TlsError):
        client.decrypt()


def test_a_client_that_is_let_go_is_freed_at_once():
    client = shaken(TlsClient(MUST), Server(TlsServer(chains=(CHAIN,))))
    trace = weakref.ref(client._connection)
    gc.disable()
    try:
        del client
        assert trace() is None
    finally:
        gc.enable()

"""The ClientHello, read back by two independent readers: tlslite-ng's parser and a few lines here."""

import struct

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from scanner.wire.code_points import SSL2, SSL3, TLS10, TLS11, TLS12, TLS13, ExtensionType
from scanner.wire.hello import ENTROPY_SIZE, Hello, encode_hello, farewell, fresh_entropy
from scanner.wire.registry import offered_suites
from tests.scanner.wire.independent_tls import codec, extensions, messages

ENTROPY = bytes(range(ENTROPY_SIZE))


def message_of(data: bytes) -> bytes:
    """The handshake message in the records."""
    message = b""
    while data:
        kind, version, size = struct.unpack(">BHH", data[:5])
        assert (kind, version >> 8) == (22, 3)
        message, data = message + data[5 : 5 + size], data[5 + size :]
    assert message[0] == 1
    assert int.from_bytes(message[1:4], "big") == len(message) - 4
    return message


def parsed(hello: Hello) -> messages.ClientHello:
    return messages.ClientHello().parse(codec.Parser(bytearray(message_of(encode_hello(hello, ENTROPY))[1:])))


def test_tls12_hello_with_everything():
    hello = Hello(
        versions=(TLS12,), suites=offered_suites(tls13=False), groups=(29, 23, 256), schemes=(0x0804, 0x0403),
        sni="mx.example.org", alpn=(b"smtp",), session_ticket=b"ticket", compressions=(1, 0), session_id=b"s" * 32,
        extended_master_secret=True, renegotiation_info=True, encrypt_then_mac=True, truncated_hmac=True,
        status_request=True, heartbeat=True, fallback_scsv=True,
    )  # fmt: skip
    read = parsed(hello)
    assert read.client_version == (3, 3)
    assert bytes(read.random) == ENTROPY[:32]
    assert bytes(read.session_id) == b"s" * 32
    assert tuple(read.cipher_suites) == (*hello.suites, 0x5600)
    assert read.compression_methods == [1, 0]
    assert read.server_name == b"mx.example.org"
    sent = {extension.extType: extension for extension in read.extensions}
    assert sent[10].groups == [29, 23, 256]
    assert sent[13].sigalgs == [(8, 4), (4, 3)]
    assert sent[16].protocol_names == [b"smtp"]
    assert bytes(sent[35].ticket) == b"ticket"
    assert sent[5].status_type == 1
    assert sent[15].mode == 2
    assert {4, 22, 23, 0xFF01, 11} <= set(sent)
    assert 43 not in sent
    assert 51 not in sent


def test_tls13_hello_with_an_empty_key_share():
    hello = Hello(
        versions=(TLS13,), suites=(0x1301,), groups=(0x11EC, 29), schemes=(0x0804,), middlebox_session_id=True
    )
    read = parsed(hello)
    assert read.client_version == (3, 3)
    assert bytes(read.session_id) == ENTROPY[32:64]
    sent = {extension.extType: extension for extension in read.extensions}
    assert sent[43].versions == [(3, 4)]
    assert sent[51].client_shares == []
    assert sent[10].groups == [0x11EC, 29]
    assert sent[45].modes == [1]


def test_key_shares_are_values_that_servers_can_compute_with():
    hello = Hello(versions=(TLS12, TLS13), suites=(0x1301, 0xC02F), groups=(29, 23, 30), shares=(29, 23, 30))
    sent = {extension.extType: extension for extension in parsed(hello).extensions}
    assert sent[43].versions == [(3, 4), (3, 3)]
    shares = {share.group: bytes(share.key_exchange) for share in sent[51].client_shares}
    base = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    assert shares[23] == base.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert (len(shares[29]), len(shares[30])) == (32, 56)


def test_ssl3_hello_has_no_extension():
    read = parsed(
        Hello(versions=(SSL3,), suites=(0x0005,), groups=(23,), sni="mx.example.org", renegotiation_info=True)
    )
    assert read.client_version == (3, 0)
    assert read.extensions is None
    assert read.cipher_suites == [0x0005, 0x00FF]


@pytest.mark.parametrize(("version", "wire"), [(SSL3, 0x0300), (TLS10, 0x0301), (TLS11, 0x0301), (TLS13, 0x0301)])
def test_the_record_layer_stays_old(version, wire):
    data = encode_hello(Hello(versions=(version,), suites=(0x1301,)), ENTROPY)
    assert struct.unpack(">BH", data[:3]) == (22, wire)


def test_ssl2_hello():
    data = encode_hello(Hello(versions=(SSL2,), suites=(0x010080, 0x0700C0)), ENTROPY)
    assert struct.unpack(">H", data[:2])[0] == 0x8000 | (len(data) - 2)
    assert data[2:11] == bytes.fromhex("01 0002 0006 0000 0010")
    assert data[11:17] == bytes.fromhex("010080 0700c0")
    assert data[17:] == ENTROPY[:16]


@given(st.integers(300, 5000))
def test_padding_reaches_the_size(size):
    hello = Hello(versions=(TLS12,), suites=(0xC02F, 0x1301), groups=(29,), pad_to=size)
    message = message_of(encode_hello(hello, ENTROPY))
    assert len(message) == size
    padding = parsed(hello).extensions[-1]
    assert isinstance(padding, extensions.TLSExtension)
    assert padding.extType == ExtensionType.PADDING


def test_padding_never_shortens():
    hello = Hello(versions=(TLS12,), suites=offered_suites(tls13=False))
    assert encode_hello(msgspec.structs.replace(hello, pad_to=100), ENTROPY) == encode_hello(hello, ENTROPY)


@given(st.integers(1, 400))
def test_fragments_carry_the_same_message(size):
    hello = Hello(versions=(TLS12,), suites=offered_suites(tls13=False)[:50], groups=(29,))
    assert message_of(encode_hello(hello, ENTROPY, record_size=size)) == message_of(encode_hello(hello, ENTROPY))


@pytest.mark.parametrize(
    "hello",
    [
        Hello(versions=(), suites=(1,)),
        Hello(versions=(TLS12,), suites=()),
        Hello(versions=(SSL2, TLS12), suites=(1,)),
        Hello(versions=(SSL2,), suites=()),
        Hello(versions=(TLS13,), suites=(0x1301,), shares=(24,)),
        Hello(versions=(TLS12,), suites=(1,), session_id=b"x" * 33),
        Hello(versions=(TLS12,), suites=(1,), pad_to=1 << 16),
    ],
)
def test_what_cannot_be_written_is_refused(hello):
    with pytest.raises(ValueError, match=r"\w"):
        encode_hello(hello, ENTROPY)


@pytest.mark.parametrize("size", [0, (1 << 14) + 1])
def test_records_have_limits(size):
    with pytest.raises(ValueError, match="record"):
        encode_hello(Hello(versions=(TLS12,), suites=(1,)), ENTROPY, record_size=size)


def test_entropy_is_not_repeated():
    assert len(fresh_entropy()) == ENTROPY_SIZE
    assert fresh_entropy() != fresh_entropy()
    with pytest.raises(ValueError, match="entropy"):
        encode_hello(Hello(versions=(TLS12,), suites=(1,)), b"short")


def test_farewell_is_a_close_notify():
    assert farewell(TLS13) == bytes.fromhex("15 0303 0002 01 00")
    assert farewell(SSL2) == bytes.fromhex("15 0300 0002 01 00")


def test_a_hello_is_a_value():
    hello = Hello(versions=(TLS12,), suites=(1, 2), session_ticket=b"t")
    assert msgspec.json.decode(msgspec.json.encode(hello), type=Hello) == hello
    assert hash(hello) == hash(msgspec.structs.replace(hello))

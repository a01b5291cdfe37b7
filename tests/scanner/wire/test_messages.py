"""Handshake messages, one by one, right and wrong."""

import pytest

from scanner.failures import ProtocolError
from scanner.wire import events, messages
from scanner.wire.code_points import SSL3, TLS11, TLS12, TLS13
from tests.scanner.wire import flight_bytes as made

VERSION13 = made.extension(43, b"\x03\x04")


def test_server_hello_of_tls12():
    hello = messages.server_hello(made.hello_body(0xC02F, made.extension(23)))
    assert isinstance(hello, events.ServerHello)
    assert (hello.version, hello.suite, hello.session_id) == (TLS12, 0xC02F, b"session")
    assert hello.extensions == (events.Extension(23, b""),)
    assert hello.downgrade is None


def test_server_hello_without_extensions():
    hello = messages.server_hello(made.hello_body(0x0005, version=SSL3))
    assert (hello.version, hello.suite) == (SSL3, 0x0005)


def test_server_hello_of_tls13_has_the_group_of_its_share():
    share = made.extension(51, b"\x00\x1d" + made.sized(2, b"k" * 32))
    hello = messages.server_hello(made.hello_body(0x1301, VERSION13, share))
    assert (hello.version, hello.suite, hello.group) == (TLS13, 0x1301, 29)


def test_retry_request_with_and_without_group_and_cookie():
    share, cookie = made.extension(51, b"\x11\xec"), made.extension(44, made.sized(2, b"cookie"))
    random = messages.RETRY_RANDOM
    retry = messages.server_hello(made.hello_body(0x1302, VERSION13, share, random=random))
    assert retry == events.HelloRetryRequest(TLS13, b"session", 0x1302, group=0x11EC)
    retry = messages.server_hello(made.hello_body(0x1302, VERSION13, cookie, random=random))
    assert retry == events.HelloRetryRequest(TLS13, b"session", 0x1302, cookie=b"cookie")


def test_retry_random_is_that_of_rfc_8446():
    assert messages.RETRY_RANDOM.hex().startswith("cf21ad74e59a6111be1d8c021e65b891")


@pytest.mark.parametrize(("end", "version"), [(b"DOWNGRD\x01", TLS12), (b"DOWNGRD\x00", TLS11), (b"DOWNGRD\x02", None)])
def test_downgrade_sentinel(end, version):
    assert messages.server_hello(made.hello_body(0xC02F, random=bytes(24) + end)).downgrade == version


@pytest.mark.parametrize(
    "body",
    [
        b"",
        made.hello_body(0xC02F, version=0x0203),
        made.hello_body(0xC02F)[:-1],
        made.hello_body(0xC02F) + b"\0",
        made.hello_body(0xC02F, made.extension(23), made.extension(23)),
        made.hello_body(0xC02F, made.extension(43, b"\x03\x03")),
        made.hello_body(0xC02F, made.extension(43, b"\x03\x04\x03")),
        made.hello_body(0x1301, made.extension(43, b"\x03\x04"), version=TLS11),
        made.hello_body(0xC02F, random=messages.RETRY_RANDOM),
        made.hello_body(0x1301, VERSION13, made.extension(51, b"\x00")),
        made.hello_body(0x1301, VERSION13, made.extension(51, b"\x00\x1d\x00"), random=messages.RETRY_RANDOM),
        made.hello_body(0xC02F, made.extension(23))[:-1] + b"\x09",
        b"\x03\x03" + made.RANDOM + made.sized(1, b"s" * 33) + b"\xc0\x2f\0",
    ],
)
def test_illegal_server_hellos(body):
    with pytest.raises(ProtocolError):
        messages.server_hello(body)


def test_certificates():
    assert messages.certificate(made.certificate(b"a", b"bc")[4:]).chain == (b"a", b"bc")
    assert messages.certificate(b"\0\0\0").chain == ()


@pytest.mark.parametrize(
    "body",
    [b"\0\0", b"\0\0\1", made.sized(3, made.sized(3, b"")), made.sized(3, made.sized(3, b"a") * 65), b"\0\0\0\0"],
)
def test_illegal_certificates(body):
    with pytest.raises(ProtocolError):
        messages.certificate(body)


def test_certificate_status():
    assert messages.certificate_status(b"\1" + made.sized(3, b"ocsp")) == events.CertificateStatus(1, b"ocsp")


def test_certificate_request_before_and_since_tls12():
    names = made.sized(2, made.sized(2, b"dn1") + made.sized(2, b"dn2"))
    old = messages.certificate_request(made.sized(1, b"\1") + names, TLS11)
    assert old == events.CertificateRequest((1,), (), (b"dn1", b"dn2"))
    new = messages.certificate_request(made.sized(1, b"\1") + made.sized(2, b"\x08\x04") + names, TLS12)
    assert new == events.CertificateRequest((1,), (0x0804,), (b"dn1", b"dn2"))
    with pytest.raises(ProtocolError):
        messages.certificate_request(made.sized(1, b"\1") + made.sized(2, b"\x08") + names, TLS12)


def test_new_session_ticket():
    assert messages.new_session_ticket(b"\0\0\x1c\x20" + made.sized(2, b"t")) == events.NewSessionTicket(7200, b"t")


@pytest.mark.parametrize(
    ("suite", "version", "body", "expected"),
    [
        (0xC02F, TLS12, made.ecdhe(29)[4:], events.EcdheKeyExchange(29, b"\x04point", True, 0x0804)),
        (0xC013, TLS11, made.ecdhe(23, None)[4:], events.EcdheKeyExchange(23, b"\x04point", True)),
        (0xC018, TLS12, made.ecdhe(23, signed=False)[4:], events.EcdheKeyExchange(23, b"\x04point", False)),
        (0xC037, TLS12, made.sized(2, b"hint") + made.ecdhe(23, signed=False)[4:],
         events.EcdheKeyExchange(23, b"\x04point", False)),
        (0x009E, TLS12, made.dhe()[4:], events.DheKeyExchange(made.PRIME, b"\2", b"public", True, 0x0401)),
        (0x0033, TLS11, made.dhe(scheme=None)[4:], events.DheKeyExchange(made.PRIME, b"\2", b"public", True)),
        (0x0034, TLS12, b"".join(made.sized(2, x) for x in (made.PRIME, b"\2", b"public")),
         events.DheKeyExchange(made.PRIME, b"\2", b"public", False)),
        (0x0003, TLS11, made.sized(2, b"n" * 64) + made.sized(2, b"\3") + made.sized(2, b"signature"),
         events.RsaKeyExchange(b"n" * 64, b"\3")),
        (0x008C, TLS12, made.sized(2, b"hint"), events.OtherKeyExchange("PSK", 6)),
        (0xC01D, TLS12, b"anything", events.OtherKeyExchange("SRP", 8)),
        (0xABCD, TLS12, b"anything", events.OtherKeyExchange("", 8)),
    ],
)  # fmt: skip
def test_server_key_exchange(suite, version, body, expected):
    assert messages.server_key_exchange(body, version, suite) == expected


@pytest.mark.parametrize(
    ("suite", "body"),
    [
        (0xC02F, b"\x01" + made.ecdhe(29)[5:]),
        (0xC02F, made.ecdhe(29)[4:-1]),
        (0xC02F, made.ecdhe(29)[4:] + b"\0"),
        (0xC02F, made.ecdhe(29, signed=False)[4:]),
        (0x009E, made.dhe(b"")[4:]),
        (0x009E, made.dhe(bytes(128))[4:]),
        (0x009E, made.dhe(b"\xff" * 5000)[4:]),
        (0x009E, made.sized(2, made.PRIME)),
    ],
)
def test_illegal_server_key_exchanges(suite, body):
    with pytest.raises(ProtocolError):
        messages.server_key_exchange(body, TLS12, suite)

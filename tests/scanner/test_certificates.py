"""Certificates as facts: right ones compared with `cryptography`, wrong ones field by field, and bytes of any kind."""

import hashlib
import ssl
import warnings
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from scanner.certificates import certificate_from_der
from scanner.settings import MAX_CHAIN_BYTES
from scanner.tls_facts import CertificateFacts
from tests.certificate_factory import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Key,
    Recipe,
    alternative_names,
    basic_constraints,
    bits,
    der,
    dns,
    ec_key,
    ed25519_key,
    extended_key_usage,
    extension,
    identifier,
    integer,
    intermediate,
    ip,
    issue,
    key_usage,
    leaf,
    mail,
    moment,
    root,
    rsa_key,
    self_signed,
    sequence,
)

CA = root()
GOOD = leaf(CA, "mx.example.org")


def facts(**changes: Any) -> CertificateFacts:
    """The facts of a certificate without names, changed."""
    return leaf(CA, **changes).facts


# --- everything there and right ------------------------------------------------------------------------------------


def test_all_fields_of_a_server_certificate() -> None:
    certificate = leaf(
        CA,
        "mx.example.org",
        dns("*.Example.ORG"),
        ip("192.0.2.1"),
        ip("2001:db8::1"),
        mail("postmaster@example.org"),
        serial=0xABC,
        key=ec_key("SECP384R1"),
        more=(
            basic_constraints(False),
            key_usage(0, 2),
            extension("1.3.6.1.5.5.7.1.1", access_description("1.3.6.1.5.5.7.48.1", "http://ocsp.example/")),
            extension("1.3.6.1.5.5.7.1.24", sequence(integer(5))),
        ),
    )
    found = certificate.facts
    assert found.sha256 == hashlib.sha256(certificate.der).hexdigest()
    assert found.der == certificate.der
    assert (found.subject, found.issuer, found.serial) == ("CN=mx.example.org", "CN=Example Root CA", "0ABC")
    assert (found.not_before, found.not_after) == (datetime(2025, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    assert found.names_dns == ("mx.example.org", "*.Example.ORG")
    assert found.names_ip == ("192.0.2.1", "2001:db8::1")
    assert found.common_names == ("mx.example.org",)
    assert found.has_san
    assert found.key is not None
    assert (found.key.algorithm, found.key.curve) == ("EC", "secp384r1")
    assert (found.signature_algorithm, found.signature_hash) == ("ecdsa-with-SHA256", "SHA-256")
    assert (found.is_ca, found.path_length, found.self_issued) == (False, None, False)
    assert found.key_usage == ("digitalSignature", "keyEncipherment")
    assert found.extended_key_usage == ("serverAuth",)
    assert found.ocsp_urls == ("http://ocsp.example/",)
    assert found.must_staple
    assert found.problem == ""


def access_description(method: str, uri: str) -> bytes:
    return sequence(sequence(identifier(method), der(0x86, uri.encode())))


def test_a_bare_certificate() -> None:
    found = facts(extensions=(), common_names=())
    assert (found.subject, found.common_names, found.has_san, found.names_dns) == ("", (), False, ())
    assert (found.is_ca, found.key_usage, found.extended_key_usage, found.ocsp_urls) == (None, (), (), ())
    assert not found.must_staple
    assert found.problem == ""


def test_a_certificate_of_version_1() -> None:
    found = version_1(sequence(identifier("1.2.840.113549.1.1.5")))
    assert (found.subject, found.serial, found.signature_hash) == ("CN=Example Root CA", "01", "SHA-1")
    assert found.self_issued
    assert found.problem == ""


def version_1(signature_algorithm: bytes) -> CertificateFacts:
    fields = sequence(integer(1), signature_algorithm, CA.subject, validity(), CA.subject, CA.key.spki)
    return certificate_from_der(sequence(fields, signature_algorithm, bits(b"")))


def validity() -> bytes:
    return sequence(moment(datetime(2025, 1, 1, tzinfo=UTC)), moment(datetime(2040, 1, 1, tzinfo=UTC)))


def test_authorities() -> None:
    assert (CA.facts.is_ca, CA.facts.path_length, CA.facts.self_issued) == (True, None, True)
    assert CA.facts.key_usage == ("keyCertSign", "cRLSign")
    assert intermediate(CA, path_length=0).facts.path_length == 0


def test_usages_without_a_name_here_stay_in_dots() -> None:
    found = facts(more=(extended_key_usage(SERVER_AUTH),), extensions=(extended_key_usage(CLIENT_AUTH, "1.2.3.4"),))
    assert found.extended_key_usage == ("clientAuth", "1.2.3.4")


@pytest.mark.parametrize(
    ("key", "digest", "expected"),
    [
        (rsa_key(1024), "md5", ("md5WithRSAEncryption", "MD5")),
        (rsa_key(1024), "sha1", ("sha1WithRSAEncryption", "SHA-1")),
        (rsa_key(1024), "sha512", ("sha512WithRSAEncryption", "SHA-512")),
        (ec_key(), "sha384", ("ecdsa-with-SHA384", "SHA-384")),
        (ed25519_key(), "", ("ED25519", "")),
    ],
)
def test_signatures(key: Key, digest: str, expected: tuple[str, str]) -> None:
    found = self_signed("mx.example.org", key=key, hash=digest).facts
    assert (found.signature_algorithm, found.signature_hash) == expected


@pytest.mark.parametrize(("digest", "expected"), [(hashes.SHA256(), "SHA-256"), (hashes.SHA512(), "SHA-512")])
def test_pss_signatures_have_their_hash_in_the_parameters(digest: hashes.SHA256 | hashes.SHA512, expected: str) -> None:
    found = certificate_from_der(of_the_library(digest, padding.PSS(padding.MGF1(digest), digest.digest_size)))
    assert (found.signature_algorithm, found.signature_hash) == ("rsassaPss", expected)


def test_pss_signatures_without_parameters_are_sha1() -> None:
    """RFC 4055 section 3.1: every parameter has a default."""
    for parameters in ((), (sequence(),)):
        found = version_1(sequence(identifier("1.2.840.113549.1.1.10"), *parameters))
        assert (found.signature_algorithm, found.signature_hash) == ("rsassaPss", "SHA-1")
    found = version_1(sequence(identifier("1.2.3.4")))
    assert (found.signature_algorithm, found.signature_hash, found.problem) == ("1.2.3.4", "", "")


# --- compared with a library ---------------------------------------------------------------------------------------


def of_the_library(digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512, pad: padding.PSS | None = None) -> bytes:
    """A certificate with much in it, made by `cryptography`."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ' #"Grün, Blau" <+> \\ Söhne; '),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "#1"),
            x509.NameAttribute(NameOID.COMMON_NAME, "mx.example.org"),
            x509.NameAttribute(NameOID.COMMON_NAME, "mx2.example.org"),
        ]
    )
    issuer = x509.Name([x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.LOCALITY_NAME, " ")])])
    ocsp = x509.AccessDescription(
        AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example/")
    )
    issuers = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example/")
    )
    names = [x509.DNSName("mx.example.org"), x509.IPAddress(ip_address("2001:db8::25"))]
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), (1 << 158) + 7)
        .not_valid_before(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC))
        .not_valid_after(datetime(2050, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.AuthorityInformationAccess([issuers, ocsp]), critical=False)
        .add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=3), critical=True)
    )
    return builder.sign(key, digest, rsa_padding=pad).public_bytes(Encoding.DER)


def agrees(der_bytes: bytes) -> bool:
    """Whether facts and library say the same where both spell alike."""
    found = certificate_from_der(der_bytes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        theirs = x509.load_der_x509_certificate(der_bytes)
        serial, key = theirs.serial_number, theirs.public_key()
    assert found.problem == ""
    assert found.key is not None
    assert (found.not_before, found.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert int(found.serial, 16) == serial
    assert found.key.bits == getattr(key, "key_size", found.key.bits)
    assert found.common_names == tuple(
        name.value for name in theirs.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    )
    assert found.self_issued == (theirs.subject == theirs.issuer)
    digest = theirs.signature_hash_algorithm
    assert found.signature_hash.replace("-", "").lower() == (digest.name if digest else "")
    return found.subject == theirs.subject.rfc4514_string()


def test_agrees_with_the_library() -> None:
    made = of_the_library(hashes.SHA384())
    assert agrees(made)
    found = certificate_from_der(made)
    assert found.issuer == "L=\\ "
    assert found.names_ip == ("2001:db8::25",)
    assert found.ocsp_urls == ("http://ocsp.example/",)
    assert found.must_staple
    assert (found.is_ca, found.path_length) == (True, 3)


def test_agrees_with_the_library_on_the_anchors_of_this_system() -> None:
    bundle = ssl.get_default_verify_paths().cafile
    if bundle is None:
        pytest.skip("this system has no bundle of anchors")
    blocks = Path(bundle).read_text(encoding="utf-8").split("-----BEGIN CERTIFICATE-----")[1:]
    ders = [ssl.PEM_cert_to_DER_cert(f"-----BEGIN CERTIFICATE-----{block}".strip()) for block in blocks]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        readable = [data for data in ders if readable_by_the_library(data)]
    alike = [agrees(data) for data in readable]
    assert sum(alike) > 0.9 * len(ders), "subjects differ only in the names of rare attributes"


def readable_by_the_library(data: bytes) -> bool:
    """`cryptography` announces that it will refuse serial numbers that are not positive; some anchors have such."""
    try:
        return bool(x509.load_der_x509_certificate(data).serial_number)
    except ValueError:
        return False


# --- one field is wrong, the others stay ---------------------------------------------------------------------------

BROKEN = der(0x04, b"junk")
END = datetime(2049, 1, 1, tzinfo=UTC)
AIA = "1.3.6.1.5.5.7.1.1"


@pytest.mark.parametrize(
    ("changes", "field", "expected", "problem"),
    [
        ({"serial": -5}, "serial", "-05", ""),
        ({"serial": 0}, "serial", "00", ""),
        ({"raw_validity": sequence(der(0x17, b"2601011200Z"), moment(END))}, "not_before", None, "notBefore: no time"),
        ({"raw_validity": sequence(moment(END), der(0x18, b"20401399000000Z"))}, "not_after", None, "notAfter: "),
        ({"raw_validity": sequence()}, "not_after", None, "validity: 0 values where 2 were expected"),
        ({"raw_validity": BROKEN}, "not_before", None, "validity: tag 0x04"),
        ({"raw_subject": BROKEN}, "subject", "", "subject: tag 0x04"),
        ({"common_names": (der(0x1E, b"odd"),)}, "common_names", (), "common name: no utf-16-be text"),
        ({"extensions": (alternative_names()[:-1],)}, "has_san", False, "extensions: "),
        ({"extensions": (extension("2.5.29.17", BROKEN),)}, "names_dns", (), "subjectAltName: tag 0x04"),
        ({"extensions": (alternative_names(dns("a.example")[:-1]),)}, "names_dns", (), "subjectAltName: a value of"),
        ({"extensions": (extension("2.5.29.19", BROKEN),)}, "is_ca", None, "basicConstraints: tag"),
        ({"extensions": (basic_constraints(True, 1 << 40),)}, "path_length", None, "basicConstraints: a path length"),
        ({"extensions": (extension("2.5.29.15", bits(b"")),)}, "key_usage", (), ""),
        ({"extensions": (extension("2.5.29.15", der(0x03)),)}, "key_usage", (), "keyUsage: a bit string"),
        ({"extensions": (extension("2.5.29.37", sequence(BROKEN)),)}, "extended_key_usage", (), "extKeyUsage: tag"),
        ({"extensions": (extension(AIA, sequence(sequence())),)}, "ocsp_urls", (), "authorityInfoAccess: 0 values"),
        ({"extensions": (extension("1.3.6.1.5.5.7.1.24", b""),)}, "must_staple", False, "tlsFeature: nothing"),
        ({"key": Key(sequence(), b"", ec_key().sign)}, "key", None, "key: 0 values"),
    ],
)
def test_one_field_is_wrong(changes: dict[str, Any], field: str, expected: object, problem: str) -> None:
    found = facts(**changes)
    assert getattr(found, field) == expected
    assert found.problem.startswith(problem) if problem else found.problem == ""
    assert found.issuer == "CN=Example Root CA"
    assert found.signature_hash == "SHA-256"


def test_an_extension_given_twice_counts_for_nothing() -> None:
    """OpenSSL takes neither, so the names fall back to the CN there as well."""
    found = facts(extensions=(alternative_names(dns("a.example")), alternative_names(dns("b.example"))))
    assert (found.names_dns, found.has_san, found.problem) == ((), True, "subjectAltName: given 2 times")


def test_names_keep_every_byte() -> None:
    found = leaf(CA, dns(b"mx.example.org\0.example.net"), dns("m\xfcx.example"), dns(b"")).facts
    assert found.names_dns == ("mx.example.org\0.example.net", "m\xfcx.example", "")
    assert found.problem == ""


def test_several_common_names_in_their_order() -> None:
    names = ("b.example", "a.example\0.example.net", der(0x1E, "größe".encode("utf-16-be")))
    found = facts(common_names=names)
    assert found.common_names == ("b.example", "a.example\0.example.net", "größe")
    assert found.subject == "CN=größe,CN=a.example\\00.example.net,CN=b.example"


def test_a_subject_that_would_steer_a_terminal() -> None:
    assert facts(common_names=("\x1b[2J\r\n\x7f",)).subject == "CN=\\1B[2J\\0D\\0A\\7F"


def test_values_that_cannot_be_written_are_hexadecimal() -> None:
    """RFC 4514 section 2.4: of types without a name, and where the string is none."""
    odd = sequence(der(0x31, sequence(identifier("1.2.3"), der(0x0C, b"x")), sequence(identifier("2.5.4.10"), BROKEN)))
    found = facts(raw_subject=odd)
    assert found.subject == "1.2.3=#0c0178+O=#04046a756e6b"
    assert found.problem == ""


def test_an_address_of_an_odd_size_leaves_the_others() -> None:
    found = leaf(CA, "mx.example.org", der(0x87, b"\1\2\3"), ip("192.0.2.1")).facts
    assert (found.names_dns, found.names_ip) == (("mx.example.org",), ("192.0.2.1",))
    assert found.problem.startswith("iPAddress: ")


def test_several_problems_are_all_told() -> None:
    found = facts(raw_validity=sequence(BROKEN, BROKEN), raw_subject=BROKEN)
    assert [part.split(":")[0] for part in found.problem.split("; ")] == ["subject", "notBefore", "notAfter"]


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0", b"hello", sequence(), sequence(sequence()), GOOD.der[:-1], GOOD.der[:100]),
        *(sequence(GOOD.der[10:]), sequence(sequence(der(0xA0, integer(2)), *[integer(1)] * 5))),
    ],
)
def test_what_is_no_certificate(data: bytes) -> None:
    found = certificate_from_der(data)
    assert found == CertificateFacts(hashlib.sha256(data).hexdigest(), data, problem=found.problem)
    assert found.problem.startswith("certificate: ")


def test_a_certificate_larger_than_a_chain_may_be_is_kept_unread() -> None:
    huge = GOOD.der + bytes(MAX_CHAIN_BYTES)
    found = certificate_from_der(huge)
    assert found.der == huge
    assert found.subject == ""
    assert "are more than we read" in found.problem


def test_the_largest_san_that_fits_is_read() -> None:
    count = (MAX_CHAIN_BYTES - 2000) // 4
    found = issue(Recipe(extensions=(alternative_names(*[dns("ab")] * count),)), CA).facts
    assert len(found.names_dns) == count
    assert found.problem == ""


# --- bytes of any kind ---------------------------------------------------------------------------------------------

SAMPLES = [
    GOOD.der,
    CA.der,
    leaf(CA, dns(b"nul\0"), ip("192.0.2.1"), more=(key_usage(0),), key=rsa_key(512)).der,
]


@given(st.data())
def test_mutations_give_facts_that_survive_json(data: st.DataObject) -> None:
    der_bytes = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(der_bytes) - 1))
        der_bytes[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    holds(bytes(der_bytes))


@given(st.binary(max_size=300))
def test_any_bytes_give_facts(data: bytes) -> None:
    holds(data)


def holds(data: bytes) -> None:
    found = certificate_from_der(data)
    assert found.der == data
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert len(found.problem) <= 200 + len(data)
    assert msgspec.json.decode(msgspec.json.encode(found), type=CertificateFacts) == found

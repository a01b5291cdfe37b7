"""Names in certificates: each clause of what Postfix 3.7 was seen to do, and OpenSSL itself as the referee."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import crypto
from OpenSSL._util import ffi
from OpenSSL._util import lib as openssl

from audits.names import IdentifierKind, NameMatch, name_match
from scanner.tls_facts import CertificateFacts
from tests.certificate_factory import SEEN, Issued, der, dns, ip, leaf, mail, root

CA = root()
MX = "mx.example.org"


def certificate(*names: str | bytes, cn: tuple[str | bytes, ...] = ()) -> Issued:
    return leaf(CA, *names, common_names=cn)


def match(*names: str | bytes, cn: tuple[str | bytes, ...] = (), reference: str = MX) -> NameMatch:
    return name_match(certificate(*names, cn=cn).facts, reference)


# --- dNSName first, the CN only where there is none ----------------------------------------------------------------


def test_a_dns_name_matches() -> None:
    assert match("other.example.org", MX) == NameMatch(
        MX, True, IdentifierKind.DNS_NAME, identifier=MX, presented=("other.example.org", MX)
    )


def test_no_dns_name_matches() -> None:
    assert match("a.example.org", "b.example.org") == NameMatch(
        MX, False, IdentifierKind.DNS_NAME, presented=("a.example.org", "b.example.org")
    )


def test_a_dns_name_silences_the_common_name() -> None:
    assert not match("other.example.org", cn=(MX,)).matched


def test_the_common_name_counts_without_a_san() -> None:
    assert match(cn=(MX,)) == NameMatch(MX, True, IdentifierKind.COMMON_NAME, identifier=MX, presented=(MX,))


@pytest.mark.parametrize("entry", [mail("postmaster@example.org"), ip("192.0.2.1"), der(0x86, b"http://example.org")])
def test_a_san_without_dns_names_leaves_the_common_name(entry: bytes) -> None:
    found = match(entry, cn=(MX,))
    assert (found.matched, found.kind) == (True, IdentifierKind.COMMON_NAME)


def test_either_of_two_common_names_matches() -> None:
    assert match(cn=(MX, "other.example.org")).matched
    found = match(cn=("other.example.org", MX))
    assert (found.matched, found.identifier, found.presented) == (True, MX, ("other.example.org", MX))


def test_no_name_at_all() -> None:
    assert match() == NameMatch(MX, False, IdentifierKind.COMMON_NAME)


# --- wildcards -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("presented", "reference"),
    [
        ("*.example.org", "mx.example.org"),
        ("*.EXAMPLE.org", "mx.example.ORG"),
        ("*.example.org", "xn--mx-jia.example.org"),
        ("*.example.org", "-.example.org"),
        ("*.a.b.example.org", "mx.a.b.example.org"),
    ],
)
def test_a_wildcard_covers_one_label(presented: str, reference: str) -> None:
    found = match(presented, reference=reference)
    assert (found.matched, found.identifier) == (True, presented)
    assert match(cn=(presented,), reference=reference).matched


@pytest.mark.parametrize(
    ("presented", "reference", "why"),
    [
        ("*.example.org", "mx.a.example.org", "not two labels"),
        ("*.example.org", "example.org", "not none"),
        ("*.org", "example.org", "two labels must follow"),
        ("*", "localhost", "two labels must follow"),
        ("m*.example.org", MX, "only a whole label"),
        ("*x.example.org", MX, "only a whole label"),
        ("mx.*.org", MX, "only the first label"),
        ("*.*.org", MX, "only one"),
        ("**.example.org", MX, "only one"),
        ("xn--*.example.org", "xn--mx.example.org", "only a whole label"),
        ("*.example.org", "m_x.example.org", "no underscore under the asterisk"),
        ("*.ex_ample.org", "mx.ex_ample.org", "no underscore behind it"),
        ("*.-a.example.org", "mx.-a.example.org", "no label that begins with a hyphen"),
        ("*.a-.example.org", "mx.a-.example.org", "no label that ends with one"),
        ("*.example.org.", "mx.example.org.", "no trailing dot behind a wildcard"),
        ("*.example..org", "mx.example..org", "no empty label"),
    ],
)
def test_a_wildcard_covers_nothing_else(presented: str, reference: str, why: str) -> None:
    assert not match(presented, reference=reference).matched, why


# --- spelling ------------------------------------------------------------------------------------------------------


def test_upper_case_matches() -> None:
    assert match("MX.Example.ORG").matched
    assert match(MX, reference="MX.EXAMPLE.ORG").matched


def test_a_trailing_dot_in_the_certificate_does_not_match() -> None:
    assert not match("mx.example.org.").matched
    assert not match(cn=("mx.example.org.",)).matched


def test_an_underscore_is_no_fault_without_a_wildcard() -> None:
    assert match("m_x.example.org", reference="m_x.example.org").matched


@pytest.mark.parametrize("name", [b"mx.example.org\0", b"mx.example.org\0.example.net", b"\0mx.example.org"])
def test_nul_never_matches_and_disables_the_common_name(name: bytes) -> None:
    found = match(dns(name), cn=(MX,))
    assert (found.matched, found.kind, found.presented) == (False, IdentifierKind.DNS_NAME, (name.decode("latin-1"),))
    assert not match(cn=(name.decode(),)).matched


def test_an_empty_dns_name_disables_the_common_name_too() -> None:
    assert not match(dns(""), cn=(MX,)).matched


def test_a_u_label_does_not_match() -> None:
    reference = "xn--mx-jia.example.org"
    assert not match(dns("müx.example.org".encode()), dns("müx.example.org"), reference=reference).matched
    assert not match(cn=("müx.example.org",), reference=reference).matched
    assert match(reference, reference=reference).matched


def test_letters_that_unicode_folds_to_ascii_do_not_match() -> None:
    assert not match(cn=("mx.example.or\u212a",), reference="mx.example.ork").matched
    assert not match(cn=("mx.\u0130xample.org",), reference="mx.ixample.org").matched


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("presented", "reference"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), ("2001:db8::1", "2001:DB8:0:0::1")],
)
def test_an_address_is_looked_for_among_the_addresses(presented: str, reference: str) -> None:
    found = match(MX, ip("192.0.2.9"), ip(presented), cn=("x",), reference=reference)
    assert found == NameMatch(reference, True, IdentifierKind.IP_ADDRESS, presented, ("192.0.2.9", presented))


@pytest.mark.parametrize(
    ("names", "common_names"),
    [((ip("192.0.2.2"),), ()), (("192.0.2.1",), ()), ((), ("192.0.2.1",)), ((ip("::ffff:192.0.2.1"),), ())],
)
def test_an_address_matches_nothing_else(names: tuple[str | bytes, ...], common_names: tuple[str, ...]) -> None:
    """Neither another address, nor a dNSName or a CN with its text, nor its mapping into IPv6."""
    assert not match(*names, cn=common_names, reference="192.0.2.1").matched


def test_an_address_in_the_certificate_is_no_host_name() -> None:
    assert not match(ip("192.0.2.1")).matched


# --- what could not be read ----------------------------------------------------------------------------------------


def test_a_certificate_that_could_not_be_read_names_nobody() -> None:
    unread = CertificateFacts("", b"", problem="certificate: cut off")
    assert not name_match(unread, MX).matched
    assert not name_match(unread, "192.0.2.1").matched


# --- OpenSSL as the referee ----------------------------------------------------------------------------------------

NO_PARTIAL_WILDCARDS = 0x4
"""X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, the flag that Postfix sets."""
HOSTNAME_MISMATCH, ADDRESS_MISMATCH = 62, 64


def openssl_matches(subject: Issued, reference: str, address: bytes = b"") -> bool | None:
    """Whether OpenSSL's verification of the chain finds the name, as it does inside a handshake of Postfix.

    None where it refuses the reference: OpenSSL 4 does so with "a" or "-a.example", 3.x compares them as they are.
    """
    store = crypto.X509Store()
    store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, CA.der))
    store.set_time(SEEN)
    parameters = ffi.gc(openssl.X509_VERIFY_PARAM_new(), openssl.X509_VERIFY_PARAM_free)
    openssl.X509_VERIFY_PARAM_set_hostflags(parameters, NO_PARTIAL_WILDCARDS)
    if address:
        assert openssl.X509_VERIFY_PARAM_set1_ip(parameters, address, len(address)) == 1
    else:
        host = reference.encode("ascii")
        if openssl.X509_VERIFY_PARAM_set1_host(parameters, host, len(host)) != 1:
            return None
    assert openssl.X509_STORE_set1_param(store._store, parameters) == 1
    code = 0
    try:
        crypto.X509StoreContext(store, crypto.load_certificate(crypto.FILETYPE_ASN1, subject.der)).verify_certificate()
    except crypto.X509StoreContextError as error:
        code = error.errors[0]
    assert code in (0, HOSTNAME_MISMATCH, ADDRESS_MISMATCH)
    return code == 0


LABELS = st.sampled_from(["*", "mx", "MX", "example", "org", "a", "a-", "-a", "a_b", "xn--a", "m*", "", "\xfc", "a\0"])
PRESENTED = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
REFERENCES = st.lists(
    st.sampled_from(["mx", "example", "org", "a", "a-", "-a", "a_b", "xn--a", "*"]), min_size=1, max_size=4
).map(".".join)


@given(st.lists(PRESENTED, max_size=3), st.lists(PRESENTED, max_size=2), REFERENCES, st.booleans())
def test_host_names_match_as_in_openssl(names: list[str], common: list[str], reference: str, other: bool) -> None:
    """A CN with an octet that is no UTF-8 would stop OpenSSL's search; the factory writes UTF-8 only."""
    subject = certificate(*names, *([mail("a@example.org")] if other else []), cn=tuple(common))
    assert openssl_matches(subject, reference) in (None, name_match(subject.facts, reference).matched)


@given(st.lists(PRESENTED, min_size=1, max_size=2), st.data())
def test_likely_host_names_match_as_in_openssl(names: list[str], data: st.DataObject) -> None:
    """The reference is one of the names, perhaps with a label in place of its asterisk, so matches are frequent."""
    name = data.draw(st.sampled_from(names)).encode("ascii", "replace").decode().replace("\0", "")
    reference = name.replace("*", data.draw(st.sampled_from(["mx", "a.b", "a_b", "*", "-", ""]))).strip(".") or "a"
    for subject in (certificate(*names), certificate(cn=tuple(names))):
        assert openssl_matches(subject, reference) in (None, name_match(subject.facts, reference).matched)


@pytest.mark.parametrize("listed", ["192.0.2.1", "2001:db8::1", "192.0.2.2"])
@pytest.mark.parametrize("asked", ["192.0.2.1", "2001:db8::1"])
def test_addresses_match_as_in_openssl(listed: str, asked: str) -> None:
    subject = certificate(ip(listed), cn=(asked,))
    packed = ip(asked)[2:]
    assert openssl_matches(subject, asked, packed) is name_match(subject.facts, asked).matched

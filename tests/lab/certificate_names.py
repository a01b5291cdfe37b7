"""The chains of the lab whose names are right, wrong or odd (RFC 6125; postfix-policy rules: SAN first, else CN)."""

import ipaddress

from cryptography import x509

from .authority import SERVER, dns_names
from .certificate_states import Authorities, Chain, below_intermediate, chain

SAN_OID = x509.SubjectAlternativeName.oid


def with_names(pki: Authorities, host: str, names: x509.ExtensionType | None, *common_names: str) -> Chain:
    """A good chain with this subjectAltName (or none) and these common names."""
    alternative = ((names, False),) if names else ()
    return below_intermediate(pki, host, common_names=common_names, extensions=(*SERVER, *alternative))


def parent(host: str) -> str:
    return host.partition(".")[2]


@chain
def wrong_name(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, "mx.example.org")


@chain
def domain_name_only(pki: Authorities, host: str) -> Chain:
    """The mail domain instead of the MX host: level `verify` looks at the host name alone."""
    return below_intermediate(pki, parent(host))


@chain
def wildcard(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, f"*.{parent(host)}")


@chain
def wildcard_two_labels(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, f"*.{parent(parent(host))}")


@chain
def wildcard_partial(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, f"m*.{parent(host)}")


@chain
def wildcard_inner(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, f"mx.*.{parent(parent(host))}")


@chain
def wildcard_cn(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, None, f"*.{parent(host)}")


@chain
def upper_case(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host.upper())


@chain
def trailing_dot(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, f"{host}.")


@chain
def cn_only(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, None, host)


@chain
def cn_right_san_wrong(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, dns_names("mx.example.org")[0], host)


@chain
def cn_beside_mail_san(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, x509.SubjectAlternativeName([x509.RFC822Name("postmaster@example.org")]), host)


@chain
def cn_beside_ip_san(pki: Authorities, host: str) -> Chain:
    address = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
    return with_names(pki, host, x509.SubjectAlternativeName([address]), host)


@chain
def two_cns_first(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, None, host, "mx.example.org")


@chain
def two_cns_last(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, None, "mx.example.org", host)


@chain
def cn_with_nul(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, None, f"{host}\0.example.org")


@chain
def san_with_nul(pki: Authorities, host: str) -> Chain:
    """A dNSName with NUL never matches, and its presence disables the CN."""
    return with_names(pki, host, dns_names(f"{host}\0.example.org")[0], host)


@chain
def san_with_nul_and_good(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, dns_names(f"{host}\0.example.org", host)[0], host)


@chain
def empty_subject(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, dns_names(host)[0])


@chain
def many_names(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, dns_names(*(f"h{i}.example.org" for i in range(100)), host)[0])


@chain
def no_name(pki: Authorities, host: str) -> Chain:
    return with_names(pki, host, None)


@chain
def u_label(pki: Authorities, host: str) -> Chain:
    """The name in letters instead of its A-label: a dNSName of bytes that no IA5String may hold (RFC 5280, 7.2)."""
    name = host.encode("ascii").decode("idna").encode("utf-8")
    general_names = bytes([0x82, len(name)]) + name
    names = x509.UnrecognizedExtension(SAN_OID, bytes([0x30, len(general_names)]) + general_names)
    return with_names(pki, host, names)


@chain
def a_label(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, host)


@chain
def every_host(pki: Authorities, host: str) -> Chain:
    """For hosts below `every.test`, whatever the server's own name is."""
    return below_intermediate(pki, "*.every.test")


@chain
def wildcard_top(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, "*.test")


@chain
def every_host_expired(pki: Authorities, host: str) -> Chain:
    return below_intermediate(pki, "*.every.test", from_days=-90, to_days=-1)


@chain
def its_address(pki: Authorities, host: str) -> Chain:
    """An iPAddress instead of a name; `host` is the address here."""
    return with_names(pki, host, x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]))

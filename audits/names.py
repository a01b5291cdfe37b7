"""Does a certificate name the server? The rules of Postfix 3 at level MUST: those of OpenSSL's X509_check_host.

They differ from RFC 9525: the common name still counts where the certificate has no dNSName. Partial wildcards are off.
That the setting `tls_wildcard_matches_multiple_labels` is "yes" changes nothing for host names, only for next-hop
patterns that begin with a dot.
"""

import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

import msgspec

from scanner.tls_facts import CertificateFacts

_WILDCARD_LABEL = re.compile(r"[A-Za-z0-9-]+")
"""What an asterisk covers: OpenSSL allows no underscore there, although host names with one exist."""
_WILDCARD_PARENT = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
)
"""What follows an asterisk and its dot: two labels at least, so that "*.org" covers nothing."""


class IdentifierKind(StrEnum):
    """Where in the certificate an identifier stands."""

    DNS_NAME = "dNSName"
    IP_ADDRESS = "iPAddress"
    COMMON_NAME = "CN"


class NameMatch(msgspec.Struct, frozen=True):
    """Whether one of the presented identifiers matches the reference identifier (words of RFC 9525 section 1.8).

    `kind` tells which identifiers counted, `presented` lists them all in the order of the certificate, `identifier` is
    the first that matched, "" if none did.
    """

    reference: str
    matched: bool
    kind: IdentifierKind
    identifier: str = ""
    presented: tuple[str, ...] = ()


def name_match(certificate: CertificateFacts, reference: str) -> NameMatch:
    """Compare a certificate with a host name (as A-labels) or the text of an IP address.

    An address is looked for among the iPAddresses only. A host name is looked for among the dNSNames; if there is none
    at all, not even a broken one, among the common names, of which any may match.
    """
    address = _address(reference)
    if address is not None:
        kind, presented = IdentifierKind.IP_ADDRESS, certificate.names_ip
        found = next((text for text in presented if _address(text) == address), "")
    else:
        kind, presented = IdentifierKind.DNS_NAME, certificate.names_dns
        if not presented:
            kind, presented = IdentifierKind.COMMON_NAME, certificate.common_names
        found = next((text for text in presented if _names(text, reference)), "")
    return NameMatch(reference, bool(found), kind, found, presented)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that the text is, if it is one; addresses are compared as numbers, for one has many spellings."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _names(presented: str, reference: str) -> bool:
    """Equal but for the case of ASCII letters, or a wildcard that covers the reference's first label.

    Nothing is trimmed: a trailing dot, a NUL or a blank is a difference. Other alphabets never match, as a reference
    identifier is ASCII and Unicode's case folding would make some of their letters equal to ASCII ones.
    """
    if not presented.isascii():
        return False
    pattern, host = presented.lower(), reference.lower()
    return pattern == host or _covers(pattern, host)


def _covers(pattern: str, host: str) -> bool:
    """RFC 9525 section 6.3: the asterisk is the whole first label and stands for exactly one label."""
    label, _, parent = host.partition(".")
    if pattern != f"*.{parent}":
        return False
    return bool(_WILDCARD_LABEL.fullmatch(label) and _WILDCARD_PARENT.fullmatch(parent))

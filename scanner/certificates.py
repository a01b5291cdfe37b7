"""A certificate's DER becomes facts (RFC 5280), field by field, whatever a hostile peer sent.

A field that cannot be read stays at its default and `problem` says why; the DER and its SHA-256 are kept in any case.
The reading is our own because libraries judge where we only write down: `cryptography` refuses a whole certificate for
faults that OpenSSL, and therefore Postfix, lets pass. Where an extension is given twice OpenSSL takes neither, nor do
we.

Spelling: `subject` and `issuer` as RFC 4514 writes names, `serial` in hexadecimal as `openssl x509 -serial` prints it,
`signature_algorithm` OpenSSL's long name, `signature_hash` as FIPS 180 spells it ("SHA-256"; "" for EdDSA and where
the signature names none), key usages as in RFC 5280, curves as in the IANA registry of TLS groups; an identifier
without a name here stays in dots.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple, TypeVar

from scanner import der as asn1
from scanner.certificate_keys import public_key
from scanner.der import DerError, Element
from scanner.settings import MAX_CHAIN_BYTES
from scanner.tls_facts import CertificateFacts

_COMMON_NAME = "2.5.4.3"
_KEY_USAGE = "2.5.29.15"
_SUBJECT_ALT_NAME = "2.5.29.17"
_BASIC_CONSTRAINTS = "2.5.29.19"
_EXTENDED_KEY_USAGE = "2.5.29.37"
_AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1"
_TLS_FEATURE = "1.3.6.1.5.5.7.1.24"
_OCSP = "1.3.6.1.5.5.7.48.1"
_STATUS_REQUEST = 5
"""The TLS extension whose number in the TLS feature extension makes stapling a must (RFC 7633)."""

_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _URI, _IP_ADDRESS = 0x82, 0x86, 0x87

_ATTRIBUTES = {
    _COMMON_NAME: "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
"""RFC 4514 section 3, and what else people put into certificates of mail servers."""
_ESCAPES = {ord(char): f"\\{char}" for char in '"+,;<>\\'} | {code: f"\\{code:02X}" for code in (*range(32), 127)}

_KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
"""RFC 5280 section 4.2.1.3, in the order of the bits."""

_EXTENDED_KEY_USAGES = {
    "2.5.29.37.0": "anyExtendedKeyUsage",
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
}
"""RFC 5280 section 4.2.1.12."""

_RSASSA_PSS = "1.2.840.113549.1.1.10"
_SIGNATURES = {
    "1.2.840.113549.1.1.2": ("md2WithRSAEncryption", "MD2"),
    "1.2.840.113549.1.1.3": ("md4WithRSAEncryption", "MD4"),
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", "MD5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", "SHA-1"),
    "1.3.14.3.2.29": ("sha1WithRSA", "SHA-1"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", "SHA-224"),
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", "SHA-256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", "SHA-384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", "SHA-512"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "SHA-1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "SHA-224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "SHA-256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "SHA-384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "SHA-512"),
    "1.2.840.10040.4.3": ("dsaWithSHA1", "SHA-1"),
    "2.16.840.1.101.3.4.3.1": ("dsa_with_SHA224", "SHA-224"),
    "2.16.840.1.101.3.4.3.2": ("dsa_with_SHA256", "SHA-256"),
    "1.3.101.112": ("ED25519", ""),
    "1.3.101.113": ("ED448", ""),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", ""),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", ""),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", ""),
}
_HASHES = {
    "1.2.840.113549.2.5": "MD5",
    "1.3.14.3.2.26": "SHA-1",
    "2.16.840.1.101.3.4.2.4": "SHA-224",
    "2.16.840.1.101.3.4.2.1": "SHA-256",
    "2.16.840.1.101.3.4.2.2": "SHA-384",
    "2.16.840.1.101.3.4.2.3": "SHA-512",
}
"""Hashes that RSASSA-PSS names in its parameters."""

_Source = TypeVar("_Source")
_Value = TypeVar("_Value")
_Default = TypeVar("_Default")


class _Parts(NamedTuple):
    """The fields of a TBSCertificate (RFC 5280 section 4.1) in their order, each still unread."""

    serial: Element
    signature: Element
    issuer: Element
    validity: Element
    subject: Element
    key: Element
    optional: tuple[Element, ...]


class _Reading:
    """The act of reading one certificate: what could not be read is noted, and reading goes on."""

    def __init__(self, parts: _Parts) -> None:
        self.problems: list[str] = []
        self.extensions: dict[str, list[bytes]] = {}
        self.field("extensions", self._read_extensions, parts.optional, None)

    def field(
        self, name: str, read: Callable[[_Source], _Value], source: _Source, default: _Default
    ) -> _Value | _Default:
        """What `read` makes of the source, or the default and a note."""
        try:
            return read(source)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default

    def extension(self, oid: str, name: str, read: Callable[[bytes], _Value], default: _Default) -> _Value | _Default:
        """What `read` makes of an extension's value; the default where it is absent, or there twice."""
        match self.extensions.get(oid, []):
            case []:
                return default
            case [value]:
                return self.field(name, read, value, default)
            case values:
                self.problems.append(f"{name}: given {len(values)} times")
                return default

    def _read_extensions(self, optional: tuple[Element, ...]) -> None:
        """Section 4.1.2.9: an identifier, perhaps a BOOLEAN, and the value in an OCTET STRING."""
        wrapped = next((part.content for part in optional if part.tag == _EXTENSIONS), None)
        for extension in asn1.elements(asn1.one(wrapped, asn1.SEQUENCE)) if wrapped is not None else ():
            name, *_, value = asn1.fields(extension, least=2)
            oid = asn1.identifier(asn1.expect(name, asn1.OBJECT_IDENTIFIER))
            self.extensions.setdefault(oid, []).append(asn1.expect(value, asn1.OCTET_STRING))


def certificate_from_der(der: bytes) -> CertificateFacts:
    """All facts of one certificate. Never raises; `problem` is empty when everything could be read."""
    sha256 = hashlib.sha256(der).hexdigest()
    if len(der) > MAX_CHAIN_BYTES:
        return CertificateFacts(sha256, der, problem=f"certificate: {len(der)} bytes are more than we read")
    try:
        return _facts(sha256, der, _parts(der))
    except DerError as error:
        return CertificateFacts(sha256, der, problem=f"certificate: {error}")


def _parts(der: bytes) -> _Parts:
    """The certificate and its TBSCertificate opened, nothing inside them."""
    to_be_signed, *_ = asn1.fields(Element(asn1.SEQUENCE, asn1.one(der, asn1.SEQUENCE), der), least=1)
    fields = asn1.fields(to_be_signed, least=6)
    if fields[0].tag == _VERSION:
        fields = fields[1:]
    if len(fields) < 6:
        raise DerError("its fields are incomplete")
    serial, signature, issuer, validity, subject, key, *optional = fields
    return _Parts(serial, signature, issuer, validity, subject, key, tuple(optional))


def _facts(sha256: str, der: bytes, parts: _Parts) -> CertificateFacts:
    reading = _Reading(parts)
    subject = reading.field("subject", _attributes, parts.subject, ())
    algorithm, digest = reading.field("signature", _signature, parts.signature, ("", ""))
    not_before, not_after = _validity(parts.validity, reading)
    names_dns, packed = reading.extension(_SUBJECT_ALT_NAME, "subjectAltName", _alternative_names, ((), ()))
    addresses = (reading.field("iPAddress", _address, address, "") for address in packed)
    is_ca, path_length = reading.extension(_BASIC_CONSTRAINTS, "basicConstraints", _basic_constraints, (None, None))
    return CertificateFacts(
        sha256=sha256,
        der=der,
        subject=_name(subject),
        issuer=_name(reading.field("issuer", _attributes, parts.issuer, ())),
        serial=reading.field("serial", _serial, parts.serial, ""),
        not_before=not_before,
        not_after=not_after,
        names_dns=names_dns,
        names_ip=tuple(filter(None, addresses)),
        common_names=reading.field("common name", _common_names, subject, ()),
        has_san=_SUBJECT_ALT_NAME in reading.extensions,
        key=reading.field("key", public_key, parts.key, None),
        signature_algorithm=algorithm,
        signature_hash=digest,
        is_ca=is_ca,
        path_length=path_length,
        key_usage=reading.extension(_KEY_USAGE, "keyUsage", _key_usage, ()),
        extended_key_usage=reading.extension(_EXTENDED_KEY_USAGE, "extKeyUsage", _extended_key_usage, ()),
        self_issued=parts.subject.der == parts.issuer.der,
        ocsp_urls=reading.extension(_AUTHORITY_INFO_ACCESS, "authorityInfoAccess", _ocsp_urls, ()),
        must_staple=reading.extension(_TLS_FEATURE, "tlsFeature", _must_staple, False),
        problem="; ".join(reading.problems),
    )


def _serial(element: Element) -> str:
    """Whole octets in hexadecimal; RFC 5280 section 4.1.2.2 forbids negative ones, but they exist."""
    number = int.from_bytes(asn1.expect(element, asn1.INTEGER), signed=True)
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def _signature(element: Element) -> tuple[str, str]:
    """The algorithm and its hash, which RSASSA-PSS has in its parameters (RFC 4055 section 3.1; SHA-1 if absent)."""
    oid, parameters = asn1.algorithm(element)
    if oid != _RSASSA_PSS:
        return _SIGNATURES.get(oid, (oid, ""))
    hashes = [part.content for part in (asn1.fields(parameters[0]) if parameters else ()) if part.tag == 0xA0]
    if not hashes:
        return "rsassaPss", "SHA-1"
    digest, _ = asn1.algorithm(Element(asn1.SEQUENCE, asn1.one(hashes[0], asn1.SEQUENCE), hashes[0]))
    return "rsassaPss", _HASHES.get(digest, digest)


def _validity(element: Element, reading: _Reading) -> tuple[datetime | None, datetime | None]:
    """Both times (section 4.1.2.5), each for itself."""
    times = reading.field("validity", lambda source: asn1.fields(source, least=2), element, ())
    if not times:
        return None, None
    not_before = reading.field("notBefore", asn1.time, times[0], None)
    return not_before, reading.field("notAfter", asn1.time, times[1], None)


# --- names ---------------------------------------------------------------------------------------------------------


_Name = tuple[tuple[tuple[str, Element], ...], ...]


def _attributes(name: Element) -> _Name:
    """The relative names of a Name (section 4.1.2.4): each a set of types and values, nearly always of one."""
    return tuple(
        tuple(_attribute(pair) for pair in asn1.elements(asn1.expect(relative, asn1.SET)))
        for relative in asn1.fields(name)
    )


def _attribute(pair: Element) -> tuple[str, Element]:
    oid, value, *_ = asn1.fields(pair, least=2)
    return asn1.identifier(asn1.expect(oid, asn1.OBJECT_IDENTIFIER)), value


def _name(name: _Name) -> str:
    """RFC 4514 section 2: the last relative name first."""
    relatives = ("+".join(f"{_ATTRIBUTES.get(oid, oid)}={_value(oid, value)}" for oid, value in part) for part in name)
    return ",".join(reversed(tuple(relatives)))


def _value(oid: str, element: Element) -> str:
    """RFC 4514 section 2.4; control characters escaped as well, as these names are shown in terminals."""
    try:
        text = asn1.text(element) if oid in _ATTRIBUTES else None
    except DerError:
        text = None
    if text is None:
        return f"#{element.der.hex()}"
    escaped = text.translate(_ESCAPES)
    if escaped.startswith((" ", "#")):
        escaped = f"\\{escaped}"
    return f"{escaped[:-1]}\\ " if text.endswith(" ") and len(text) > 1 else escaped


def _common_names(name: _Name) -> tuple[str, ...]:
    return tuple(asn1.text(value) for relative in name for oid, value in relative if oid == _COMMON_NAME)


def _alternative_names(value: bytes) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """The dNSNames and the packed iPAddresses (section 4.2.1.6); NUL and other strange bytes stay in the names."""
    names = tuple(asn1.elements(asn1.one(value, asn1.SEQUENCE)))
    hosts = tuple(name.content.decode("latin-1") for name in names if name.tag == _DNS_NAME)
    return hosts, tuple(name.content for name in names if name.tag == _IP_ADDRESS)


def _address(packed: bytes) -> str:
    return str(ip_address(packed))


# --- other extensions ----------------------------------------------------------------------------------------------


def _basic_constraints(value: bytes) -> tuple[bool | None, int | None]:
    """Section 4.2.1.9: cA defaults to false, the path length to no limit."""
    parts = tuple(asn1.elements(asn1.one(value, asn1.SEQUENCE)))
    is_ca = bool(parts) and parts[0].tag == asn1.BOOLEAN and parts[0].content != b"\0"
    lengths = [part.content for part in parts if part.tag == asn1.INTEGER]
    if lengths and len(lengths[0]) > 4:
        raise DerError("a path length of no sane size")
    return is_ca, int.from_bytes(lengths[0], signed=True) if lengths else None


def _key_usage(value: bytes) -> tuple[str, ...]:
    _, flags = asn1.bit_string(asn1.one(value, asn1.BIT_STRING))
    bits = int.from_bytes(flags[:2].ljust(2, b"\0"))
    return tuple(name for at, name in enumerate(_KEY_USAGES) if bits & 0x8000 >> at)


def _extended_key_usage(value: bytes) -> tuple[str, ...]:
    usages = asn1.elements(asn1.one(value, asn1.SEQUENCE))
    oids = (asn1.identifier(asn1.expect(usage, asn1.OBJECT_IDENTIFIER)) for usage in usages)
    return tuple(_EXTENDED_KEY_USAGES.get(oid, oid) for oid in oids)


def _ocsp_urls(value: bytes) -> tuple[str, ...]:
    """Section 4.2.2.1: pairs of a method and where it is found."""
    pairs = (asn1.fields(pair, least=2) for pair in asn1.elements(asn1.one(value, asn1.SEQUENCE)))
    places = ((asn1.identifier(method.content), place) for method, place, *_ in pairs)
    return tuple(place.content.decode("latin-1") for oid, place in places if oid == _OCSP and place.tag == _URI)


def _must_staple(value: bytes) -> bool:
    features = asn1.elements(asn1.one(value, asn1.SEQUENCE))
    return any(int.from_bytes(feature.content[:8]) == _STATUS_REQUEST for feature in features)

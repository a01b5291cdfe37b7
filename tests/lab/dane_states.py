"""The states of DANE (RFC 7672): which records stand beside which chain, in which zone."""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from .certificate_states import Chain

OTHER = "other"
"""Stands for a certificate that nobody serves."""
ROOT = "root"
"""The name under which the authority stands among the chains of a state."""


class Tlsa(Struct, frozen=True):
    """One record by what it is about: leaf, issuer, root, other, short, or second: the leaf of the other chain.

    The root is that of the chain, sent or not.
    """

    usage: int
    selector: int
    matching_type: int
    about: str = "leaf"


class DaneState(Struct, frozen=True, kw_only=True):
    """A domain. Without `lines` it has one MX host with these records; {name} and {address} stand in lines.

    `passing`: Postfix, too, meets only what may pass, so that tlsaudit may leave it open.
    """

    name: str
    chains: tuple[str, ...] = ("good-ecdsa",)
    records: tuple[Tlsa, ...] = ()
    lines: tuple[str, ...] = ()
    options: dict[str, str] = {}
    zone: str = "test"
    passing: bool = False
    ports: tuple[int, ...] = (25,)

    @property
    def domain(self) -> str:
        return f"{self.name}.{self.zone}"


def ee(name: str, *records: Tlsa, chain: str = "good-ecdsa") -> DaneState:
    return DaneState(name=name, chains=(chain,), records=records)


def aliased(name: str, *lines: str) -> DaneState:
    """A domain with zone lines of its own; its server has the chain good-ecdsa, {tlsa} is a record that matches it."""
    return DaneState(name=name, records=(Tlsa(3, 1, 1),), lines=lines)


SPKI = Tlsa(3, 1, 1)
USAGES = [
    ee("ee-spki", SPKI),
    ee("ee-certificate", Tlsa(3, 0, 1)),
    ee("ee-sha512", Tlsa(3, 1, 2)),
    ee("ee-certificate-sha512", Tlsa(3, 0, 2)),
    ee("ee-full-certificate", Tlsa(3, 0, 0)),
    ee("ee-full-key", Tlsa(3, 1, 0)),
    ee("ee-rsa", SPKI, chain="good-rsa"),
    ee("ee-self-signed", SPKI, chain="self-signed"),
    ee("ee-expired", SPKI, chain="expired"),
    ee("ee-not-yet-valid", SPKI, chain="not-yet-valid"),
    ee("ee-wrong-name", SPKI, chain="wrong-name"),
    ee("ee-rsa-1024", SPKI, chain="rsa-1024"),
    ee("ee-client-purpose", SPKI, chain="client-purpose"),
    ee("ee-mismatch", Tlsa(3, 1, 1, OTHER)),
    ee("ee-of-issuer", Tlsa(3, 1, 1, "issuer")),
    ee("ee-rollover", Tlsa(3, 1, 1, OTHER), SPKI),
    ee("ta-issuer", Tlsa(2, 0, 1, "issuer")),
    ee("ta-issuer-key", Tlsa(2, 1, 1, "issuer")),
    ee("ta-issuer-full", Tlsa(2, 0, 0, "issuer")),
    ee("ta-root-sent", Tlsa(2, 0, 1, "root"), chain="root-included"),
    ee("ta-root-not-sent", Tlsa(2, 0, 1, "root")),
    ee("ta-root-full-not-sent", Tlsa(2, 0, 0, "root")),
    ee("ta-root-key-full-not-sent", Tlsa(2, 1, 0, "root")),
    ee("ta-of-leaf", Tlsa(2, 1, 1, "leaf")),
    ee("ta-self-signed", Tlsa(2, 1, 1, "leaf"), chain="self-signed"),
    ee("ta-self-signed-full", Tlsa(2, 0, 0, "leaf"), chain="self-signed"),
    ee("ta-self-signed-key-full", Tlsa(2, 1, 0, "leaf"), chain="self-signed"),
    ee("ta-leaf-full", Tlsa(2, 0, 0, "leaf")),
    ee("ta-wrong-name", Tlsa(2, 0, 1, "issuer"), chain="wrong-name"),
    ee("ta-next-hop-name", Tlsa(2, 0, 1, "issuer"), chain="domain-name-only"),
    ee("ta-cn-only", Tlsa(2, 0, 1, "issuer"), chain="cn-only"),
    ee("ta-wildcard", Tlsa(2, 0, 1, "issuer"), chain="wildcard"),
    ee("ta-expired", Tlsa(2, 0, 1, "issuer"), chain="expired"),
    ee("ta-expired-issuer", Tlsa(2, 0, 1, "issuer"), chain="expired-intermediate"),
    ee("ta-not-a-ca", Tlsa(2, 0, 1, "issuer"), chain="non-ca-intermediate"),
    ee("ta-out-of-order", Tlsa(2, 0, 1, "root"), chain="out-of-order"),
    ee("ta-or-ee", Tlsa(2, 0, 1, OTHER), SPKI),
    ee("ee-or-ta", Tlsa(3, 1, 1, OTHER), Tlsa(2, 0, 1, "issuer")),
    ee("pkix-ee-only", Tlsa(1, 1, 1)),
    ee("pkix-ta-only", Tlsa(0, 0, 1, "issuer")),
    ee("pkix-ee-only-expired", Tlsa(1, 1, 1), chain="expired"),
    ee("unknown-usage", Tlsa(7, 1, 1)),
    ee("unknown-selector", Tlsa(3, 7, 1)),
    ee("unknown-matching-type", Tlsa(3, 1, 7)),
    ee("short-digest", Tlsa(3, 1, 1, "short")),
    ee("unusable-and-match", Tlsa(1, 1, 1), SPKI),
    ee("unusable-and-mismatch", Tlsa(1, 1, 1), Tlsa(3, 1, 1, OTHER)),
    ee("agility-weaker-matches", SPKI, Tlsa(3, 1, 2, OTHER)),
    ee("agility-stronger-matches", Tlsa(3, 1, 1, OTHER), Tlsa(3, 1, 2)),
    ee("agility-other-selector", Tlsa(3, 0, 1), Tlsa(3, 1, 2, OTHER)),
    ee("agility-full-matches", Tlsa(3, 1, 0), Tlsa(3, 1, 2, OTHER)),
    ee("no-tlsa"),
    ee("no-tlsa-expired", chain="expired"),
    DaneState(name="no-starttls", options={"smtpd_tls_security_level": "none"}),
    DaneState(name="no-starttls-tlsa", records=(SPKI,), options={"smtpd_tls_security_level": "none"}),
    DaneState(name="no-starttls-unusable", records=(Tlsa(1, 1, 1),), options={"smtpd_tls_security_level": "none"}),
    DaneState(name="tls12", records=(SPKI,), options={"smtpd_tls_protocols": "TLSv1.2"}),
    DaneState(name="tls10", records=(SPKI,), options={"smtpd_tls_protocols": "TLSv1"}),
    DaneState(name="two-chains-both", chains=("good-rsa", "good-ecdsa"), records=(SPKI, Tlsa(3, 1, 1, "second"))),
    DaneState(name="two-chains-first", chains=("good-rsa", "good-ecdsa"), records=(SPKI,)),
    DaneState(name="two-chains-second", chains=("good-rsa", "good-ecdsa"), records=(Tlsa(3, 1, 1, "second"),)),
    DaneState(
        name="by-name-only",
        chains=("self-signed", "good-ecdsa"),
        records=(Tlsa(3, 1, 1, "second"),),
        options={"smtpd_tls_chain_files": "{0}", "tls_server_sni_maps": "inline:{{mx.by-name-only.test = {1}}}"},
    ),
]

MX, TO_MX = "{name}.test. MX 10 mx.{name}.test.", "{name}.example. MX 10 mx.{name}.test."
HOST = "mx.{name}.test. A {address}"
ALIAS = ("mx.{name}.test. CNAME real.{name}.test.", "real.{name}.test. A {address}")
ALIAS_OUT = ("mx.{name}.test. CNAME {name}.example.", "{name}.example. A {address}")
NO_KEY = "_25._tcp.mx.{name}.test. TLSA 3 1 0 3003020100"
OWN, WRONG = "_25._tcp.mx.{name}.test. TLSA {tlsa}", "_25._tcp.mx.{name}.test. TLSA {other}"
TLSA_ALIAS = "_25._tcp.mx.{name}.test. CNAME _dane."


def unsigned_mx(name: str, *lines: str, record: Tlsa = SPKI) -> DaneState:
    """An unsigned domain whose host is in the signed zone."""
    return DaneState(name=name, records=(record,), zone="example", lines=lines)


ZONES = [
    DaneState(name="unsigned", records=(SPKI,), zone="example"),
    DaneState(name="unsigned-mismatch", records=(Tlsa(3, 1, 1, OTHER),), zone="example"),
    aliased(
        "host-unsigned",
        "{name}.test. MX 10 {name}.example.",
        "{name}.example. A {address}",
        "_25._tcp.{name}.example. TLSA {tlsa}",
    ),
    aliased("cname-secure", MX, *ALIAS, "_25._tcp.real.{name}.test. TLSA {tlsa}"),
    aliased("cname-secure-own-name", MX, *ALIAS, OWN),
    aliased("cname-secure-both", MX, *ALIAS, "_25._tcp.real.{name}.test. TLSA {other}", OWN),
    aliased("cname-to-unsigned", MX, *ALIAS_OUT, OWN, "_25._tcp.{name}.example. TLSA {other}"),
    aliased("cname-to-unsigned-mismatch", MX, *ALIAS_OUT, WRONG),
    aliased(
        "cname-from-unsigned",
        "{name}.test. MX 10 {name}.example.",
        "{name}.example. CNAME real.{name}.test.",
        "real.{name}.test. A {address}",
        "_25._tcp.real.{name}.test. TLSA {tlsa}",
    ),
    aliased("tlsa-is-alias", MX, HOST, f"{TLSA_ALIAS}{{name}}.test.", "_dane.{name}.test. TLSA {tlsa}"),
    aliased("tlsa-is-alias-mismatch", MX, HOST, f"{TLSA_ALIAS}{{name}}.test.", "_dane.{name}.test. TLSA {other}"),
    aliased("tlsa-alias-to-unsigned", MX, HOST, f"{TLSA_ALIAS}{{name}}.example.", "_dane.{name}.example. TLSA {tlsa}"),
    aliased("tlsa-without-a-key", MX, HOST, NO_KEY),
    aliased("tlsa-without-a-key-and-match", MX, HOST, NO_KEY, OWN),
    aliased("tlsa-bogus", MX, HOST, f"{TLSA_ALIAS}broken."),
    DaneState(name="tlsa-servfail", records=(SPKI,), passing=True, lines=(MX, HOST, f"{TLSA_ALIAS}lame.")),
    aliased("implicit", "{name}.test. A {address}", "_25._tcp.{name}.test. TLSA {tlsa}"),
    aliased("implicit-mismatch", "{name}.test. A {address}", "_25._tcp.{name}.test. TLSA {other}"),
    unsigned_mx("mx-unsigned", TO_MX, HOST, OWN),
    unsigned_mx("mx-unsigned-mismatch", TO_MX, HOST, WRONG),
    unsigned_mx("mx-unsigned-unusable", TO_MX, HOST, "_25._tcp.mx.{name}.test. TLSA 1 1 1 {digest}"),
    unsigned_mx(
        "mx-unsigned-next-hop-name",
        "{name}.example. MX 10 mx.ta-next-hop-name.test.",
        record=Tlsa(2, 0, 1, "issuer"),
    ),
]


def submission(name: str, *tlsa: str, record: Tlsa = SPKI, **more: Any) -> DaneState:
    """A host with submission ports and their records; at port 25 it has none unless they say so."""
    lines = (MX, HOST, *(f"_{each.replace(' ', '._tcp.mx.{name}.test. TLSA ', 1)}" for each in tlsa))
    return DaneState(name=name, records=(record,), lines=lines, ports=(25, 465, 587), **more)


SUBMISSION = [
    submission("submission-all", "25 {tlsa}", "465 {tlsa}", "587 {tlsa}"),
    submission("submission-alone", "465 {tlsa}", "587 {tlsa}"),
    submission("submission-mismatch", "25 {tlsa}", "465 {other}", "587 {other}"),
    submission("submission-one-port", "25 {other}", "465 {other}", "587 {tlsa}"),
    submission("submission-expired", "465 {tlsa}", "587 {tlsa}", chains=("expired",)),
    submission("submission-issuer", "465 {tlsa}", "587 {tlsa}", record=Tlsa(2, 0, 1, "issuer")),
    submission(
        "submission-issuer-wrong-name",
        *("465 {tlsa}", "587 {tlsa}"),
        record=Tlsa(2, 0, 1, "issuer"),
        chains=("wrong-name",),
    ),
    submission("submission-unusable", "465 1 1 1 {digest}", "587 1 1 1 {digest}"),
    submission(
        "submission-by-name",
        *("465 {tlsa}", "587 {tlsa}"),
        record=Tlsa(3, 1, 1, "second"),
        chains=("self-signed", "good-ecdsa"),
        options={"smtpd_tls_chain_files": "{0}", "tls_server_sni_maps": "inline:{{mx.submission-by-name.test = {1}}}"},
    ),
]

DANE_STATES = [*USAGES, *ZONES, *SUBMISSION]


def tlsa_text(record: Tlsa, chains: Mapping[str, Chain], state: DaneState) -> str:
    """The record as in a zone file."""
    chain = chains[state.chains[0]]
    leaf = (chains[state.chains[-1]] if record.about == "second" else chain).leaf.certificate
    issuers = [each.certificate for each in chain.others]
    about: dict[str, x509.Certificate] = {"leaf": leaf, "second": leaf, "short": leaf}
    about |= {"root": chains[ROOT].leaf.certificate} | ({"issuer": issuers[0]} if issuers else {})
    certificate = about.get(record.about, leaf)
    data = certificate.public_bytes(Encoding.DER)
    if record.selector == 1:
        data = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if record.about == OTHER:
        data += b"other"
    digest = {1: hashlib.sha256, 2: hashlib.sha512}.get(record.matching_type)
    data = digest(data).digest() if digest else data
    if record.about == "short":
        data = data[:16]
    return f"{record.usage} {record.selector} {record.matching_type} {data.hex()}"

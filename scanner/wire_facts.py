"""What a server's TLS is able to do, as the hellos of a plan showed it; nothing here was judged.

Suites bear IANA names, versions and groups the names of `scanner.wire.code_points`. Every `Fact` keeps the rule of
this project: only an answer of the server makes a "no"; what was not asked is NOT_TESTED (or does not apply), and
what was asked without an answer is INCONCLUSIVE.
"""

from enum import StrEnum

import msgspec

from scanner.answers import Fact
from scanner.failures import ProbeFailure


class Preference(StrEnum):
    """Whose order decides. UNKNOWN: no two candidates were ever offered in both orders."""

    SERVER = "server"
    CLIENT = "client"
    MIXED = "mixed"
    """Neither explains what was seen: several servers behind one address, or an exception such as ChaCha20 first."""
    UNKNOWN = "unknown"


class VersionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol version.

    `suites` were accepted, in the order in which the server took them up: with server preference its own order.
    `complete` says that every other known suite was refused; otherwise `suites` means "at least these", and
    `unsettled` holds the code points that were neither accepted nor refused. `broken` suites were chosen by the
    server, which then failed. `groups` and `schemes` were used by the server; `groups_complete` says that it refused
    all others. `evidence` is the server's own word for an `offered` of NO.
    """

    version: str
    offered: Fact
    evidence: str = ""
    suites: tuple[str, ...] = ()
    complete: bool = False
    unsettled: tuple[int, ...] = ()
    broken: tuple[str, ...] = ()
    preference: Preference = Preference.UNKNOWN
    groups: tuple[str, ...] = ()
    groups_complete: bool = False
    group_preference: Preference = Preference.UNKNOWN
    schemes: tuple[str, ...] = ()


class ClassFacts(msgspec.Struct, frozen=True):
    """A class of suites (`scanner.wire.weakness`): whether any suite of it is accepted in any version."""

    name: str
    accepted: Fact


class ChainFacts(msgspec.Struct, frozen=True):
    """A certificate chain sent up to TLS 1.2: SHA-256 of each DER, leaf first, and how the leaf authenticates.

    `authentication` is that of the suite: "RSA", "ECDSA" or "DSS". `stapled` tells of an OCSP response.
    """

    authentication: str
    chain: tuple[str, ...]
    stapled: bool = False


class DhFacts(msgspec.Struct, frozen=True):
    """A finite-field Diffie-Hellman group that the server used.

    `name` is that of a well-known prime or ""; `ffdhe_offered` says whether the hello named groups of RFC 7919: a
    server may keep another prime for clients that name none. `suite` is one suite with which it was seen.
    """

    bits: int
    name: str
    prime_sha256: str
    generator: int
    ffdhe_offered: bool
    versions: tuple[str, ...]
    suite: str


class TlsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the flights showed. `complete` is false where a question of the plan stayed without an answer.

    From the flights up to TLS 1.2, hence NOT_TESTED for a server of TLS 1.3 alone: `extended_master_secret` (RFC
    7627), `secure_renegotiation` (RFC 5746), `encrypt_then_mac` (RFC 7366, YES only if every CBC suite seen had it),
    `session_tickets` (RFC 5077), `compression`, `truncated_hmac`, `heartbeat`, `client_certificate` (requested in
    the handshake), `ocsp_staple`, `downgrade_sentinel` (RFC 8446 section 4.1.3, asked of servers of TLS 1.3),
    `fallback_scsv` (RFC 7507), `sha1_signatures` (RFC 9155: the server signs a TLS 1.2 handshake with SHA-1).
    `large_hello`: a hello of more than one TCP segment is answered like a small one.
    `connections` counts the hellos sent, those without an answer included. `failures` are the first answers that
    proved nothing by themselves, also where the question was settled when it was put again.
    """

    versions: tuple[VersionFacts, ...]
    classes: tuple[ClassFacts, ...] = ()
    chains: tuple[ChainFacts, ...] = ()
    dh: tuple[DhFacts, ...] = ()
    export_rsa_bits: int | None = None
    ssl2_ciphers: tuple[str, ...] = ()
    hybrid_group: Fact = Fact.NOT_TESTED
    extended_master_secret: Fact = Fact.NOT_TESTED
    secure_renegotiation: Fact = Fact.NOT_TESTED
    encrypt_then_mac: Fact = Fact.NOT_TESTED
    session_tickets: Fact = Fact.NOT_TESTED
    compression: Fact = Fact.NOT_TESTED
    truncated_hmac: Fact = Fact.NOT_TESTED
    heartbeat: Fact = Fact.NOT_TESTED
    client_certificate: Fact = Fact.NOT_TESTED
    ocsp_staple: Fact = Fact.NOT_TESTED
    downgrade_sentinel: Fact = Fact.NOT_TESTED
    fallback_scsv: Fact = Fact.NOT_TESTED
    sha1_signatures: Fact = Fact.NOT_TESTED
    large_hello: Fact = Fact.NOT_TESTED
    connections: int = 0
    complete: bool = False
    failures: tuple[ProbeFailure, ...] = ()

    def version(self, name: str) -> VersionFacts | None:
        """The facts of one version ("TLSv1.2"); None where it was not asked for."""
        return next((facts for facts in self.versions if facts.version == name), None)

"""Does a chain lead to a trust anchor? OpenSSL's verification of a server's certificate, offline (RFC 5280 section 6).

It is repeated as Postfix does it at level MUST: purpose sslserver, OpenSSL security level 1, a depth. pyOpenSSL offers
none of the three. The purpose is set by the one private call in `_set_server_purpose`; depth and level are rules of our
own over the chain that OpenSSL verified, which is where it applies them too. The moment of verification is given, never
the clock's, so a stored run is judged the same next year.

Where several things are wrong the verdict names the first that OpenSSL found, as `openssl verify` does; depth and level
are looked at when nothing else is wrong.
"""

import base64
import hashlib
import re
import ssl
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec
from OpenSSL import crypto
from OpenSSL._util import lib as _openssl

from scanner.tls_facts import CertificateFacts

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, for which pyOpenSSL has no name."""
DEFAULT_VERIFY_DEPTH = 9
"""smtp_tls_scert_verifydepth of Postfix 3 (it was 5 in 2.2)."""

EXPIRED = "certificate-expired"
NOT_TRUSTED = "certificate-not-trusted"
INVALID = "validation-failure"

_UNSPECIFIED, _HAS_EXPIRED, _TOO_LONG = 1, 10, 22
_LEAF_KEY_TOO_SMALL, _ISSUER_KEY_TOO_SMALL, _DIGEST_TOO_WEAK = 66, 67, 68
"""Error codes of OpenSSL (X509_V_ERR_*), the same in all its versions since 1.1."""
_NO_PATH = frozenset({2, 7, 18, 19, 20, 21, _TOO_LONG, 24, 25, 27, 28, 32, *range(47, 54), 79})
"""Codes that say: no acceptable path leads from an anchor to this certificate.

Issuer missing (2, 20, 21), signature wrong (7), self-signed (18, 19), too long (22), an issuer without a key, whose
path length or key usage forbids it, or that is no CA (24, 25, 32, 79), an anchor not meant for this (27, 28), name
constraints (47-53).
"""

_LEAST_KEY_BITS = {crypto.TYPE_RSA: 920, 912: 920, crypto.TYPE_EC: 160, crypto.TYPE_DSA: 1024}
"""Sizes that OpenSSL counts as 80 security bits; 912 is the RSA key bound to PSS. Newer kinds of keys have more."""
_WEAK_SIGNATURES = frozenset(
    {
        *("md2WithRSAEncryption", "md4WithRSAEncryption", "md5WithRSAEncryption", "md5WithRSA", "mdc2WithRSA"),
        *("shaWithRSAEncryption", "sha1WithRSAEncryption", "sha1WithRSA"),
        *("dsaWithSHA", "dsaWithSHA1", "dsaWithSHA1-old", "ecdsa-with-SHA1"),
    }
)
"""OpenSSL's names of the signatures that it counts below 80 security bits: SHA-1 has 63, MD5 39."""
_WEAK_PSS_HASHES = frozenset({"MD5", "SHA-1"})


class ChainVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What verification said of the chain that one server sent.

    `result` is "" when trusted, else the word of RFC 8460 section 4.3.1: certificate-expired for OpenSSL's "has
    expired" anywhere in the chain, certificate-not-trusted where no acceptable path leads to an anchor (that section
    counts unknown authorities, name constraints and chain errors among it), validation-failure for the rest: not yet
    valid, not for servers, too weak, unreadable. `reason` has OpenSSL's own words, `error_code` its number,
    `error_depth` the place in the chain it was building (0 the leaf), None where it had not begun to.

    Depths count as OpenSSL's: 0 is a leaf alone. `verified` has the SHA-256 of the chain from the leaf to the anchor,
    empty unless OpenSSL found one (a chain that is only too long or too weak is shown). `root_included`,
    `out_of_order` and `self_signed` (the leaf by itself) describe what the server sent.
    """

    trusted: bool
    result: str = ""
    reason: str = ""
    error_code: int = 0
    error_depth: int | None = None
    verified: tuple[str, ...] = ()
    verified_depth: int | None = None
    received_depth: int | None = None
    root_included: bool = False
    out_of_order: bool = False
    self_signed: bool = False


class _Fault(msgspec.Struct, frozen=True):
    """Why verification failed; the chain as far as it was verified before one of our own rules refused it."""

    code: int
    depth: int | None
    words: str
    verified: tuple[str, ...] = ()


# --- anchors -------------------------------------------------------------------------------------------------------

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
    "/usr/local/etc/ca-certificates/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
)
"""Debian, Red Hat (new, old), SUSE, macOS with Alpine and FreeBSD, Homebrew (ARM, Intel), FreeBSD's package."""
SYSTEM_DIRECTORIES = ("/etc/ssl/certs", "/var/lib/ca-certificates/openssl")

_PEM = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----(.*?)-----END (?:X509 )?CERTIFICATE-----", re.DOTALL)
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class TrustStoreError(Exception):
    """There are no trust anchors where they were looked for, or they cannot be read; says which and why."""


class TrustStore:
    """Trust anchors, read once and used for any number of verifications, from any thread.

    `digest` is the SHA-256 over the sorted DER of all anchors: two stores with the same digest judge alike. With
    `partial` an anchor need not be a root, as with DANE-TA (RFC 7671 section 5.2), and dates are the caller's business.
    """

    def __init__(self, anchors: Iterable[bytes], *, partial: bool = False) -> None:
        ders = sorted(set(anchors))
        if not ders:
            raise TrustStoreError("no trust anchors: give some with --cafile or --capath, or use those of the system")
        self.count = len(ders)
        self._partial = partial
        self.digest = hashlib.sha256(b"".join(ders)).hexdigest()
        self._anchors = [_anchor(der, "a trust anchor") for der in ders]
        self._store_of = lru_cache(maxsize=64)(self._store)

    def pem(self) -> bytes:
        """All anchors as PEM (RFC 7468)."""
        return b"".join(crypto.dump_certificate(crypto.FILETYPE_PEM, anchor) for anchor in self._anchors)

    def at(self, moment: datetime) -> crypto.X509Store:
        """OpenSSL's store of these anchors, set to a moment. OpenSSL counts whole seconds."""
        return self._store_of(moment.astimezone(UTC).replace(microsecond=0))

    def _store(self, moment: datetime) -> crypto.X509Store:
        """A store of its own for each moment, as OpenSSL ignores the second time that a store is given.

        The anchors are shared, so it costs about a microsecond for each; many chains are seen in the same second. As
        nothing in a store ever changes, threads may share it.
        """
        store = crypto.X509Store()
        for anchor in self._anchors:
            store.add_cert(anchor)
        if self._partial:
            store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN | _NO_CHECK_TIME)
        else:
            store.set_time(moment)
        _set_server_purpose(store)
        return store


def load_trust_store(cafiles: Sequence[Path] = (), capaths: Sequence[Path] = (), *, system: bool = True) -> TrustStore:
    """The anchors of all these PEM files and directories, and of the system unless that is not wanted."""
    anchors = _anchors_in_files(cafiles)
    for directory in capaths:
        anchors += _anchors_in_directory(directory)
    return TrustStore(anchors + _system_anchors() if system else anchors)


def _system_anchors() -> list[bytes]:
    """Those of the first place that has any: what Python's OpenSSL was built for, then where systems keep them."""
    paths = ssl.get_default_verify_paths()
    for bundle in filter(None, (paths.cafile, *SYSTEM_BUNDLES)):
        if Path(bundle).is_file():
            return _anchors_in_file(Path(bundle))
    for directory in filter(None, (paths.capath, *SYSTEM_DIRECTORIES)):
        if Path(directory).is_dir() and (files := _certificate_files(Path(directory))):
            return _anchors_in_files(files)
    raise TrustStoreError("no trust anchors of the system found: install its CA certificates or give --cafile")


def _anchors_in_directory(directory: Path) -> list[bytes]:
    files = _certificate_files(directory)
    if not files:
        raise TrustStoreError(f"{directory} has no certificate files")
    return _anchors_in_files(files)


def _certificate_files(directory: Path) -> list[Path]:
    """The names that OpenSSL looks up, hashes of subjects; in a directory that was never rehashed *.pem and *.crt."""
    try:
        files = sorted(path for path in directory.iterdir() if path.is_file())
    except OSError as error:
        raise TrustStoreError(f"cannot read {directory}: {error.strerror}") from error
    hashed = [path for path in files if _HASHED_NAME.fullmatch(path.name)]
    return hashed or [path for path in files if path.suffix in (".pem", ".crt")]


def _anchors_in_files(files: Iterable[Path]) -> list[bytes]:
    return [der for file in files for der in _anchors_in_file(file)]


def _anchors_in_file(file: Path) -> list[bytes]:
    """The DER of each certificate in a PEM file (RFC 7468); text around them is ignored."""
    try:
        blocks = _PEM.findall(file.read_bytes())
        anchors = [base64.b64decode(b"".join(block.split()), validate=True) for block in blocks]
    except OSError as error:
        raise TrustStoreError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise TrustStoreError(f"{file} is no PEM file: {error}") from error
    if not anchors:
        raise TrustStoreError(f"{file} has no certificate in PEM")
    for number, der in enumerate(anchors, 1):
        _anchor(der, f"certificate {number} of {file}")
    return anchors


def _anchor(der: bytes, what: str) -> crypto.X509:
    try:
        return _x509(der)
    except crypto.Error as error:
        raise TrustStoreError(f"{what} cannot be read: {_words(error)}") from error


def _set_server_purpose(store: crypto.X509Store) -> None:
    """The leaf and its issuers must be fit for a TLS server (X509_PURPOSE_SSL_SERVER).

    pyOpenSSL has no public name for this; it is the only private call here.
    """
    if _openssl.X509_STORE_set_purpose(store._store, _openssl.X509_PURPOSE_SSL_SERVER) != 1:
        raise RuntimeError("X509_STORE_set_purpose failed")


# --- verification --------------------------------------------------------------------------------------------------


def verify_chain(
    store: TrustStore, chain: Sequence[CertificateFacts], at: datetime, verify_depth: int = DEFAULT_VERIFY_DEPTH
) -> ChainVerdict:
    """Verify a chain as it was received, leaf first, at the moment at which it was seen.

    `verify_depth` has the meaning of Postfix: N admits N + 1 certificates between the leaf and its anchor.
    """
    outcome = _verify(store, chain, at, verify_depth)
    fault = outcome if isinstance(outcome, _Fault) else None
    verified = outcome.verified if isinstance(outcome, _Fault) else outcome
    return ChainVerdict(
        trusted=fault is None,
        result=_result(fault.code) if fault else "",
        reason=fault.words if fault else "",
        error_code=fault.code if fault else 0,
        error_depth=fault.depth if fault else None,
        verified=verified,
        verified_depth=len(verified) - 1 if verified else None,
        received_depth=len(chain) - 1 if chain else None,
        root_included=any(certificate.self_issued for certificate in chain[1:]),
        out_of_order=_out_of_order(chain),
        self_signed=bool(chain) and chain[0].self_issued,
    )


def _verify(
    store: TrustStore, chain: Sequence[CertificateFacts], at: datetime, verify_depth: int
) -> tuple[str, ...] | _Fault:
    """The SHA-256 of each certificate of the verified chain, or what is wrong."""
    if not chain:
        return _Fault(_UNSPECIFIED, None, "the server sent no certificate")
    certificates = []
    for number, facts in enumerate(chain, 1):
        try:
            certificates.append(_x509(facts.der) if number == 1 else _issuer(facts.der))
        except crypto.Error as error:
            return _Fault(_UNSPECIFIED, None, f"certificate {number} of the chain cannot be read: {_words(error)}")
    try:
        path = crypto.X509StoreContext(store.at(at), certificates[0], certificates[1:]).get_verified_chain()
    except crypto.X509StoreContextError as error:
        _forget_errors()
        code, depth, words = error.errors
        return _Fault(code, depth, words)
    verified = tuple(certificate.digest("sha256").replace(b":", b"").decode().lower() for certificate in path)
    weak_pss = {facts.sha256 for facts in chain if facts.signature_hash in _WEAK_PSS_HASHES}
    fault = _depth_fault(path, verify_depth) or _level_fault(path, [sha256 in weak_pss for sha256 in verified])
    return msgspec.structs.replace(fault, verified=verified) if fault else verified


def _depth_fault(path: Sequence[crypto.X509], verify_depth: int) -> _Fault | None:
    """Leaf and anchor do not count; Postfix gives OpenSSL its own depth plus one."""
    between = len(path) - 2
    if between <= verify_depth + 1:
        return None
    return _Fault(_TOO_LONG, verify_depth + 1, f"certificate chain too long ({between} intermediate certificates)")


def _level_fault(path: Sequence[crypto.X509], weak_hash: Sequence[bool]) -> _Fault | None:
    """OpenSSL's security level 1: at least 80 bits in every key, and in every signature but the anchor's own.

    An RSASSA-PSS signature does not have its hash in its name: `weak_hash` tells it of each certificate received.
    """
    if (key := _weak_key(path[0])) is not None:
        return _Fault(_LEAF_KEY_TOO_SMALL, 0, f"EE certificate key too weak ({key})")
    for depth, certificate in enumerate(path):
        if (key := _weak_key(certificate)) is not None:
            return _Fault(_ISSUER_KEY_TOO_SMALL, depth, f"CA certificate key too weak ({key})")
        signature = certificate.get_signature_algorithm().decode() if certificate is not path[-1] else ""
        if signature in _WEAK_SIGNATURES or (signature == "rsassaPss" and weak_hash[depth]):
            return _Fault(_DIGEST_TOO_WEAK, depth, f"CA signature digest algorithm too weak ({signature})")
    return None


def _weak_key(certificate: crypto.X509) -> str | None:
    """What is weak about the key, if anything is."""
    try:
        key = certificate.get_pubkey()
    except crypto.Error as error:
        return f"unreadable: {_words(error)}"
    return f"{key.bits()} bits" if key.bits() < _LEAST_KEY_BITS.get(key.type(), 0) else None


def _result(code: int) -> str:
    if code == _HAS_EXPIRED:
        return EXPIRED
    return NOT_TRUSTED if code in _NO_PATH else INVALID


def _out_of_order(chain: Sequence[CertificateFacts]) -> bool:
    """An issuer stands only before what it issued. Certificates that belong to nothing are no disorder."""
    distinct = {certificate.sha256: certificate for certificate in chain}.values()
    last = {certificate.subject: place for place, certificate in enumerate(distinct)}
    return any(
        last.get(certificate.issuer, place) < place
        for place, certificate in enumerate(distinct)
        if not certificate.self_issued
    )


def _x509(der: bytes) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_ASN1, der)


def has_readable_key(der: bytes, *, certificate: bool) -> bool:
    """Whether OpenSSL can use the key in a certificate, or the bytes of a key alone (SubjectPublicKeyInfo)."""
    try:
        _x509(der).get_pubkey() if certificate else crypto.load_publickey(crypto.FILETYPE_ASN1, der)
    except crypto.Error:
        return False
    return True


@lru_cache(maxsize=128)
def _issuer(der: bytes) -> crypto.X509:
    """Intermediates repeat from server to server, and OpenSSL needs 60 microseconds to read one."""
    return _x509(der)


def _words(error: crypto.Error) -> str:
    """The first line of OpenSSL's error queue."""
    return str(error.args[0][0][2]) if error.args and error.args[0] else "unknown error"


def _forget_errors() -> None:
    """Empty OpenSSL's error queue, which a failed verification leaves filled.

    It belongs to the thread: the next handshake there would take the errors for its own. Every error that pyOpenSSL
    raises empties the queue, and it has no public call that does only that.
    """
    try:
        _x509(b"")
    except crypto.Error:
        return

"""The full TLS handshake as Postfix makes it at MUST: pyOpenSSL in memory, no socket, no verification.

The only room that imports OpenSSL.SSL. The chain is kept as the server sent it and judged offline, because a probe
that verifies while it shakes hands cannot tell "untrusted" from "no TLS".

What is offered: the list of Postfix (tls_medium_cipherlist) at the security level of the TLS level in question, TLS
1.0 and up, no SNI unless asked. DHE stands last, so that it is chosen only by servers that have nothing else: it costs
us 4-20 ms. The default groups of OpenSSL include a hybrid ML-KEM share, and the hello then fills more than one TCP
segment, unlike that of Postfix 3.7; a server that cannot take it is asked again with the small "classic" hello.
"""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from scanner import settings
from scanner.failures import ProtocolError
from scanner.tls_facts import OTHER_CHAINS, HandshakeFacts, HelloStyle
from scanner.wire.registry import suite_code, suite_name

_MEDIUM = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:+kDHE"
"""tls_medium_cipherlist of Postfix 3.x, with DHE moved to the end."""

_CIPHERS = {
    HelloStyle.POSTFIX_MUST: f"{_MEDIUM}:!aNULL:@SECLEVEL=1",
    HelloStyle.CLASSIC: f"{_MEDIUM}:@SECLEVEL=0",
    HelloStyle.CLASSIC_LEVEL1: f"{_MEDIUM}:!aNULL:@SECLEVEL=1",
    HelloStyle.RSA_CHAIN: "aRSA:@SECLEVEL=1",
    HelloStyle.ECDSA_CHAIN: "aECDSA:@SECLEVEL=1",
}

_LEAF_KEYS = {crypto.TYPE_RSA: "RSA", crypto.TYPE_EC: "EC"}

_CERTIFICATE_REQUEST_STATES = (b"SSLv3/TLS read server certificate request", b"TLSv1.3 read server certificate request")


class TlsError(Exception):
    """The handshake or a record failed; the text is OpenSSL's."""


@cache
def _context(hello: HelloStyle) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_cipher_list(_CIPHERS[hello].encode())
    context.set_verify(SSL.VERIFY_NONE)
    context.set_options(SSL.OP_ALL)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # 34 kB for each of the hundreds of sessions that wait for an answer
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if hello in OTHER_CHAINS:
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    elif hello is not HelloStyle.POSTFIX_MUST:
        context.set_tmp_ecdh(ec.SECP256R1())
    context.set_info_callback(_note_state)
    return context


def _note_state(connection: SSL.Connection, where: int, _value: int) -> None:
    """OpenSSL shows a CertificateRequest only as a state that the handshake passes through."""
    if where & SSL.SSL_CB_LOOP and connection.get_state_string() in _CERTIFICATE_REQUEST_STATES:
        connection.get_app_data().client_certificate_requested = True


class _Notes:
    """What the callback noticed. Not the client itself: OpenSSL's 70 kB would wait in a cycle for the collector."""

    client_certificate_requested = False


class TlsClient:
    """One TLS connection in memory: bytes from the peer in, bytes for the peer and plain text out.

    Every method may raise TlsError; `facts` also ProtocolError for a chain beyond the limit.
    """

    def __init__(self, hello: HelloStyle, sni: str = "") -> None:
        self._notes = _Notes()
        self._sni = sni
        self._connection = SSL.Connection(_context(hello), None)
        self._connection.set_app_data(self._notes)
        if sni:
            self._connection.set_tlsext_host_name(sni.encode("ascii"))
        self._connection.set_connect_state()

    def shake(self) -> bool:
        """Goes on with the handshake as far as the bytes reach; true when it is complete."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise TlsError(_words(error)) from None
        return True

    def feed(self, data: bytes) -> None:
        """Takes bytes from the peer; b"" stands for the end of its stream."""
        if data:
            self._connection.bio_write(data)
        else:
            self._connection.bio_shutdown()

    def outgoing(self) -> bytes:
        """The bytes to send now."""
        pieces = []
        while True:
            try:
                pieces.append(self._connection.bio_read(settings.READ_SIZE))
            except SSL.WantReadError:
                return b"".join(pieces)

    def encrypt(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except SSL.Error as error:
            raise TlsError(_words(error)) from None

    def decrypt(self) -> bytes | None:
        """Plain text that is there, None where more bytes are needed, b"" after the peer's close_notify."""
        try:
            return self._connection.recv(settings.READ_SIZE)
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            return b""
        except SSL.Error as error:
            raise TlsError(_words(error)) from None

    def close(self) -> None:
        """Makes the close_notify, which `outgoing` then gives."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return

    def facts(self, chain: tuple[str, ...]) -> HandshakeFacts:
        """The handshake that was completed; `chain` are the digests of what `chain_der` gave."""
        name = self._connection.get_cipher_name() or ""
        code = suite_code(name)
        return HandshakeFacts(
            version=self._connection.get_protocol_version_name(),
            suite=name if code is None else suite_name(code),
            openssl_suite=name,
            group=self._connection.get_group_name(),
            chain=chain,
            client_certificate_requested=self._notes.client_certificate_requested,
            sni=self._sni or None,
            leaf_key=self._leaf_key(),
        )

    def _leaf_key(self) -> str:
        leaf = self._connection.get_peer_certificate()
        try:
            return _LEAF_KEYS.get(leaf.get_pubkey().type(), "") if leaf else ""
        except crypto.Error:  # a kind of key that OpenSSL does not know
            return ""

    def chain_der(self) -> tuple[bytes, ...]:
        """The DER of each certificate as received; empty for an anonymous suite."""
        received = self._connection.get_peer_cert_chain() or []
        chain = tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate) for certificate in received)
        if sum(map(len, chain)) > settings.MAX_CHAIN_BYTES:
            raise ProtocolError(f"certificates of more than {settings.MAX_CHAIN_BYTES} bytes")
        return chain


def _words(error: SSL.Error) -> str:
    """OpenSSL's error queue as one line: the reason of each entry."""
    if isinstance(error, SSL.SysCallError):
        return "the connection ended within a TLS record"
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [str(entry[-1]) for entry in queue if entry]
    return "; ".join(reasons) or "TLS failed without a reason"

"""What the OpenSSL of this machine can still do: some distributions have switched off TLS 1.0 and SHA-1."""

import ssl

from audits.demo.behaviour import TlsServer
from audits.demo.tls_stream import server_context, set_lenient

FLIGHTS = 4
"""The longest handshake without renegotiation has this many (TLS 1.2, RFC 5246 section 7.3)."""


def handshake_works(tls: TlsServer) -> bool:
    """Whether a client that accepts everything reaches the end of a handshake with this server; tried in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        client = _lenient_client(tls).wrap_bio(to_client, to_server)
        server = server_context(tls).wrap_bio(to_server, to_client, server_side=True)
        for _ in range(FLIGHTS):
            ended = [_goes_on(client), _goes_on(server)]
    except ssl.SSLError:
        return False
    return all(ended)


def _lenient_client(tls: TlsServer) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    set_lenient(context, tls)
    return context


def _goes_on(end: ssl.SSLObject) -> bool:
    """Goes on with the handshake as far as the bytes reach; true at its end."""
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True

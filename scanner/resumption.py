"""Does a server resume sessions? Two connections for each way, the second with what the first was given.

The standard library's ssl, in memory, because it shows what pyOpenSSL does not: the ticket's lifetime hint, and whether
a session was resumed.
"""

import ssl
import warnings
from collections.abc import Awaitable, Callable
from functools import cache, cached_property

import msgspec

from scanner import settings
from scanner.answers import Fact
from scanner.connection import SessionResult
from scanner.deep_facts import ResumptionFacts, Way
from scanner.handshake import TlsError
from scanner.tls_facts import HandshakeFacts
from scanner.wire_facts import TlsFacts

_VERSIONS = {
    Way.TLS13_TICKET: ssl.TLSVersion.TLSv1_3,
    Way.TLS12_TICKET: ssl.TLSVersion.TLSv1_2,
    Way.TLS12_SESSION_ID: ssl.TLSVersion.TLSv1_2,
}


@cache
def _context(way: Way) -> ssl.SSLContext:
    """One for all servers: it keeps no session of its own, and to make one costs as much as a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = _VERSIONS[way]
    context.set_ciphers("ALL:@SECLEVEL=0")
    if way is Way.TLS12_SESSION_ID:
        context.options |= ssl.OP_NO_TICKET
    return context


class ResumingClient:
    """One TLS connection in memory, with the methods of `handshake.TlsClient`; `session` is to be resumed.

    OpenSSL's 40 kB are taken when TLS begins, not while hundreds of servers wait for their turn.
    """

    def __init__(self, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> None:
        self._context = context
        self._resumed_session = session
        self._from_server, self._to_server = ssl.MemoryBIO(), ssl.MemoryBIO()

    @cached_property
    def _object(self) -> ssl.SSLObject:
        return self._context.wrap_bio(self._from_server, self._to_server, session=self._resumed_session)

    @property
    def session(self) -> ssl.SSLSession | None:
        """What the server gave to resume with."""
        return self._object.session

    @property
    def reused(self) -> bool:
        return bool(self._object.session_reused)

    def shake(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise TlsError(error.reason or "TLS failed") from None
        return True

    def feed(self, data: bytes) -> None:
        if data:
            self._from_server.write(data)
        else:
            self._from_server.write_eof()

    def outgoing(self) -> bytes:
        return self._to_server.read()

    def encrypt(self, data: bytes) -> None:
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            raise TlsError(error.reason or "TLS failed") from None

    def decrypt(self) -> bytes | None:
        try:
            return self._object.read(settings.READ_SIZE)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            raise TlsError(error.reason or "TLS failed") from None

    def close(self) -> None:
        try:
            self._object.unwrap()
        except ssl.SSLError:
            return

    def chain_der(self) -> tuple[bytes, ...]:
        """Nothing: the chain is known from the sessions that decide the grade."""
        return ()

    def facts(self, chain: tuple[str, ...]) -> HandshakeFacts:
        name, version, _ = self._object.cipher() or ("", "", 0)
        return HandshakeFacts(version=self._object.version() or version, suite=name, openssl_suite=name, chain=chain)


Hold = Callable[[ResumingClient], Awaitable[SessionResult | None]]
"""Holds one session with the given client; None where the manners forbid another connection."""


def ways_of(tls: TlsFacts | None) -> tuple[Way, ...]:
    """The ways that the versions of a server leave open."""
    offered = {version.version for version in tls.versions if version.offered is Fact.YES} if tls else set()
    return tuple(way for way in Way if way.value.split()[0] in offered)


async def resumption_facts(way: Way, hold: Hold) -> ResumptionFacts:
    """Asks for one way. Not resumed means twice: behind one address several servers may keep their sessions apart."""
    context = _context(way)
    first = ResumingClient(context)
    if not _whole(await hold(first)):
        return ResumptionFacts(way, Fact.INCONCLUSIVE, Fact.INCONCLUSIVE)
    session = first.session
    del first  # OpenSSL's memory; what follows may take minutes
    ticket = session is not None and session.has_ticket
    issued = session is not None and (ticket if way is not Way.TLS12_SESSION_ID else bool(session.id))
    if session is None or not issued:
        return ResumptionFacts(way, Fact.NO, Fact.NO)
    facts = ResumptionFacts(way, Fact.YES, Fact.INCONCLUSIVE, session.ticket_lifetime_hint if ticket else None)
    for attempt in (1, 2):
        again = ResumingClient(context, session)
        if not _whole(await hold(again)):
            return facts
        if again.reused:
            return msgspec.structs.replace(facts, resumed=Fact.YES)
        session = again.session or session if attempt == 1 else session
        del again
    return msgspec.structs.replace(facts, resumed=Fact.NO)


def _whole(result: SessionResult | None) -> bool:
    return result is not None and result.facts.handshake is not None and result.facts.ehlo_tls is not None

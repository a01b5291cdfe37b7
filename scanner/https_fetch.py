"""Fetches an MTA-STS policy by HTTPS (RFC 8461 section 3.3): one GET, no redirect, bounded in time and size.

HTTP is h11's, TLS the scanner's own client. As everywhere the handshake verifies nothing: the chain is kept, and
whether it may vouch for the policy host is judged offline. What comes from a host that may not is read all the same,
so that the postmaster sees both mistakes at once. The connection goes to the address that was checked, no other.
"""

from collections.abc import Callable
from datetime import datetime

import h11
import msgspec
import trio

from scanner import settings
from scanner.certificates import certificate_from_der
from scanner.connection import failure_of_os_error
from scanner.dns_facts import Dnssec
from scanner.failures import Kind, ProbeFailure, ProtocolError, Stage
from scanner.handshake import TlsClient, TlsError
from scanner.policy_facts import PolicyFetch
from scanner.tcp import Connector, TcpSocket
from scanner.tls_facts import HelloStyle

_OK = 200


class PolicyRequest(msgspec.Struct, frozen=True):
    """Where a policy is: the host as named in SNI and Host, its addresses (checked by the caller), port and path."""

    host: str
    addresses: tuple[str, ...]
    path: str
    port: int = settings.POLICY_PORT
    dnssec: Dnssec = Dnssec.INDETERMINATE


async def fetch_policy(request: PolicyRequest, connect: Connector, now: Callable[[], datetime]) -> PolicyFetch:
    """The answer of the first address that lets us connect. Never raises for what a host does."""
    fetch = PolicyFetch(now(), failure=_failed(Kind.UNREACHABLE, "no address"), addresses_dnssec=request.dnssec)
    address, exchange = "", _Exchange(request)
    with trio.move_on_after(settings.POLICY_TIMEOUT_S) as scope:
        for address in request.addresses[: settings.MAX_POLICY_ADDRESSES]:
            exchange = _Exchange(request)
            try:
                sock = await connect(address, request.port)
            except OSError as error:
                fetch = msgspec.structs.replace(
                    fetch, address=address, failure=failure_of_os_error(Stage.POLICY_FETCH, error)
                )
                continue
            with sock:
                failure = await exchange.run(sock)
            return exchange.fetched(fetch, address, failure)
    if scope.cancelled_caught:
        late = _failed(Kind.TIMEOUT, f"no complete answer in {settings.POLICY_TIMEOUT_S:g} s")
        return exchange.fetched(fetch, address, late)
    return fetch


def _failed(kind: Kind, detail: str) -> ProbeFailure:
    return ProbeFailure(Stage.POLICY_FETCH, kind, detail)


class _Ended(Exception):
    """The peer ended its stream."""


class _Exchange:
    """One connection with its one request."""

    def __init__(self, request: PolicyRequest) -> None:
        self._request = request
        self._tls = TlsClient(HelloStyle.POSTFIX_MUST, request.host)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=settings.MAX_POLICY_HEADER)
        self._left = settings.MAX_SESSION_BYTES
        self._body = bytearray()
        self._chain: tuple[bytes, ...] = ()
        self._status: int | None = None
        self._media_type = ""

    async def run(self, sock: TcpSocket) -> ProbeFailure | None:
        """Handshake, request, answer; the failure that ended it early, if one did."""
        try:
            await self._shake(sock)
            await self._ask(sock)
            await self._read(sock)
        except TlsError as error:
            return _failed(Kind.TLS, str(error))
        except _Ended:
            return _failed(Kind.CLOSED, "the host closed the connection before its answer was complete")
        except (ProtocolError, h11.RemoteProtocolError) as error:
            return _failed(Kind.PROTOCOL, str(error)[:300])
        except OSError as error:
            return failure_of_os_error(Stage.POLICY_FETCH, error)
        return None

    def fetched(self, fetch: PolicyFetch, address: str, failure: ProbeFailure | None) -> PolicyFetch:
        return msgspec.structs.replace(
            fetch,
            address=address,
            status=self._status,
            media_type=self._media_type,
            body=self._body.decode("latin-1"),
            certificates=tuple(map(certificate_from_der, self._chain)),
            failure=failure,
        )

    async def _shake(self, sock: TcpSocket) -> None:
        try:
            while not self._tls.shake():
                await self._flush(sock)
                self._tls.feed(await self._receive(sock))
        finally:
            await self._flush(sock)
        self._chain = self._tls.chain_der()

    async def _ask(self, sock: TcpSocket) -> None:
        headers = [("Host", self._request.host), ("User-Agent", "tlsaudit"), ("Accept", "text/plain")]
        headers += [("Accept-Encoding", "identity"), ("Connection", "close")]
        for event in (h11.Request(method="GET", target=self._request.path, headers=headers), h11.EndOfMessage()):
            if data := self._http.send(event):
                self._tls.encrypt(data)
        await self._flush(sock)

    async def _read(self, sock: TcpSocket) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._plain(sock))
            elif isinstance(event, h11.Response):
                self._take_head(event)
                if self._status != _OK:
                    return  # what stands below another status is no policy, however long it is or whether it ends
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > settings.MAX_POLICY_BYTES:
                    del self._body[settings.MAX_POLICY_BYTES :]
                    raise ProtocolError(f"a policy of more than {settings.MAX_POLICY_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return

    def _take_head(self, response: h11.Response) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        self._status = response.status_code
        self._media_type = headers.get("content-type", "")[:200]
        coding = headers.get("content-encoding", "identity").strip().lower()
        if self._status == _OK and coding not in ("identity", ""):
            raise ProtocolError(f"the content coding {coding[:40]!r} was not asked for")

    async def _plain(self, sock: TcpSocket) -> bytes:
        """Plain text; b"" at the end of the stream, which ends some answers."""
        while (text := self._tls.decrypt()) is None:
            try:
                self._tls.feed(await self._receive(sock))
            except _Ended:
                if self._http.their_state is h11.SEND_BODY:
                    return b""
                raise
            await self._flush(sock)
        return text

    async def _receive(self, sock: TcpSocket) -> bytes:
        data = await sock.recv(settings.READ_SIZE)
        if not data:
            raise _Ended
        self._left -= len(data)
        if self._left < 0:
            raise ProtocolError(f"more than {settings.MAX_SESSION_BYTES} bytes on one connection")
        return bytes(data)

    async def _flush(self, sock: TcpSocket) -> None:
        view = memoryview(self._tls.outgoing())
        while view:
            view = view[await sock.send(view) :]

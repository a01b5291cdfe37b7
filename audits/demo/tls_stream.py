"""The server's side of TLS on a trio stream, through the standard library's ssl in memory.

Not `trio.SSLStream`, because that drops the alert of a failed handshake, and the alert is what real servers send and
what a scanner has to read.
"""

import contextlib
import ssl
import tempfile
import warnings
from collections.abc import Callable
from typing import TypeVar

import trio

from audits.demo.behaviour import ClientCertificate, TlsServer

T = TypeVar("T")

READ_SIZE = 16 * 1024
_RECORD_HEADER = 5
_VERIFY = {
    ClientCertificate.UNASKED: ssl.CERT_NONE,
    ClientCertificate.ASKED: ssl.CERT_OPTIONAL,
    ClientCertificate.REQUIRED: ssl.CERT_REQUIRED,
}


class TlsFailed(Exception):
    """The handshake or a record failed, or the client left in the middle of it; the text says how."""


class _NamedObject(ssl.SSLObject):
    """An SSL object that remembers which name the client asked for."""

    asked_name = ""


def server_context(tls: TlsServer) -> ssl.SSLContext:
    """The context for a server that behaves like this. Raises ssl.SSLError where the local OpenSSL cannot."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _NamedObject
    set_lenient(context, tls)
    if tls.curve:
        context.set_ecdh_curve(tls.curve)
    for chain in tls.chains:
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # OpenSSL loads keys from files only; mode is 0600
            file.write(chain)
            file.flush()
            context.load_cert_chain(file.name)
    context.verify_mode = _VERIFY[tls.client_certificate]
    if tls.client_ca_pem:
        context.load_verify_locations(cadata=tls.client_ca_pem.decode("ascii"))
    context.sni_callback = _note_name
    return context


def set_lenient(context: ssl.SSLContext, tls: TlsServer) -> None:
    """Sets the version window and the ciphers, old and weak ones too."""
    with warnings.catch_warnings():  # Python deprecates old versions; the lab is where they still have a place
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = tls.minimum, tls.maximum
    context.set_ciphers(f"{tls.ciphers}:@SECLEVEL=0")


def _note_name(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    if isinstance(connection, _NamedObject):
        connection.asked_name = name or ""


class TlsStream:
    """TLS over a stream; the stream below stays the caller's, to close or to reset.

    `hello_bytes` is the size of the ClientHello record, 0 before it came.
    """

    def __init__(self, below: trio.SocketStream, context: ssl.SSLContext) -> None:
        self.hello_bytes = 0
        self._below = below
        self._from_client, self._to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._from_client, self._to_client, server_side=True)

    async def handshake(self, largest_hello: int | None = None) -> None:
        """Shakes hands; raises TlsFailed, also for a hello that is larger than allowed."""
        first = b""
        while len(first) < _RECORD_HEADER:
            first += await self._receive()
        self.hello_bytes = int.from_bytes(first[3:_RECORD_HEADER], "big")
        if largest_hello is not None and self.hello_bytes > largest_hello:
            raise TlsFailed(f"a ClientHello of {self.hello_bytes} bytes")
        self._from_client.write(first)
        try:
            await self._run(self._object.do_handshake)
        except ssl.SSLZeroReturnError as error:
            raise TlsFailed("the client said goodbye within the handshake") from error

    @property
    def version(self) -> str:
        return self._object.version() or ""

    @property
    def suite(self) -> str:
        """OpenSSL's name of the cipher suite."""
        cipher = self._object.cipher()
        return cipher[0] if cipher else ""

    @property
    def asked_name(self) -> str:
        """The server name that the client sent (RFC 6066 section 3), "" for none."""
        return self._object.asked_name if isinstance(self._object, _NamedObject) else ""

    async def receive_some(self) -> bytes:
        """Plain text; b"" after the client's close_notify."""
        try:
            return await self._run(lambda: self._object.read(READ_SIZE))
        except ssl.SSLZeroReturnError:
            return b""

    async def send_all(self, data: bytes) -> None:
        await self._run(lambda: self._object.write(data))

    async def send_close_notify(self) -> None:
        """Says goodbye and does not wait for the answer."""
        with contextlib.suppress(ssl.SSLError):  # "want read": the client has not answered yet
            self._object.unwrap()
        await self._flush()

    async def _run(self, call: Callable[[], T]) -> T:
        """Calls OpenSSL as often as it wants more bytes; sends what it has to say, alerts too."""
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                await self._flush()
                self._from_client.write(await self._receive())
            except ssl.SSLZeroReturnError:
                raise
            except ssl.SSLError as error:
                await self._flush()
                raise TlsFailed(str(error)) from error
            else:
                await self._flush()
                return result

    async def _receive(self) -> bytes:
        data = await self._below.receive_some(READ_SIZE)
        if not data:
            raise TlsFailed("the client closed the connection within TLS")
        return bytes(data)

    async def _flush(self) -> None:
        if data := self._to_client.read():
            await self._below.send_all(data)

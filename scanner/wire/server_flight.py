"""A server's first flight in one value: what a plan needs to decide its next question."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from scanner.wire import events
from scanner.wire.code_points import TLS13, AlertDescription


class FlightEnd(StrEnum):
    """How the flight ended. Only the first group is an acceptance of what was offered."""

    DONE = "server-hello-done"
    TLS13 = "tls13-server-hello"
    RETRY = "hello-retry-request"
    RESUMED = "resumed"
    SSL2 = "ssl2-server-hello"

    ALERT = "alert"
    SSL2_ERROR = "ssl2-error"
    CLOSED = "closed"
    """Closed before the end of the flight, or nobody waited for it."""
    NOT_TLS = "not-tls"


ACCEPTED = frozenset({FlightEnd.DONE, FlightEnd.TLS13, FlightEnd.RETRY, FlightEnd.RESUMED, FlightEnd.SSL2})


class ServerFlight(msgspec.Struct, frozen=True, kw_only=True, tag="flight"):
    """What one hello was answered with. Code points as numbers; what the server did not say stays None or empty.

    `group` is the named group of an ECDHE exchange, of a TLS 1.3 key share or of a HelloRetryRequest. `chain` is DER,
    leaf first. `scheme` is the signature scheme of the ServerKeyExchange, `signed` whether there was a signature.
    `alert` is the last alert, `text` the begin of an answer that was no TLS.
    """

    end: FlightEnd
    version: int | None = None
    suite: int | None = None
    group: int | None = None
    compression: int = 0
    session_id: bytes = b""
    extensions: tuple[int, ...] = ()
    downgrade: int | None = None
    chain: tuple[bytes, ...] = ()
    staple: bytes | None = None
    prime: bytes | None = None
    generator: bytes = b""
    export_modulus: bytes | None = None
    scheme: int | None = None
    signed: bool = False
    client_certificate: bool = False
    ticket_lifetime_s: int | None = None
    ssl2_kinds: tuple[int, ...] = ()
    alert: events.Alert | None = None
    text: bytes = b""

    @property
    def accepted(self) -> bool:
        """Whether the server took up something of the offer, to the end of its flight."""
        return self.end in ACCEPTED

    def has(self, extension: int) -> bool:
        """Whether the ServerHello carried this extension (a number of `ExtensionType`)."""
        return extension in self.extensions


def flight_from_events(seen: Iterable[events.Event]) -> ServerFlight:
    """Sum up the events of one `FlightReader`, finished or not."""
    fields: dict[str, object] = {"end": FlightEnd.CLOSED}
    for event in seen:
        fields |= _fields_of(event)
    return ServerFlight(**fields)  # type: ignore[arg-type]


def _fields_of(event: events.Event) -> dict[str, object]:
    match event:
        case events.ServerHello() | events.HelloRetryRequest():
            return _hello_fields(event)
        case events.Certificate(chain):
            return {"chain": chain}
        case events.CertificateStatus(_, response):
            return {"staple": response}
        case events.EcdheKeyExchange():
            return {"group": event.group, "signed": event.signed, "scheme": event.scheme}
        case events.DheKeyExchange():
            numbers = {"prime": event.prime, "generator": event.generator}
            return numbers | {"signed": event.signed, "scheme": event.scheme}
        case events.RsaKeyExchange():
            return {"export_modulus": event.modulus, "signed": True, "scheme": event.scheme}
        case events.CertificateRequest():
            return {"client_certificate": True}
        case events.NewSessionTicket(lifetime_hint, _):
            return {"ticket_lifetime_s": lifetime_hint}
        case events.Ssl2ServerHello():
            ssl2 = {"version": event.version, "ssl2_kinds": event.kinds}
            return ssl2 | {"end": FlightEnd.SSL2, "chain": (event.certificate,) if event.certificate else ()}
        case _:
            return _ending_fields(event)


def _hello_fields(hello: events.ServerHello | events.HelloRetryRequest) -> dict[str, object]:
    fields: dict[str, object] = {
        "version": hello.version,
        "suite": hello.suite,
        "group": hello.group,
        "session_id": hello.session_id,
    }
    if isinstance(hello, events.HelloRetryRequest):
        return fields | {"end": FlightEnd.RETRY}
    fields |= {
        "compression": hello.compression,
        "extensions": tuple(extension.kind for extension in hello.extensions),
        "downgrade": hello.downgrade,
    }
    return fields | ({"end": FlightEnd.TLS13} if hello.version >= TLS13 else {})


def _ending_fields(event: events.Event) -> dict[str, object]:
    match event:
        case events.ServerHelloDone():
            return {"end": FlightEnd.DONE}
        case events.ChangeCipherSpec():
            return {"end": FlightEnd.RESUMED}
        case events.Alert(level, description):
            fatal = level == 2 or description == AlertDescription.CLOSE_NOTIFY
            return {"alert": event, **({"end": FlightEnd.ALERT} if fatal else {})}
        case events.Ssl2Error():
            return {"end": FlightEnd.SSL2_ERROR}
        case events.NotTls(data):
            return {"end": FlightEnd.NOT_TLS, "text": data}
        case _:
            return {}

"""What was seen: the immutable, serialisable values that pass from the network half to the judgement.

Every value here survives a round trip through JSON unchanged. Names are A-labels in lower case without a trailing
dot; addresses are in the text form of `ipaddress`; times are UTC.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from scanner.answers import Fact as Fact
from scanner.deep_facts import DeepFacts
from scanner.dns_facts import AddressRecord as AddressRecord
from scanner.dns_facts import DnsAnswer as DnsAnswer
from scanner.dns_facts import DnsRecord as DnsRecord
from scanner.dns_facts import Dnssec as Dnssec
from scanner.dns_facts import DnsStatus as DnsStatus
from scanner.dns_facts import Lookup as Lookup
from scanner.dns_facts import MxRecord as MxRecord
from scanner.dns_facts import SrvRecord as SrvRecord
from scanner.dns_facts import TlsaRecord as TlsaRecord
from scanner.dns_facts import TxtRecord as TxtRecord
from scanner.dns_facts import security as security
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.policy_facts import PolicyFacts
from scanner.tls_facts import CertificateFacts, HandshakeFacts, HelloStyle
from scanner.wire_facts import TlsFacts


class Level(StrEnum):
    """The TLS levels that a Postfix sender enforces (smtp_tls_per_site)."""

    NONE = "NONE"
    MAY = "MAY"
    MUST_NOPEERMATCH = "MUST_NOPEERMATCH"
    MUST = "MUST"


# --- targets -------------------------------------------------------------------------------------------------------


class Target(msgspec.Struct, frozen=True):
    """One line of the user's input: a domain, or a next-hop as Postfix writes it.

    `entry` is the normalised text and the target's identity ("example.org", "[mx.example.org]:587"); `name` the
    domain, host or address in it; `brackets` is true where Postfix does no MX look-up; `port` where one was given;
    `required` the level that the user demands of it.
    """

    entry: str
    name: str
    brackets: bool = False
    port: int | None = None
    required: Level | None = None


class BadLine(msgspec.Struct, frozen=True):
    """A line that is no target: `why` says what is wrong and what to write instead."""

    source: str
    number: int
    text: str
    why: str


# --- route ---------------------------------------------------------------------------------------------------------


class RouteStatus(StrEnum):
    """How the mail of a domain finds its hosts, or why it finds none."""

    MX = "mx"
    IMPLICIT_MX = "implicit-mx"
    """No MX record: the domain's own addresses (RFC 5321 section 5.1)."""
    NEXT_HOP = "next-hop"
    """A next-hop in brackets: no MX look-up."""
    NULL_MX = "null-mx"
    """RFC 7505, also next to another MX record, because Postfix bounces there too."""
    NO_SUCH_DOMAIN = "no-such-domain"
    NO_MX_NO_ADDRESS = "no-mx-and-no-address"
    NO_MX_ADDRESS = "no-mx-host-with-address"
    UNRESOLVED = "unresolved"
    """A look-up stayed without an answer, so nothing about the route is known."""


NO_MAIL_ROUTES = frozenset(
    {RouteStatus.NULL_MX, RouteStatus.NO_SUCH_DOMAIN, RouteStatus.NO_MX_NO_ADDRESS, RouteStatus.NO_MX_ADDRESS}
)
"""Routes on which Postfix bounces at once."""


class MxHost(msgspec.Struct, frozen=True):
    """One host that takes mail, with its addresses; `failure` where they could not all be looked up.

    `missing` is true when the name has no address at all, by a complete answer.
    """

    name: str
    preference: int = 0
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    missing: bool = False
    failure: ProbeFailure | None = None
    dnssec: Dnssec = Dnssec.INDETERMINATE


class SubmissionService(msgspec.Struct, frozen=True):
    """A host and port named by SRV records `_submissions._tcp` or `_submission._tcp` (RFC 6186, RFC 8314)."""

    service: str
    host: MxHost
    port: int


class ServiceLookup(msgspec.Struct, frozen=True):
    """What the SRV look-up of one submission service gave, a "." for a target included; `failure` where nothing."""

    service: str
    records: tuple[SrvRecord, ...] = ()
    failure: ProbeFailure | None = None


class MailRoute(msgspec.Struct, frozen=True):
    """Where the mail of a target goes; hosts in order of preference.

    `null_mx` has all MX records where one of them is null, `services` the SRV look-ups, empty where they were not made.
    """

    status: RouteStatus
    hosts: tuple[MxHost, ...] = ()
    submission: tuple[SubmissionService, ...] = ()
    aliases: tuple[str, ...] = ()
    failure: ProbeFailure | None = None
    mx_dnssec: Dnssec = Dnssec.INDETERMINATE
    null_mx: tuple[MxRecord, ...] = ()
    services: tuple[ServiceLookup, ...] = ()


# --- endpoints -----------------------------------------------------------------------------------------------------


class Transport(StrEnum):
    """How TLS begins on a port."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class Endpoint(msgspec.Struct, frozen=True, order=True):
    """What is probed, once a run, however many domains share it. `sni` is "" where no name is sent."""

    address: str
    port: int
    sni: str = ""

    @property
    def transport(self) -> Transport:
        """TLS at once on 465 (RFC 8314 section 3.3), STARTTLS on every other port."""
        return Transport.IMPLICIT if self.port == 465 else Transport.STARTTLS

    @property
    def key(self) -> str:
        """The endpoint as one line of text, for stores and logs: "192.0.2.1:25"."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}" + (f"/{self.sni}" if self.sni else "")


class SessionFacts(msgspec.Struct, frozen=True):
    """One connection, in the order in which it went; what stayed None was not reached or not asked.

    `mail_clear` and `mail_tls` are the replies to MAIL FROM:<> (only with --envelope). `failure` tells what ended the
    session before its QUIT. `transcript` lines begin with "C: ", "S: " or "* " (a remark of ours).
    """

    hello: HelloStyle
    greeting: SmtpReply | None = None
    ehlo: SmtpReply | None = None
    helo: SmtpReply | None = None
    mail_clear: SmtpReply | None = None
    starttls: SmtpReply | None = None
    handshake: HandshakeFacts | None = None
    ehlo_tls: SmtpReply | None = None
    helo_tls: SmtpReply | None = None
    mail_tls: SmtpReply | None = None
    failure: ProbeFailure | None = None
    transcript: tuple[str, ...] = ()

    @property
    def is_refused_by_tls(self) -> bool:
        """Whether the handshake failed by TLS itself; a connection that was only lost may have been lost by chance."""
        failure = self.failure
        return failure is not None and (failure.stage, failure.kind) == (Stage.HANDSHAKE, Kind.TLS)


class EndpointFacts(msgspec.Struct, frozen=True):
    """All that was seen of one endpoint, at `seen_at`. No sessions: `failure` says why nobody was asked.

    `tls` is what its TLS is able to do, where more than the grade was asked (--depth), `deep` what was asked beyond
    hellos; `hello_connections` were made for these. `tls_seen_at` is when these two were seen, where that was on an
    earlier night and the server was only found unchanged.
    """

    endpoint: Endpoint
    seen_at: datetime
    sessions: tuple[SessionFacts, ...] = ()
    certificates: tuple[CertificateFacts, ...] = ()
    failure: ProbeFailure | None = None
    tls: TlsFacts | None = None
    hello_connections: int = 0
    deep: DeepFacts | None = None
    tls_seen_at: datetime | None = None

    @property
    def connections(self) -> int:
        """How many connections were opened for these facts; those of intrusive tests count apart."""
        return len(self.sessions) + self.hello_connections


class EndpointUse(StrEnum):
    """Why a domain asks for an endpoint: for the grade, or as a submission service beside it."""

    MAIL = "mail"
    SUBMISSION = "submission"
    POLICY = "policy"
    """The handshake with a server name by which published policy (DANE, MTA-STS) is judged."""


class EndpointRef(msgspec.Struct, frozen=True):
    """An endpoint of a domain, and the host name through which the domain reaches it.

    `failure` says why it was left alone on this way: an excluded name, an address that is not public.
    """

    mx_host: str
    preference: int
    endpoint: Endpoint
    use: EndpointUse = EndpointUse.MAIL
    failure: ProbeFailure | None = None


class DomainFacts(msgspec.Struct, frozen=True):
    """All that was seen of one domain; the facts of its endpoints are stored once, beside it."""

    target: Target
    route: MailRoute
    endpoints: tuple[EndpointRef, ...] = ()
    policy: PolicyFacts | None = None

    @property
    def probed(self) -> tuple[Endpoint, ...]:
        """The endpoints that were to be asked, each once."""
        return tuple(dict.fromkeys(ref.endpoint for ref in self.endpoints if ref.failure is None))

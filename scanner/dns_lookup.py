"""Asks the DNS on trio, through dnspython: the only room that imports it for questions.

Every way in which a question can end is told apart: records, NODATA, NXDOMAIN (RFC 2308), SERVFAIL, REFUSED, no
answer in time, an answer that cannot be read.

DNSSEC (RFC 4035): the AD bit is believed only from a resolver on this machine or one that the user trusts, because on
the way from any other it can be forged; and only where that resolver proves with two names, one signed well and one
signed badly, that it validates. Without this every answer is "indeterminate". A SERVFAIL is "bogus" where the same
question is answered once the resolver is told not to check (the CD bit), and not when it is put again with checking.
"""

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import msgspec
import trio
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.RRSIG import RRSIG
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.SRV import SRV

from scanner import dns_wire, settings
from scanner.facts import (
    AddressRecord,
    DnsAnswer,
    DnsRecord,
    Dnssec,
    DnsStatus,
    Lookup,
    MxRecord,
    SrvRecord,
    TlsaRecord,
    TxtRecord,
)
from scanner.failures import Kind, ProbeFailure, Stage, refuse_local_trouble
from scanner.once import OnceEach
from scanner.route import Question

_RCODES = {
    dns.rcode.SERVFAIL: Kind.SERVFAIL,
    dns.rcode.REFUSED: Kind.DNS_REFUSED,
}

TLSA._cert_length_by_mtype = {}
"""A record whose digest is too short is "unusable" (RFC 7672 section 2.2.3), one fault in a set that may be good.

dnspython would refuse the whole answer for it, and has no public way to read it.
"""


class ResolverError(Exception):
    """A resolver was named that cannot be one, or none is known."""


def resolver_address(text: str) -> tuple[str, int]:
    """ADDR, ADDR:PORT or [ADDR]:PORT as (address, port); raises ResolverError for anything else."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, port = text[1:].partition("]:")
        host, port = host.removesuffix("]"), port or "53"
    elif text.count(":") == 1:
        host, port = text.split(":")
    try:
        address, number = str(ip_address(host)), int(port)
    except ValueError:
        raise ResolverError(f"--resolver {text!r}: write an address, 192.0.2.53 or [2001:db8::53]:5353") from None
    if not 0 < number < 65536:
        raise ResolverError(f"--resolver {text!r}: {number} is no port")
    return address, number


def is_local(resolver: str) -> bool:
    """Whether a resolver is on this machine, so that nobody stands between it and us."""
    return ip_address(resolver_address(resolver)[0]).is_loopback


def system_resolvers() -> tuple[str, ...]:
    """The resolvers of this machine (resolv.conf), as texts that `resolver_address` reads."""
    try:
        found = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        raise ResolverError("this machine names no resolver; use --resolver ADDRESS") from None
    servers = [str(server) for server in found.nameservers]
    return tuple(f"[{server}]:{found.port}" for server in servers)


class DnssecTrust(msgspec.Struct, frozen=True):
    """Which resolvers may vouch for DNSSEC, and the two names that prove that they validate."""

    resolvers: tuple[str, ...] = ()
    good: str = ""
    bad: str = ""


class ValidationCheck(msgspec.Struct, frozen=True):
    """Whether a resolver validates, by its answers for a name signed well and one signed badly."""

    resolver: str
    validates: bool
    why: str = ""


def trusted_for_dnssec(resolvers: Sequence[str], *, named: bool, canaries: tuple[str, str]) -> DnssecTrust:
    """Local resolvers are trusted, the others only where the user says so (`named`)."""
    return DnssecTrust(tuple(text for text in resolvers if named or is_local(text)), *canaries)


class Resolver:
    """Recursive resolvers, asked in turn until one answers; a bounded number of sockets at once.

    `note_check` is told, once a run and resolver, whether a trusted resolver validates.
    """

    def __init__(
        self,
        resolvers: Sequence[str],
        trust: DnssecTrust | None = None,
        note_check: Callable[[ValidationCheck], None] = lambda _check: None,
    ) -> None:
        self._servers = [resolver_address(text) for text in resolvers]
        if not self._servers:
            raise ResolverError("no resolver is named; use --resolver ADDRESS")
        self._sockets = trio.Semaphore(settings.DNS_MAX_SOCKETS)
        self._backend = dns.asyncbackend.get_backend("trio")
        self._trust = trust or DnssecTrust()
        self._trusted = {resolver_address(text) for text in self._trust.resolvers}
        self._checks: OnceEach[tuple[str, int], bool] = OnceEach(len(self._servers))
        self._note_check = note_check
        self.queries = 0

    async def look_up(self, question: Question) -> Lookup:
        """The answer, or the failure of the last attempt; never raises for what a resolver does."""
        try:
            name = dns.name.from_text(question.name)
        except (dns.exception.DNSException, UnicodeError) as error:
            return ProbeFailure(Stage.DNS, Kind.BAD_ANSWER, f"{question.name}: {error}")
        failure = ProbeFailure(Stage.DNS, Kind.TIMEOUT, _what(question))
        for attempt in range(settings.DNS_ATTEMPTS):
            server = self._servers[attempt % len(self._servers)]
            validates = await self._validates(server)
            async with self._sockets:
                answer = await self._ask(name, question, server, validates=validates)
            if isinstance(answer, DnsAnswer):
                return answer
            failure = answer
            if validates and failure.kind is Kind.SERVFAIL and await self._is_bogus(name, question, server):
                return ProbeFailure(Stage.DNS, Kind.BOGUS, f"{_what(question)}: the signatures are wrong")
        return failure

    async def _ask(
        self, name: dns.name.Name, question: Question, server: tuple[str, int], *, validates: bool, flags: int = 0
    ) -> Lookup:
        ident, rdtype = int.from_bytes(os.urandom(2), "big"), dns.rdatatype.from_text(question.rdtype)
        query = dns_wire.query_bytes(ident, name.to_wire() or b"", rdtype, dns_wire.AD | flags, dnssec_ok=validates)
        self.queries += 1
        try:
            response = await _datagram(query, server)
            if dns_wire.is_truncated(response):
                message = await self._over_tcp(query, server)
            elif not validates and (status := dns_wire.absence(response)):
                return DnsAnswer(question.name, question.rdtype, status)
            else:
                message = dns.message.from_wire(response)
            return _answer_of(question, name, message, validates=validates)
        except (dns.exception.Timeout, trio.TooSlowError):
            return ProbeFailure(Stage.DNS, Kind.TIMEOUT, _what(question))
        except (dns.exception.DNSException, EOFError, ValueError) as error:
            return ProbeFailure(Stage.DNS, Kind.BAD_ANSWER, f"{_what(question)}: {type(error).__name__} {error}"[:300])
        except trio.BrokenResourceError:
            return ProbeFailure(Stage.DNS, Kind.RESET, f"{_what(question)}: resolver {server[0]} broke the connection")
        except OSError as error:
            refuse_local_trouble(error)
            return ProbeFailure(Stage.DNS, Kind.UNREACHABLE, f"resolver {server[0]}: {error.strerror or error}")

    async def _over_tcp(self, query: bytes, server: tuple[str, int]) -> dns.message.Message:
        message = await dns.asyncquery.tcp(
            dns.message.from_wire(query), server[0], settings.DNS_TIMEOUT_S, server[1], backend=self._backend
        )
        if message.flags & dns.flags.TC:
            raise ValueError("cut off over TCP, too: what is missing may exist")
        return message

    async def _is_bogus(self, name: dns.name.Name, question: Question, server: tuple[str, int]) -> bool:
        """Whether the resolver knows an answer that it does not believe (RFC 4035 section 3.2.2).

        A second refusal must follow: what failed for a moment is answered by then, whatever its signatures.
        """
        async with self._sockets:
            unchecked = await self._ask(name, question, server, validates=False, flags=dns_wire.CD)
            if not isinstance(unchecked, DnsAnswer):
                return False
            again = await self._ask(name, question, server, validates=True)
        return isinstance(again, ProbeFailure) and again.kind is Kind.SERVFAIL

    async def _validates(self, server: tuple[str, int]) -> bool:
        """Whether this resolver's word on DNSSEC counts; found out once."""
        if server not in self._trusted:
            return False
        return await self._checks.get(server, partial(self._check, server))

    async def _check(self, server: tuple[str, int]) -> bool:
        good, bad = (Question(name, "A") for name in (self._trust.good, self._trust.bad))
        well, ill = await self._canary(good, server), await self._canary(bad, server)
        if isinstance(well, ProbeFailure):
            why = f"it does not answer for {good.name} ({well})"
        elif well.dnssec is not Dnssec.SECURE:
            why = f"it does not call {good.name} secure"
        elif isinstance(ill, ProbeFailure) and ill.kind is not Kind.SERVFAIL:
            why = f"it says nothing of {bad.name} ({ill})"
        elif not (isinstance(ill, ProbeFailure) and ill.kind is Kind.SERVFAIL):
            why = f"it does not refuse {bad.name}, whose signatures are wrong"
        else:
            why = ""
        self._note_check(ValidationCheck(server[0], not why, why))
        return not why

    async def _canary(self, question: Question, server: tuple[str, int]) -> Lookup:
        """The answer, or SERVFAIL; a datagram that is lost must not cost a run all that rests on DNSSEC."""
        name = dns.name.from_text(question.name)
        for _attempt in range(settings.DNS_ATTEMPTS):
            async with self._sockets:
                answer = await self._ask(name, question, server, validates=True)
            if isinstance(answer, DnsAnswer) or answer.kind is Kind.SERVFAIL:
                break
        return answer


async def _datagram(query: bytes, server: tuple[str, int]) -> bytes:
    """The response over UDP, from a port of its own (RFC 5452 section 9.2); ValueError for one to another question.

    The socket is connected: the system lets through what comes from this resolver only, and says when nobody is there.
    """
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.connect(server)
        udp.send(query)
        response = None
        with trio.CancelScope(relative_deadline=settings.DNS_TIMEOUT_S):
            while response is None:
                await trio.lowlevel.wait_readable(udp)
                with suppress(BlockingIOError):
                    response = udp.recv(65535)
    if response is None:
        raise trio.TooSlowError
    if not dns_wire.is_response(query, response):
        raise ValueError("the response belongs to another question")
    return response


def _what(question: Question) -> str:
    return f"{question.rdtype} of {question.name}"


def _answer_of(
    question: Question, name: dns.name.Name, response: dns.message.Message, *, validates: bool = False
) -> Lookup:
    rcode = response.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return ProbeFailure(
            Stage.DNS, _RCODES.get(rcode, Kind.BAD_ANSWER), f"{_what(question)}: {dns.rcode.to_text(rcode)}"
        )
    aliases, owner = _alias_chain(response, name)
    rdtype = dns.rdatatype.from_text(question.rdtype)
    rrset = response.get_rrset(response.answer, owner, dns.rdataclass.IN, rdtype)
    records = tuple(_record(rdata) for rdata in rrset) if rrset else ()
    absent = DnsStatus.NXDOMAIN if rcode == dns.rcode.NXDOMAIN else DnsStatus.NODATA
    found = bool(records or (rdtype == dns.rdatatype.CNAME and aliases))
    status = DnsStatus.RECORDS if found else absent
    if status is DnsStatus.NODATA and not response.flags & (dns.flags.AA | dns.flags.RA):
        why = "no answer, and no recursion: a referral proves nothing"
        return ProbeFailure(Stage.DNS, Kind.BAD_ANSWER, f"{_what(question)}: {why}")
    if not validates:
        return DnsAnswer(question.name, question.rdtype, status, records, aliases)
    dnssec = Dnssec.SECURE if response.flags & dns.flags.AD else Dnssec.INSECURE
    return DnsAnswer(question.name, question.rdtype, status, records, aliases, dnssec, _signed_until(response))


def _signed_until(response: dns.message.Message) -> datetime | None:
    """When the first signature over what the answer says, or over what proves that there is none, ends.

    Of several signatures over the same records one that is valid is enough (RFC 4035 section 5.3.3).
    """
    sections = [rrset for section in (response.answer, response.authority) for rrset in section]
    signatures = [[rdata.expiration for rdata in rrset if isinstance(rdata, RRSIG)] for rrset in sections]
    ends = [max(each) for each in signatures if each]
    return datetime.fromtimestamp(min(ends), UTC) if ends else None


def _alias_chain(response: dns.message.Message, name: dns.name.Name) -> tuple[tuple[str, ...], dns.name.Name]:
    """The CNAME chain from the asked name, and the name at its end.

    A chain without end raises ValueError: it does not prove that there is no record.
    """
    if all(rrset.rdtype != dns.rdatatype.CNAME for rrset in response.answer):
        return (), name
    aliases: list[str] = []
    while len(aliases) <= settings.MAX_ALIASES:
        rrset = response.get_rrset(response.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if rrset is None or not isinstance(rrset[0], CNAME):
            return tuple(aliases), name
        name = rrset[0].target
        aliases.append(_text(name))
    raise ValueError(f"a chain of more than {settings.MAX_ALIASES} aliases")


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def _record(rdata: dns.rdata.Rdata) -> DnsRecord:
    match rdata:
        case MX():
            return MxRecord(rdata.preference, _text(rdata.exchange))
        case SRV():
            return SrvRecord(rdata.priority, rdata.weight, rdata.port, _text(rdata.target))
        case TLSA():
            return TlsaRecord(rdata.usage, rdata.selector, rdata.mtype, rdata.cert)
        case TXT():
            return TxtRecord(b"".join(rdata.strings).decode("latin-1"))
        case A() | AAAA():
            return AddressRecord(str(ip_address(rdata.address)))
        case _:
            raise ValueError(f"a record of a type that was not asked for: {rdata.rdtype}")

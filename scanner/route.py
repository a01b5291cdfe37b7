"""Where the mail of a target goes: MX look-ups and what follows from their answers (RFC 5321 section 5.1, RFC 7505).

`route_plan` is a generator: it yields batches of questions, is sent their answers, and returns the `MailRoute`. It
follows Postfix: a null MX bounces even next to another record, an MX host that is an alias or an address literal is
used, and the absence of MX records means the addresses of the domain itself. A host or alias whose name cannot be one
("mx-.example.org") has no address for Postfix, whatever the DNS says: its `valid_hostname` refuses the record.
"""

import re
from collections.abc import Generator
from ipaddress import ip_address
from itertools import islice

import msgspec

from scanner import settings
from scanner.addresses import contacted_address
from scanner.facts import (
    AddressRecord,
    DnsAnswer,
    DnsStatus,
    Endpoint,
    EndpointRef,
    EndpointUse,
    Lookup,
    MailRoute,
    MxHost,
    MxRecord,
    RouteStatus,
    ServiceLookup,
    SrvRecord,
    SubmissionService,
    Target,
    security,
)
from scanner.failures import Kind, ProbeFailure, Stage


class Question(msgspec.Struct, frozen=True):
    """A name and a record type to look up."""

    name: str
    rdtype: str


Answers = dict[Question, Lookup]
RoutePlan = Generator[tuple[Question, ...], Answers, MailRoute]

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"(?![0-9.]+\Z)(?:\*|{_LABEL})(?:\.{_LABEL})*")
"""What Postfix takes for a name (valid_hostname): underscores pass, and an asterisk as the first label."""

SERVICES = ("_submissions._tcp", "_submission._tcp")
"""RFC 8314 section 5.1 and RFC 6186 section 3.1."""


def route_plan(target: Target, submission: bool = False) -> RoutePlan:
    """The look-ups for a target, and the route they give; `submission` also asks for the SRV records of the domain."""
    if target.brackets:
        hosts = yield from _hosts([(0, target.name)])
        return _route_of_hosts(RouteStatus.NEXT_HOP, RouteStatus.NO_MX_NO_ADDRESS, hosts)
    question = Question(target.name, "MX")
    services = tuple(Question(f"{service}.{target.name}", "SRV") for service in SERVICES) if submission else ()
    answers = yield (question, *services)
    route = yield from _route_of_mx(target, answers[question])
    looked = tuple(_service(q.name.removesuffix(f".{target.name}"), answers[q]) for q in services)
    route = msgspec.structs.replace(route, services=looked)
    found = [(look.service, record) for look in looked for record in look.records if record.target]
    if not found:
        return route
    hosts = yield from _hosts([(0, record.target) for _, record in found])
    named = (
        SubmissionService(service, host, record.port) for (service, record), host in zip(found, hosts, strict=True)
    )
    return msgspec.structs.replace(route, submission=tuple(named))


def _route_of_mx(target: Target, answer: Lookup) -> RoutePlan:
    if isinstance(answer, ProbeFailure):
        return MailRoute(RouteStatus.UNRESOLVED, failure=answer, mx_dnssec=security(answer))
    if answer.status is DnsStatus.NXDOMAIN:
        return MailRoute(RouteStatus.NO_SUCH_DOMAIN, aliases=answer.aliases, mx_dnssec=answer.dnssec)
    records = [record for record in answer.records if isinstance(record, MxRecord)]
    if any(not record.exchange for record in records):
        route = MailRoute(RouteStatus.NULL_MX, null_mx=tuple(records[: settings.MAX_MX_HOSTS]))
    elif records:
        ordered = sorted((record.preference, record.exchange) for record in records)[: settings.MAX_MX_HOSTS]
        hosts = yield from _hosts(ordered)
        route = _route_of_hosts(RouteStatus.MX, RouteStatus.NO_MX_ADDRESS, hosts)
    else:
        hosts = yield from _hosts([(0, target.name)])
        route = _route_of_hosts(RouteStatus.IMPLICIT_MX, RouteStatus.NO_MX_NO_ADDRESS, hosts)
    return msgspec.structs.replace(route, aliases=answer.aliases, mx_dnssec=answer.dnssec)


def _route_of_hosts(found: RouteStatus, none: RouteStatus, hosts: tuple[MxHost, ...]) -> MailRoute:
    """The route over these hosts: `none` only where every host is known to have no address."""
    if any(host.addresses for host in hosts):
        return MailRoute(found, hosts)
    failure = next((host.failure for host in hosts if host.failure), None)
    return MailRoute(RouteStatus.UNRESOLVED if failure else none, hosts, failure=failure)


def _hosts(named: list[tuple[int, str]]) -> Generator[tuple[Question, ...], Answers, tuple[MxHost, ...]]:
    names = {name for _, name in named if not is_address(name) and _HOST_NAME.fullmatch(name)}
    questions = tuple(Question(name, rdtype) for name in sorted(names) for rdtype in ("A", "AAAA"))
    answers = (yield questions) if questions else {}
    return tuple(_host(preference, name, answers) for preference, name in named)


def _host(preference: int, name: str, answers: Answers) -> MxHost:
    if is_address(name):
        return MxHost(name, preference, (contacted_address(name),))
    if not _HOST_NAME.fullmatch(name):
        return MxHost(name, preference, missing=True)
    pair = [answers[Question(name, rdtype)] for rdtype in ("A", "AAAA")]
    given = [answer for answer in pair if isinstance(answer, DnsAnswer)]
    failure = next((answer for answer in pair if isinstance(answer, ProbeFailure)), None)
    aliases = next((answer.aliases for answer in given if answer.aliases), ())
    taken = given if all(map(_HOST_NAME.fullmatch, aliases)) else []
    records = [record for answer in taken for record in answer.records]
    named = islice((record.address for record in records if isinstance(record, AddressRecord)), settings.MAX_ADDRESSES)
    addresses = tuple(dict.fromkeys(map(contacted_address, named)))
    return MxHost(
        name,
        preference,
        addresses,
        aliases=aliases,
        missing=not addresses and failure is None,
        failure=failure,
        dnssec=security(*pair),
    )


def _service(name: str, answer: Lookup) -> ServiceLookup:
    """The SRV records of one service, best first; at most as many as we look at."""
    if isinstance(answer, ProbeFailure):
        return ServiceLookup(name, failure=answer)
    records = (record for record in answer.records if isinstance(record, SrvRecord))
    best = sorted(records, key=lambda record: (not record.target, record.priority, -record.weight))
    return ServiceLookup(name, tuple(best[: settings.MAX_MX_HOSTS]))


def is_address(name: str) -> bool:
    """Whether the name of a host is an address literal."""
    if name[-1:].isalpha() and ":" not in name:
        return False  # nearly every name; an exception for each would take longer than all else here
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def endpoint_refs(target: Target, route: MailRoute, ports: tuple[int, ...]) -> tuple[EndpointRef, ...]:
    """The endpoints of a route: the mail port of each address first, then submission, each (host, endpoint) once.

    A next-hop with a port is asked on that port alone, as Postfix would.
    """
    mail_port = target.port or 25
    beside = () if target.port else tuple(port for port in ports if port != 25)
    refs = [
        EndpointRef(host.name, host.preference, Endpoint(address, port), use)
        for host in route.hosts
        for address in host.addresses
        for port, use in ((mail_port, EndpointUse.MAIL), *((p, EndpointUse.SUBMISSION) for p in beside))
    ]
    refs += [
        EndpointRef(service.host.name, 0, Endpoint(address, service.port), EndpointUse.SUBMISSION)
        for service in route.submission
        for address in service.host.addresses
    ]
    seen: dict[tuple[str, Endpoint], EndpointRef] = {}
    for ref in refs:
        seen.setdefault((ref.mx_host, ref.endpoint), ref)
    order = sorted(seen.values(), key=lambda ref: (ref.use is not EndpointUse.MAIL, ref.preference))
    limit = settings.MAX_ENDPOINTS
    stopped = ProbeFailure(Stage.CONNECT, Kind.STOPPED, f"the domain names more than {limit} endpoints")
    return (*order[:limit], *(msgspec.structs.replace(ref, failure=stopped) for ref in order[limit:]))

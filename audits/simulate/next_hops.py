"""From a next-hop as smtp(8) receives it to the hosts that it would meet, with the facts that a run has of them.

A next-hop is looked for as an entry of the run, and one in brackets also among the MX hosts that the run met. What the
run never met is unknown, and says so.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Protocol

import msgspec

from audits.reasons import Cause
from audits.simulate.outcomes import Kind, Outcome, SimulationCause
from audits.simulate.sender import Sender
from scanner.dns_facts import Dnssec
from scanner.facts import (
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    EndpointUse,
    Fact,
    MailRoute,
    MxHost,
    RouteStatus,
    Target,
)

_FORM = re.compile(r"(?:\[(?P<inside>[^\[\]]*)\]|(?P<name>[^\[\]:]+))(?::(?P<port>[\w-]+))?")
_SERVICES = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}
_NO_ROUTE = {
    RouteStatus.NULL_MX: Cause.NULL_MX,
    RouteStatus.NO_SUCH_DOMAIN: Cause.NO_SUCH_DOMAIN,
    RouteStatus.NO_MX_NO_ADDRESS: Cause.NO_MX_NO_ADDRESS,
    RouteStatus.NO_MX_ADDRESS: Cause.NO_MX_ADDRESS,
}


class RunFacts(Protocol):
    """What a run knows."""

    def domain(self, entry: str) -> DomainFacts | None:
        """The facts of an entry of the input, in its normal form."""
        ...

    def host(self, name: str) -> MxHost | None:
        """A host that some domain of the run names."""
        ...

    def endpoints(self, wanted: Iterable[Endpoint]) -> Mapping[Endpoint, EndpointFacts]:
        """The facts of endpoints, as far as there are any."""
        ...


class NextHop(msgspec.Struct, frozen=True):
    """A parsed next-hop: `name` is a domain, host or address; `brackets`: without MX look-up."""

    text: str
    name: str
    brackets: bool
    port: int

    @property
    def entry(self) -> str:
        """As the scanner writes it in its lists."""
        host = f"IPv6:{self.name}" if ":" in self.name else self.name
        return (f"[{host}]" if self.brackets else host) + (f":{self.port}" if self.port != 25 else "")


class Met(msgspec.Struct, frozen=True):
    """One address of one host: the way to it, what was seen of it, and what was seen with a server name (SNI)."""

    ref: EndpointRef
    mx_host: str
    facts: EndpointFacts | None
    named: dict[str, EndpointFacts]


class Destination(msgspec.Struct, frozen=True):
    """The hosts behind a next-hop in order of preference; `failure` where there are none."""

    next_hop: NextHop
    hosts: tuple[Met, ...] = ()
    failure: Outcome | None = None
    domain: DomainFacts | None = None
    lacking: bool = False
    """Some host is known to have no address, which Postfix keeps as the reason until another takes its place."""
    mx_secure: Fact = Fact.YES


def parsed_next_hop(text: str) -> NextHop | None:
    """A next-hop as in transport(5); None where smtp(8) could not read it."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    word = (match["port"] or "smtp").lower()
    port = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else _SERVICES.get(word, 0)
    inside = match["inside"]
    name = (match["name"] if inside is None else re.sub("^ipv6:", "", inside, flags=re.IGNORECASE)).lower()
    return NextHop(text, name, inside is not None, port) if name and 0 < port < 65536 else None


def destination(sender: Sender, run: RunFacts, text: str, known: DomainFacts | None = None) -> Destination:
    """The hosts of a next-hop; `known` are the facts of the domain that mail is for, where the caller has them."""
    hop = parsed_next_hop(text)
    if hop is None:
        bad = Outcome(Kind.DEFERRED, None, SimulationCause.TRANSPORT, f"{text} is no next-hop")
        return Destination(NextHop(text, text, True, 25), failure=bad)
    facts = known if known is not None and _is_about(hop, known.target) else _facts(run, hop)
    if facts is None:
        return Destination(hop, failure=_unknown(f"the run never met the next-hop {text}: scan it, too"))
    route = facts.route
    if not hop.brackets and not sender.follows_mx and route.status is not RouteStatus.IMPLICIT_MX:
        return Destination(hop, failure=_unknown(f"without MX look-ups mail goes to the address of {hop.name} itself"))
    if route.status in _NO_ROUTE:
        return Destination(hop, failure=Outcome(Kind.BOUNCED, None, _NO_ROUTE[route.status], hop.name))
    if route.status is RouteStatus.UNRESOLVED:
        return Destination(hop, failure=_unresolved(route))
    hosts = tuple(_met(sender, run, hop, facts))
    if not hosts:
        return Destination(hop, failure=_unknown("no address of a family that inet_protocols allows"))
    lacking = any(host.missing for host in route.hosts)
    return Destination(hop, hosts, domain=facts, lacking=lacking, mx_secure=_mx_secure(route))


def _is_about(hop: NextHop, target: Target) -> bool:
    return target.name == hop.name and target.brackets == hop.brackets


def _facts(run: RunFacts, hop: NextHop) -> DomainFacts | None:
    """What the run has of a next-hop: its own entry, the same one at another port, or a host that some domain names."""
    plain = msgspec.structs.replace(hop, port=25)
    for entry in dict.fromkeys((hop.entry, plain.entry)):
        found = run.domain(entry)
        if found is not None:
            return found
    if not hop.brackets:
        return None
    host = run.host(hop.name)
    if host is None:
        return None
    target = Target(hop.entry, hop.name, brackets=True)
    return DomainFacts(target, MailRoute(RouteStatus.NEXT_HOP, (msgspec.structs.replace(host, preference=0),)))


def _met(sender: Sender, run: RunFacts, hop: NextHop, facts: DomainFacts) -> Iterable[Met]:
    """Every address of every host, and the hosts whose addresses could not be looked up."""
    limits = sender.limits
    refs = {(ref.mx_host, ref.endpoint): ref for ref in facts.endpoints}
    ways = [
        (host, Endpoint(address, hop.port))
        for host in facts.route.hosts
        for address in host.addresses
        if (limits.ipv6 if ip_address(address).version == 6 else limits.ipv4)
    ]
    sni = [ref.endpoint for ref in facts.endpoints if ref.use is EndpointUse.POLICY]
    found = run.endpoints([*(endpoint for _, endpoint in ways), *sni])
    for host, endpoint in ways:
        name = host.aliases[-1] if host.aliases and sender.aliases_count else host.name
        ref = refs.get((host.name, endpoint)) or EndpointRef(host.name, host.preference, endpoint)
        ref = msgspec.structs.replace(ref, preference=host.preference, use=EndpointUse.MAIL)
        named = {
            each.sni: found[each]
            for each in sni
            if each in found and (each.address, each.port) == (endpoint.address, endpoint.port)
        }
        yield Met(ref, name, found.get(endpoint), named)
    for host in facts.route.hosts:
        if host.failure is not None and not host.addresses:
            yield Met(
                EndpointRef(host.name, host.preference, Endpoint("", hop.port), failure=host.failure),
                host.name,
                None,
                {},
            )


def _mx_secure(route: MailRoute) -> Fact:
    """Whether the names of the hosts are known for sure; without MX records there is nothing to be sure of."""
    if route.status is not RouteStatus.MX:
        return Fact.YES
    return {Dnssec.SECURE: Fact.YES, Dnssec.INDETERMINATE: Fact.INCONCLUSIVE}.get(route.mx_dnssec, Fact.NO)


def _unresolved(route: MailRoute) -> Outcome:
    return Outcome(Kind.UNKNOWN, None, Cause.DNS_UNANSWERED, str(route.failure or ""))


def _unknown(detail: str) -> Outcome:
    return Outcome(Kind.UNKNOWN, None, SimulationCause.NOT_SCANNED, detail)

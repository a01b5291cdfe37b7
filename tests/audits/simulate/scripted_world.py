"""A sender and a run in memory for the tests of the simulation: scripted servers with real certificates."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from audits.postfix.main_cf import parse_main_cf
from audits.postfix.parameters import DEFAULT_VERSION, parse_version
from audits.postfix.resolution import Engine
from audits.postfix.resolve import configuration
from audits.simulate.host import Meeting
from audits.simulate.outcomes import Step
from audits.simulate.routing import routing_of
from audits.simulate.sender import Sender, sender_of
from audits.simulate.simulation import DomainSimulation, Setup, simulate
from audits.trust import TrustStore, TrustStoreError
from scanner.facts import (
    DomainFacts,
    Endpoint,
    EndpointFacts,
    EndpointRef,
    MailRoute,
    MxHost,
    RouteStatus,
    Target,
)
from scanner.tls_facts import CertificateFacts, HandshakeFacts
from tests.audits.session_factory import GOOD, MX, Server, asked, handshake
from tests.certificate_factory import SEEN, Issued, leaf, root, self_signed

CA = root("Trusted Root")
STRANGER = root("Unknown Root")
ROOT_PEM = "/etc/lab/root.pem"
GOOD_CHAIN = (leaf(CA, MX).facts,)
WRONG_NAME = (leaf(CA, "other.example.net").facts,)
UNTRUSTED = (leaf(STRANGER, MX).facts,)
SELF_SIGNED = (self_signed(MX).facts,)
WEAK = (leaf(CA, MX, hash="sha1").facts,)
"""Trusted at security level 0, and not at level 1."""
MAIN_CF = f"smtp_tls_CAfile = {ROOT_PEM}\nmyhostname = sender.example\ncompatibility_level = 3.6\n"


def anchors(files: Sequence[Path], folders: Sequence[Path], system: bool) -> TrustStore:
    """The trust store of the tests: the one root file exists, and the system trusts the unknown root."""
    found: list[Issued] = [CA for file in files if str(file) == ROOT_PEM] + ([STRANGER] if system else [])
    if not found or any(str(file) != ROOT_PEM for file in (*files, *folders)):
        raise TrustStoreError("cannot read the file")
    return TrustStore([each.der for each in found])


def sender(text: str = "", engine: Engine = Engine.MODERN, tables: Mapping[str, str] | None = None) -> Sender:
    """A sender with the lines of main.cf behind those that trust the root."""
    return sender_of(config(MAIN_CF + text, engine, tables or {}), anchors)


def config(text: str, engine: Engine = Engine.MODERN, tables: Mapping[str, str] | None = None):  # type: ignore[no-untyped-def]
    """A configuration whose tables are in memory."""
    version = DEFAULT_VERSION if engine is Engine.MODERN else parse_version(engine)
    return configuration(parse_main_cf(text, "main.cf", version), engine, (tables or {}).__getitem__)


def shaken(chain: Sequence[CertificateFacts] = GOOD_CHAIN, version: str = "TLSv1.3") -> HandshakeFacts:
    return handshake(version, chain)


def server(chain: Sequence[CertificateFacts] = GOOD_CHAIN, version: str = "TLSv1.3", **says: object) -> Server:
    """A good server with a chain of its own; `says` as in session_factory.Server."""
    return msgspec.structs.replace(GOOD, shake=shaken(chain, version), **says)


def facts_at(*servers: Server, address: str = "192.0.2.1", port: int = 25, tls: object = None) -> EndpointFacts:
    """What a scan brings home of these, with every certificate of this file kept, at a time when they are valid."""
    kept = (*GOOD_CHAIN, *WRONG_NAME, *UNTRUSTED, *SELF_SIGNED, *WEAK)
    seen = asked(*servers, address=address, port=port)
    return msgspec.structs.replace(seen, certificates=kept, seen_at=SEEN, tls=tls)


class MemoryRun:
    """A run with these domains and endpoints."""

    def __init__(self, domains: Iterable[DomainFacts], endpoints: Iterable[EndpointFacts]) -> None:
        self._domains = {facts.target.entry: facts for facts in domains}
        self._endpoints = {facts.endpoint: facts for facts in endpoints}

    def domain(self, entry: str) -> DomainFacts | None:
        return self._domains.get(entry)

    def host(self, name: str) -> MxHost | None:
        hosts = (host for facts in self._domains.values() for host in facts.route.hosts)
        return next((host for host in hosts if host.name == name), None)

    def endpoints(self, wanted: Iterable[Endpoint]) -> Mapping[Endpoint, EndpointFacts]:
        return {endpoint: self._endpoints[endpoint] for endpoint in wanted if endpoint in self._endpoints}


def domain(name: str, *hosts: tuple[int, str, EndpointFacts], status: RouteStatus = RouteStatus.MX) -> DomainFacts:
    """A domain with its hosts: preference, name, facts."""
    route = MailRoute(status, tuple(MxHost(mx, preference, (f.endpoint.address,)) for preference, mx, f in hosts))
    refs = tuple(EndpointRef(mx, preference, seen.endpoint) for preference, mx, seen in hosts)
    return DomainFacts(Target(name, name), route, refs)


def simulated(text: str, *hosts: Server, name: str = "example.org", **tables: str) -> DomainSimulation:
    """Mail to a domain with these servers, in this order of preference; the first is named as its certificate is."""
    seen = [facts_at(each, address=f"192.0.2.{number}") for number, each in enumerate(hosts, 1)]
    names = [MX, *(f"mx{number}.example.org" for number in range(2, 9))]
    facts = domain(name, *((10 * at, names[at], each) for at, each in enumerate(seen)))
    run = MemoryRun([facts], seen)
    who = sender(text, tables=tables)
    return simulate(Setup(who, routing_of(who.main_cf, tables.__getitem__)), run, facts)


def meeting(facts: EndpointFacts, **changes: object) -> Meeting:
    """The sender meets MX of example.org."""
    ref = EndpointRef(MX, 10, facts.endpoint)
    return msgspec.structs.replace(Meeting(ref, MX, "example.org", facts), **changes)


def told(step: Step) -> str:
    """The step in few words: what happens, the word of the log, what a later attempt does."""
    later = f", later {step.later.kind}" if step.later else ""
    return f"{step.kind} {step.word or ''}".strip() + later

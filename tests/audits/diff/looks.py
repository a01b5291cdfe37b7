"""Looks at one domain on several nights, for the tests of the diff: scripted servers, judged as in a scan."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from audits.dane import Seen
from audits.diff import WINDOW, Change, Look, domain_changes
from audits.grade import domain_verdict
from audits.published import published_verdict
from audits.records import domain_record
from audits.sender_levels import sender_levels
from audits.store import DomainResult, RunStart, Store
from scanner.facts import Dnssec, EndpointFacts, EndpointUse, Fact, MxHost, RouteStatus, Target
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.policy_facts import HostTlsa, MtaStsFacts, PolicyFacts, TlsRptFacts
from scanner.tls_facts import CertificateFacts, PublicKeyFacts
from scanner.wire_facts import TlsFacts, VersionFacts
from tests.audits.session_factory import (
    GOOD,
    ISSUER,
    SEEN,
    Server,
    asked,
    distrusting,
    domain_facts,
    handshake,
    reference,
    reply,
    trusting,
)

DAY = timedelta(days=1)
THROTTLED = Server(greeting=reply(421, "4.7.0 try later"))
DROPS = Server(ehlo=Kind.TIMEOUT)
"""Reached, and nothing is learnt."""
FAILED = ProbeFailure(Stage.DNS, Kind.SERVFAIL)
NO_STS = MtaStsFacts()


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What one night shows. `servers` by MX host and address; of the further fields see the facts."""

    servers: Mapping[str, Mapping[str, Server]]
    leaf: CertificateFacts | None = None
    versions: Mapping[str, Fact] = {}
    trusted: bool = True
    status: RouteStatus = RouteStatus.MX
    unresolved: tuple[str, ...] = ()
    mx_dnssec: Dnssec = Dnssec.INDETERMINATE
    published: bool = False
    tlsa: tuple[HostTlsa, ...] = ()
    sts: MtaStsFacts = NO_STS
    rpt: TlsRptFacts | None = None


def one(server: Server = GOOD, **more: object) -> Night:
    """A night with one server."""
    return Night(servers={"mx.example.org": {"192.0.2.1": server}}, **more)  # type: ignore[arg-type]


def certificate(number: int = 1, days: float = 90, **more: object) -> CertificateFacts:
    """A leaf that began a third of its life ago and has `days` left from the first night on."""
    facts = CertificateFacts(
        f"{number:02x}" * 32,
        b"leaf%d" % number,
        subject="CN=mx.example.org",
        issuer="CN=R3,O=Example Trust,C=XX",
        names_dns=("mx.example.org",),
        has_san=True,
        not_before=SEEN - days * DAY / 2,
        not_after=SEEN + days * DAY,
        key=PublicKeyFacts("RSA", 2048, 112),
    )
    return msgspec.structs.replace(facts, **more)


def look(number: int, night: Night) -> Look:
    """The look of the n-th night."""
    seen = [
        (host, _endpoint(night, server, address))
        for host, servers in night.servers.items()
        for address, server in servers.items()
    ]
    refs = [reference(facts, mx_host=host) for host, facts in seen]
    named = [(host, _with_name(facts, host)) for host, facts in seen if night.tlsa or night.sts.policy]
    seen += named
    refs += [reference(facts, mx_host=host, use=EndpointUse.POLICY) for host, facts in named]
    facts = domain_facts(*refs, status=night.status)
    hosts = [MxHost(host, 10, tuple(servers)) for host, servers in night.servers.items()]
    hosts += [MxHost(name, 10, failure=FAILED) for name in night.unresolved]
    failure = FAILED if night.status is RouteStatus.UNRESOLVED else None
    route = msgspec.structs.replace(facts.route, hosts=tuple(hosts), mx_dnssec=night.mx_dnssec, failure=failure)
    policy = PolicyFacts(night.tlsa, night.sts, night.rpt) if night.published else None
    facts = msgspec.structs.replace(facts, route=route, policy=policy)
    known = {each.endpoint: each for _, each in seen}
    verify = trusting if night.trusted else distrusting
    verdict = domain_verdict(facts, known, verify)
    record = domain_record(facts, known, verdict, facts.target.entry)
    if night.published:
        published = published_verdict(Seen(facts, known, verdict.endpoints), verdict.sustained, verify)
        levels = sender_levels(verdict, published.dane)
        record = msgspec.structs.replace(
            record, published=published, sustained=levels.sustained, unknown=levels.unknown
        )
    return Look(f"night-{number}", SEEN + number * DAY, record, facts)


def stored(path: Path, *runs: Mapping[str, Night], finished: bool = True) -> None:
    """A store with these runs, each of the domains in it, a day apart."""
    with Store.open(path, writing=True) as store:
        for number, nights in enumerate(runs):
            text = " ".join(nights)
            start = RunStart(started=SEEN + number * DAY, input_digest=hashlib.sha256(text.encode()).hexdigest())
            run = store.begin_run(start, [Target(name, name) for name in nights])
            for seq, (name, night) in enumerate(nights.items(), 1):
                store.save(run.id, [_result(seq, name, look(number, night))], _certified(night))
            if finished:
                store.finish_run(run.id, run.started + DAY / 24)


def _result(seq: int, name: str, seen: Look) -> DomainResult:
    facts = msgspec.structs.replace(seen.facts, target=Target(name, name))
    record = msgspec.structs.replace(seen.record, domain=name, domain_unicode=name)
    return DomainResult(seq, facts, record.grade.value, msgspec.json.encode(record))


def _certified(night: Night) -> list[EndpointFacts]:
    return [_endpoint(night, server, at) for servers in night.servers.values() for at, server in servers.items()]


def _endpoint(night: Night, server: Server, address: str) -> EndpointFacts:
    leaf = night.leaf
    if leaf is not None and server == GOOD:
        server = Server(shake=handshake(chain=(leaf, ISSUER)))
    facts = asked(server, address=address)
    if leaf is not None:
        facts = msgspec.structs.replace(facts, certificates=(leaf, *facts.certificates))
    if night.versions and facts.failure is None:
        versions = (VersionFacts(version=name, offered=offered) for name, offered in night.versions.items())
        facts = msgspec.structs.replace(facts, tls=TlsFacts(versions=tuple(versions)))
    return facts


def _with_name(facts: EndpointFacts, host: str) -> EndpointFacts:
    """The same server, asked with its name."""
    return msgspec.structs.replace(facts, endpoint=msgspec.structs.replace(facts.endpoint, sni=host))


def changes(*nights: Night, certificates: Sequence[CertificateFacts] = (), window: int = WINDOW) -> tuple[Change, ...]:
    """What the last of these nights changes, as a diff of the last two runs tells it."""
    looks = [look(number, night) for number, night in enumerate(nights)]
    by_hash = {each.sha256: each for each in certificates}
    return domain_changes(looks[:-1][-window:], looks[-1], by_hash.get, window)


def kinds(*nights: Night, **more: object) -> list[str]:
    return [change.kind.value for change in changes(*nights, **more)]  # type: ignore[arg-type]

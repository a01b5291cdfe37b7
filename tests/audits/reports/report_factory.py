"""Judged domains for the tests of reports: any number of them, with hostile words where the network could put some."""

from collections.abc import Iterator
from functools import cache

import msgspec

from audits.baseline import Baseline, shipped, shipped_baseline
from audits.evaluate import Evaluator
from audits.judge import Judge
from audits.reports.judged import JudgedDomain
from audits.trust import TrustStore
from scanner.answers import Fact
from scanner.facts import EndpointFacts, Target
from scanner.tls_facts import CertificateFacts
from scanner.wire_facts import TlsFacts, VersionFacts
from tests.audits.session_factory import NO_TLS, SILENT, Server, asked, domain_facts, handshake, reference, reply
from tests.certificate_factory import SEEN, intermediate, leaf, root

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\x1b[31m=cmd|'/c calc'!A1\u202e"


@cache
def world() -> tuple[TrustStore, tuple[CertificateFacts, ...]]:
    anchor = root()
    between = intermediate(anchor)
    return TrustStore([anchor.der]), (leaf(between, "mx.example.org").facts, between.facts)


def baselines() -> tuple[Baseline, ...]:
    return tuple(map(shipped_baseline, shipped()))


def healthy(number: int) -> EndpointFacts:
    """A server of its own, with a real chain and all versions settled."""
    chain = world()[1]
    address = f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"
    server = Server(shake=handshake(chain=chain))
    facts = asked(server, address=address)
    tls = TlsFacts(
        versions=tuple(
            VersionFacts(version=name, offered=Fact(fact), suites=suites, complete=True)
            for name, fact, suites in (
                ("TLSv1.3", "yes", ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")),
                ("TLSv1.2", "yes", ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_128_CBC_SHA")),
                ("TLSv1.1", "no", ()),
                ("TLSv1.0", "yes" if number % 3 == 0 else "no", ()),
                ("SSLv3", "no", ()),
                ("SSLv2", "no", ()),
            )
        )
    )
    return msgspec.structs.replace(facts, certificates=chain, tls=tls, seen_at=SEEN)


def hostile() -> EndpointFacts:
    """A server all of whose words are an attack."""
    words = Server(greeting=reply(220, HOSTILE), ehlo=reply(250, HOSTILE, "STARTTLS"), ehlo_tls=reply(250, HOSTILE))
    facts = asked(words, address="203.0.113.7")
    bad = CertificateFacts(
        "aa" * 32, b"x", subject=HOSTILE, issuer=HOSTILE, names_dns=(HOSTILE,), has_san=True, not_after=SEEN
    )
    lines = tuple(msgspec.structs.replace(session, transcript=(f"S: {HOSTILE}",)) for session in facts.sessions)
    return msgspec.structs.replace(facts, certificates=(bad, *facts.certificates[1:]), sessions=lines)


def judged(names: dict[str, EndpointFacts], chosen: tuple[Baseline, ...] | None = None) -> Iterator[JudgedDomain]:
    """Each name with its one server, judged by these baselines; by all without."""
    judge = Judge(world()[0], 9, None, Evaluator(baselines() if chosen is None else chosen))
    for name, seen in names.items():
        facts = msgspec.structs.replace(domain_facts(reference(seen)), target=Target(name, name))
        yield JudgedDomain(judge.record(facts, (seen,)), facts, (seen,))


def few() -> dict[str, EndpointFacts]:
    """A healthy, a silent, a plain and a hostile domain."""
    return {
        "healthy.example": healthy(0),
        "silent.example": asked(SILENT, address="203.0.113.5"),
        "plain.example": asked(NO_TLS, address="203.0.113.6"),
        "hostile.example": hostile(),
    }


def many(number: int) -> dict[str, EndpointFacts]:
    """Domains with a server each: the worst case for the size of a report."""
    return {f"domain{n}.example": healthy(n) for n in range(number)}

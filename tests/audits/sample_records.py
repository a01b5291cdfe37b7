"""Judged records for the tests of what is shown and written: ordinary ones, and one in which every word is hostile."""

import msgspec

from audits.grade import domain_verdict
from audits.records import DomainRecord, domain_record
from scanner.facts import DomainFacts, EndpointFacts, EndpointRef, Level
from tests.audits.session_factory import (
    GOOD,
    ISSUER,
    LEAF,
    NO_TLS,
    SILENT,
    Server,
    asked,
    distrusting,
    domain_facts,
    reference,
    reply,
    trusting,
)

HOSTILE = "=cmd|'/C calc'!A0 \x1b[2J\x1b]0;owned\x07 \x9b31m \u202etxt.exe \x00\x7f\r\n\t@SUM(1)"
"""A formula, terminal commands in both forms, a change of direction, ends of lines."""
OBEYED = tuple(c for c in map(chr, (*range(32), *range(127, 160), 0x202E)) if c != "\n")
"""What a terminal may obey. A newline is left out: lines end."""


def record(*seen: EndpointFacts, required: Level | None = None, trusted: bool = True) -> DomainRecord:
    """The record of a domain with these endpoints; without any it is that of a healthy one."""
    seen = seen or (asked(GOOD),)
    facts = domain_facts(*map(reference, seen))
    known = {each.endpoint: each for each in seen}
    verdict = domain_verdict(facts, known, trusting if trusted else distrusting, required)
    return domain_record(facts, known, verdict, facts.target.entry, required)


def named(entry: str, *seen: EndpointFacts, **options: bool) -> DomainRecord:
    return msgspec.structs.replace(record(*seen, **options), domain=entry, domain_unicode=entry)


PLAIN = record(asked(NO_TLS))
EXPIRED = record(trusted=False)
UNREACHABLE = record(asked(SILENT))


def hostile_facts() -> tuple[DomainFacts, tuple[EndpointFacts, ...]]:
    """A domain whose MX host, server and certificate say nothing but HOSTILE."""
    said = reply(550, HOSTILE)
    banner = reply(220, HOSTILE)
    servers = Server(greeting=banner, ehlo_tls=said, helo_tls=said), Server(greeting=reply(554, HOSTILE))
    leaf = msgspec.structs.replace(
        LEAF, subject=HOSTILE, issuer=HOSTILE, names_dns=(HOSTILE,), problem=HOSTILE, signature_algorithm=HOSTILE
    )
    seen = []
    for number, server in enumerate(servers, 1):
        facts = asked(server, address=f"192.0.2.{number}")
        sessions = tuple(
            msgspec.structs.replace(session, transcript=(f"S: 220 {HOSTILE}",)) for session in facts.sessions
        )
        seen.append(msgspec.structs.replace(facts, sessions=sessions, certificates=(leaf, ISSUER)))
    refs = (EndpointRef(HOSTILE, 10, each.endpoint) for each in seen)
    return domain_facts(*refs), tuple(seen)


def hostile_record() -> DomainRecord:
    facts, seen = hostile_facts()
    known = {each.endpoint: each for each in seen}
    made = domain_record(facts, known, domain_verdict(facts, known, trusting), HOSTILE, Level.MUST)
    return msgspec.structs.replace(made, domain=HOSTILE)

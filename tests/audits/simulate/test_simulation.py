"""Whole domains under whole configurations: tables, relays, what the mail comes to and what each host does."""

import msgspec
import pytest

from audits.postfix.resolution import Engine
from audits.simulate.outcomes import Kind
from audits.simulate.routing import routing_of
from audits.simulate.simulation import DomainSimulation, Setup, simulate
from scanner.facts import Target
from tests.audits.session_factory import BROKEN_TLS, MX, NO_TLS, SILENT, Server, reply
from tests.audits.simulate.scripted_world import (
    UNTRUSTED,
    MemoryRun,
    domain,
    facts_at,
    sender,
    server,
    simulated,
)

GOOD, BAD = server(), server(UNTRUSTED)


@pytest.mark.parametrize(
    ("text", "hosts", "end"),
    [
        ("", [GOOD], "clear"),
        ("smtp_use_tls = yes\n", [GOOD], "Trusted TLS"),
        ("smtp_enforce_tls = yes\n", [GOOD], "Verified TLS"),
        ("smtp_enforce_tls = yes\n", [BAD], "deferred"),
        ("smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n", [BAD], "Untrusted TLS"),
        ("smtp_enforce_tls = yes\n", [BAD, GOOD], "deferred"),
        ("smtp_tls_security_level = encrypt\n", [NO_TLS, GOOD], "Trusted TLS"),
        ("smtp_tls_security_level = may\n", [BROKEN_TLS], "deferred, then clear"),
        ("smtp_tls_security_level = may\n", [BROKEN_TLS, GOOD], "Trusted TLS"),
        ("smtp_tls_security_level = encrypt\n", [server(starttls=reply(502)), GOOD], "bounced"),
        ("smtp_tls_security_level = may\n", [SILENT], "unknown"),
        ("smtp_tls_security_level = may\n", [SILENT, GOOD], "Trusted TLS"),
        ("smtp_tls_per_site = inline:{mx.example.org=MUST}\n", [BAD, NO_TLS], "clear"),
        ("smtp_tls_per_site = inline:{example.org=MUST}\n", [BAD, NO_TLS], "deferred"),
        ("smtp_tls_per_site = inline:{example.org=MUTS}\n", [GOOD], "deferred"),
        ("relayhost = [mx.example.org]\nsmtp_use_tls = yes\n", [GOOD], "Trusted TLS"),
        ("relayhost = [relay.example.net]\n", [GOOD], "unknown"),
        ("transport_maps = inline:{example.org=smtp:[mx.example.org]}\n", [GOOD], "clear"),
        ("transport_maps = inline:{example.org=error:no}\n", [GOOD], "bounced"),
        ("transport_maps = inline:{example.org=retry:later}\n", [GOOD], "deferred"),
        ("transport_maps = inline:{example.org=discard:}\n", [GOOD], "discarded"),
        ("transport_maps = inline:{example.org=slow:}\n", [GOOD], "unknown"),
        ("smtp_tls_security_level = verify\nsmtp_fallback_relay = [mx.example.org]\n", [BAD, GOOD], "deferred"),
        ("smtp_tls_security_level = secure\n", [GOOD], "Verified TLS"),
    ],
)
def test_what_becomes_of_the_mail(text: str, hosts: list[Server], end: str) -> None:
    assert simulated(text, *hosts).words == end


def test_each_host_says_its_level_and_its_part() -> None:
    found = simulated("smtp_use_tls = yes\nsmtp_tls_per_site = inline:{mx.example.org=MUST}\n", BAD, NO_TLS)
    assert [(host.mx_host, str(host.level), str(host.outcome), host.word) for host in found.hosts] == [
        (MX, "verify", "next MX", "Untrusted"),
        ("mx2.example.org", "may", "clear", ""),
    ]
    assert found.hosts[0].outcome.cause == "certificate-not-trusted"
    assert "mx.example.org" not in found.hosts[1].rules


def test_what_is_unknown_is_told_as_it_was_during_the_scan() -> None:
    found = simulated("smtp_use_tls = yes\n", server(mail_tls=reply(450)), GOOD)
    assert found.words == "unknown"
    assert [str(end) for end in found.as_scanned] == ["Trusted TLS"]
    assert simulated("smtp_use_tls = yes\n", GOOD).as_scanned == ()


def both(text: str, *hosts: tuple[int, str, Server], entry: str = "example.org") -> DomainSimulation:
    seen = [facts_at(each, address=f"192.0.2.{at}") for at, (_, _, each) in enumerate(hosts, 1)]
    named = ((preference, name, each) for (preference, name, _), each in zip(hosts, seen, strict=True))
    facts = domain("example.org", *named)
    who = sender(text)
    run = MemoryRun([facts], seen)
    if entry != "example.org":
        target = Target(entry, entry.strip("[]"), brackets=True)
        facts = msgspec.structs.replace(facts, target=target)
    return simulate(Setup(who, routing_of(who.main_cf)), run, facts)


def test_equal_hosts_leave_it_to_chance() -> None:
    found = both("smtp_use_tls = yes\n", (10, MX, GOOD), (10, "mx2.example.org", NO_TLS))
    assert found.outcome is None
    assert sorted(found.words.split(" or ")) == ["Trusted TLS", "clear"]


def test_an_entry_in_brackets_is_its_own_next_hop() -> None:
    found = both("smtp_use_tls = yes\nrelayhost = elsewhere.example\n", (0, MX, GOOD), entry=f"[{MX}]")
    assert found.words == "Trusted TLS"
    assert found.transport == f"smtp:[{MX}]"


def test_a_relay_that_does_not_exist_defers() -> None:
    """Postfix takes it for a mistake of ours, and does not bounce."""
    facts = domain("example.org", (10, MX, facts_at(GOOD)))
    gone = domain("gone.example", status=facts.route.status.NO_SUCH_DOMAIN)
    run = MemoryRun([facts, gone], [facts_at(GOOD)])
    for text, kind in (("relayhost = gone.example\n", Kind.DEFERRED), ("", Kind.BOUNCED)):
        who = sender(text)
        (end,) = simulate(Setup(who, routing_of(who.main_cf)), run, gone if not text else facts).possible
        assert end.kind is kind


def test_a_transport_table_that_fails_defers() -> None:
    found = simulated("transport_maps = inline:{{example.org=}}\n", GOOD)
    assert (found.words, found.possible[0].cause) == ("deferred", "transport")


def test_an_old_engine_does_not_fall_back() -> None:
    facts = domain("example.org", (10, MX, facts_at(BROKEN_TLS)))
    who = sender("smtp_use_tls = yes\n", Engine.PATCHED)
    found = simulate(Setup(who, routing_of(who.main_cf)), MemoryRun([facts], [facts_at(BROKEN_TLS)]), facts)
    assert found.words == "deferred"

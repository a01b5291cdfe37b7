"""Levels with names, keys and DANE in a real Postfix: what the facts say of a line is what smtp(8) does with it."""

import smtplib
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec import Struct

from audits.policy_table.history import finished_runs, looks_at
from audits.policy_table.looks import Look
from audits.postfix.lint import Kind
from audits.postfix.lint.facts import fact_table
from audits.postfix.lint.rows import table_rows
from audits.store import Store
from scanner.facts import Fact
from tests.lab.dane_lab import CANARIES, DaneLab, dane_laboratory
from tests.lab.dane_several import SEVERAL_HOSTS
from tests.lab.outcomes import Outcome, Story
from tests.lab.policy_domains import POLICY_DOMAINS
from tests.lab.postfix_instance import lay_out, postfix, service
from tests.lab.scanning import scanning
from tests.lab.sender import LIMIT_S, MAIN

from .table_world import ended, send, sender, tlsaudit

pytestmark = pytest.mark.lab
VALUES = {
    "none": "none",
    "may": "may",
    "encrypt": "encrypt",
    "verify": "verify",
    "byname": "verify servername=hostname",
    "secure": "secure",
    "nexthop": "secure match=nexthop",
    "dotted": "secure match=.{domain}",
    "other": "verify match=other.test",
    "dane": "dane",
    "daneonly": "dane-only",
}
"""A transport for each: all domains at this level."""
INJECTION = ("127.0.0.8", 25)


class World(Struct, frozen=True):
    """What the facts predict and what happened, by level and domain; and the written table's outcomes."""

    looks: tuple[Look, ...]
    levels: dict[tuple[str, str], Outcome]
    plain: dict[str, Outcome]
    written: dict[str, Outcome]
    table: str


def text_of(value: str, domains: list[str]) -> str:
    return "".join(f"{domain} {value.replace('{domain}', domain)}\n" for domain in domains)


def at_all_levels(lab: DaneLab, domains: list[str], stack: ExitStack) -> Path:
    """A Postfix with a transport for each value; it has got a message for each domain at each. Its log."""
    folder = lab.folder / "levels"
    choice = ", ".join(f"{{ {word}@sender.test = by-{word}: }}" for word in VALUES)
    trust = {"smtp_tls_CAfile": str(lab.trust_anchor), "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns"}
    main = {
        **MAIN,
        **trust,
        "sender_dependent_default_transport_maps": f"inline:{{ {choice} }}",
    }
    services = [f"{INJECTION[0]}:{INJECTION[1]} " + service("inet n", "smtpd", {})]
    for word in VALUES:
        options = {"syslog_name": f"lab/{word}", "smtp_tls_policy_maps": f"texthash:{folder}/conf/{word}"}
        services.append(f"by-{word} " + service("unix -", "smtp", options, "20"))
    log = lay_out(folder, main, services)
    for word, value in VALUES.items():
        (folder / "conf" / word).write_text(text_of(value, domains))
    stack.enter_context(postfix(folder, [INJECTION]))
    for word in VALUES:
        with smtplib.SMTP(*INJECTION, timeout=20) as session:
            for domain in domains:
                session.sendmail(f"{word}@sender.test", [f"{word}@{domain}"], f"Subject: {word}\n\nlab\n")
    return log


def outcomes(log: Path, domains: list[str]) -> dict[tuple[str, str], Outcome]:
    wanted = {(word.upper(), domain) for word in VALUES for domain in domains}
    deadline = time.monotonic() + LIMIT_S
    while not (story := Story(log)).ended(wanted):
        assert time.monotonic() < deadline, sorted(wanted - story.gone())[:20]
        time.sleep(0.5)
    return {(word, domain): story.outcome(word.upper(), domain) for word in VALUES for domain in domains}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with ExitStack() as stack:
        lab = stack.enter_context(dane_laboratory())
        domains = [each.domain for each in (*lab.states, *SEVERAL_HOSTS, *POLICY_DOMAINS)]
        log = at_all_levels(lab, domains, stack)
        without = stack.enter_context(sender(lab, "plain", "127.0.0.3", {}))
        send(without, domains)
        with scanning(lab, "dane", domains, "--dnssec-canary", ",".join(CANARIES)):  # type: ignore[arg-type]
            pass
        path = lab.folder / "tls_policy"
        options = ("--format", "policy-maps", "--runs", "1", "--store", lab.folder / "dane.db", "--output", path)
        done = tlsaudit("policy", "write", *options)
        assert done.returncode == 0, done.stderr
        table = stack.enter_context(sender(lab, "table", "127.0.0.4", {"smtp_tls_policy_maps": f"texthash:{path}"}))
        send(table, domains)
        with Store.open(lab.folder / "dane.db") as store:
            (run,) = finished_runs(store)
            looks = tuple(looks_at(store.domains(run.id), run))
        ends = ended(without, domains), ended(table, domains)
        yield World(looks, outcomes(log, domains), *ends, path.read_text())


def test_the_facts_of_a_line_are_what_happens(world: World) -> None:
    domains = [look.entry for look in world.looks]
    told: dict[Fact, int] = dict.fromkeys(Fact, 0)
    wrong = []
    for word, value in VALUES.items():
        rows, _ = table_rows(text_of(value, domains), "table", Kind.POLICY_MAPS)
        met = fact_table(rows, Kind.POLICY_MAPS, world.looks).met
        for domain in domains:
            facts = {each.fact for each in met if each.look.entry == domain}
            if len(facts) != 1:
                continue
            (fact,) = facts
            told[fact] += 1
            outcome = world.levels[word, domain]
            if fact is not Fact.INCONCLUSIVE and outcome.delivered != (fact is Fact.YES):
                wrong.append((domain, value, fact, outcome.evidence[-3:]))
    print(f"lines: {told}, {len(wrong)} wrong")
    assert told[Fact.YES] > 100
    assert told[Fact.NO] > 100
    assert not wrong, wrong


def test_the_written_table_loses_nothing(world: World) -> None:
    lost = {
        domain: world.written[domain].evidence[-3:]
        for domain, outcome in world.plain.items()
        if outcome.delivered and not world.written[domain].delivered
    }
    assert not lost, lost


def test_dane_is_written_where_it_holds(world: World) -> None:
    rows = dict(row.split(" ", 1) for row in world.table.splitlines() if row and not row.startswith("#"))
    print(sorted(set(rows.values())))
    assert rows["ee-spki.test"] == "dane-only"
    assert (rows["unsigned.example"], rows["sts-unsigned.example"]) == ("verify", "secure match=mx.ee-spki.test")
    assert {"dane-only", "verify", "encrypt", "may"} <= set(rows.values())

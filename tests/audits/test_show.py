"""One stored domain with its evidence: what people see, what programs get, and that foreign words do nothing."""

import json
import re
from datetime import UTC, datetime

import msgspec
import pytest

from audits.grade import domain_verdict
from audits.records import domain_record
from audits.show import StoredDomain, domain_json, domain_lines, stored_domain
from audits.store import DomainResult, NoSuchRunError, Store
from scanner.facts import MailRoute, RouteStatus, Target
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire_facts import TlsFacts
from tests import stored_samples
from tests.audits.sample_records import HOSTILE, OBEYED, hostile_facts, hostile_record, record
from tests.audits.session_factory import GOOD, NO_TLS, SILENT, asked, domain_facts, reference, trusting


def stored(*seen, **options) -> StoredDomain:
    facts = domain_facts(*map(reference, seen))
    return StoredDomain("2026-11-21T06-30-00", record(*seen, **options), facts, tuple(seen))


def text(found: StoredDomain) -> str:
    return "\n".join(domain_lines(found))


def test_grade_and_reason_come_first():
    lines = text(stored(asked(NO_TLS))).splitlines()
    assert lines[0] == "example.org  MAY    (run 2026-11-21T06-30-00)"
    assert lines[1] == "  why not more: starttls-not-supported: EHLO shows no STARTTLS"
    assert lines[2].startswith("  what would lift it: offer STARTTLS")
    assert "  sustained: NONE MAY    unknown: dane dane-only" in lines, "nobody looked for TLSA records"


def test_the_evidence_stands_there_in_full():
    shown = text(stored(asked(GOOD)))
    assert "mx.example.org [192.0.2.1]:25  ok    mail" in shown
    assert "  seen 2026-11-21 06:30:00Z, 1 connection" in shown
    assert f"sha256 {'aa' * 32}" in shown
    assert "certificate 1: CN=Example CA" in shown
    assert "    S: 220 mx.example.org ESMTP" in shown
    assert "    C: STARTTLS" in shown


def test_what_an_earlier_night_saw_has_its_time():
    facts = msgspec.structs.replace(asked(GOOD), tls=TlsFacts(versions=()))
    assert "found unchanged since" not in text(stored(facts))
    earlier = msgspec.structs.replace(facts, tls_seen_at=datetime(2026, 11, 18, 2, tzinfo=UTC))
    assert "what follows was seen 2026-11-18 02:00:00Z, and the server was found unchanged since" in text(
        stored(earlier)
    )


def test_each_session_is_numbered():
    shown = text(stored(asked(NO_TLS)))
    assert re.findall(r"  session (\d) \(", shown) == ["1", "2"], "a no needs two sessions"


def test_a_host_without_answer_is_shown_with_its_reason():
    shown = text(stored(asked(GOOD), asked(SILENT, address="192.0.2.2")))
    assert "mx.example.org [192.0.2.2]:25  unreachable    mail" in shown
    assert "answered: 1 of 2 addresses" in shown
    assert "connect: timeout" in shown


def test_a_route_that_failed_is_shown():
    failure = ProbeFailure(Stage.DNS, Kind.SERVFAIL, f"MX of x: {HOSTILE}")
    facts = msgspec.structs.replace(domain_facts(), route=MailRoute(RouteStatus.UNRESOLVED, failure=failure))
    verdict = msgspec.structs.replace(record(), endpoints=(), route=RouteStatus.UNRESOLVED)
    shown = text(StoredDomain("r", verdict, facts, ()))
    assert "dns: servfail" in shown
    assert not set(shown) & set(OBEYED)


def test_hostile_words_do_nothing_to_the_terminal():
    facts, seen = hostile_facts()
    shown = text(StoredDomain("r", hostile_record(), facts, seen))
    assert not set(shown) & set(OBEYED)
    assert shown.count("calc") > 5, "what was said can still be read"
    assert all(line.isprintable() for line in shown.splitlines())


def test_json_has_record_and_facts_and_harms_nobody():
    facts, seen = hostile_facts()
    found = StoredDomain("r", hostile_record(), facts, seen)
    shown = domain_json(found)
    assert not set(shown) & set(OBEYED)
    parsed = json.loads(shown)
    assert parsed["record"]["grade"] == "NONE"
    assert parsed["facts"]["endpoints"][0]["mx_host"] == HOSTILE
    assert msgspec.json.decode(shown, type=StoredDomain) == found


# --- from a store --------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    """A store with one run: d1.example, an IDN, and a next-hop."""
    names = ("d1.example", "xn--bcher-kva.example", "[mx.example.org]:587")
    with Store.open(tmp_path / "runs.db", writing=True) as opened:
        run = opened.begin_run(stored_samples.start(), [Target(name, name) for name in names])
        seen = stored_samples.seen(1)
        for number, name in enumerate(names, 1):
            facts = msgspec.structs.replace(stored_samples.domain(number, 1), target=Target(name, name))
            judged = domain_record(facts, {}, domain_verdict(facts, {}, trusting), name)
            opened.save(run.id, [DomainResult(number, facts, "MUST", msgspec.json.encode(judged))], [seen])
        yield opened


@pytest.mark.parametrize(
    ("asked_for", "entry"),
    [
        ("d1.example", "d1.example"),
        ("D1.Example.", "d1.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[mx.example.org]:587", "[mx.example.org]:587"),
    ],
)
def test_a_domain_is_found_as_people_write_it(store, asked_for, entry):
    found = stored_domain(store, "latest", asked_for)
    assert found.facts.target.entry == entry
    assert found.endpoints == (stored_samples.seen(1),)


@pytest.mark.parametrize("asked_for", ["d9.example", "not a domain", "", "\udcff", "x\x00y", HOSTILE, "a" * 10_000])
def test_what_the_run_does_not_have_is_none(store, asked_for):
    assert stored_domain(store, "latest", asked_for) is None


def test_a_run_that_is_not_there_is_told(store):
    with pytest.raises(NoSuchRunError, match="no run 'yesterday'"):
        stored_domain(store, "yesterday", "d1.example")

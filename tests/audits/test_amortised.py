"""The amortised night: three connections confirm a server, whatever changed is found, and each has its full night."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from audits.amortised import earlier_facts, is_full_night
from audits.demo.behaviour import Behaviour, TlsServer
from audits.demo.certificates import new_authority
from audits.store import RunStart, Store
from scanner.facts import Endpoint
from tests.loopback_world import world
from tests.stored_samples import NIGHT, entries, seen

NIGHTS = 7
PLACES = [Endpoint(f"192.0.2.{number}", 25) for number in range(200)]


def test_every_endpoint_has_one_full_night_of_seven_and_they_are_spread():
    today = NIGHT.toordinal()
    turns = Counter[int]()
    for place in PLACES:
        nights = [day for day in range(NIGHTS) if is_full_night(place, today + day, NIGHTS)]
        assert len(nights) == 1
        turns.update(nights)
    assert len(turns) == NIGHTS
    assert max(turns.values()) < 2 * len(PLACES) / NIGHTS


# --- which facts may be taken over ---------------------------------------------------------------------------------


def begin(store, days: int, depth: str = "full", version: str = "1"):
    options = msgspec.json.encode({"depth": depth})
    start = RunStart(started=NIGHT + timedelta(days=days), input_digest="d", options=options, tool_version=version)
    return store.begin_run(start, entries(1))


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "s.db", writing=True) as opened:
        yield opened


def quiet_day() -> int:
    """The first day on which it is not the turn of the sample's endpoint."""
    return next(d for d in range(1, 3) if not is_full_night(seen().endpoint, NIGHT.toordinal() + d, NIGHTS))


def test_after_an_upgrade_every_server_is_asked_in_full_once(store):
    first = begin(store, 0)
    store.save(first.id, endpoints=[seen()])
    store.finish_run(first.id, NIGHT)
    assert earlier_facts(store, begin(store, quiet_day(), version="2"), NIGHTS)(seen().endpoint) is None
    assert earlier_facts(store, begin(store, quiet_day()), NIGHTS)(seen().endpoint) == seen()


def test_facts_of_the_newest_finished_run_with_the_same_questions_may_be_taken_over(store):
    first = begin(store, 0)
    store.save(first.id, endpoints=[seen()])
    later = begin(store, quiet_day())
    assert earlier_facts(store, later, NIGHTS)(seen().endpoint) is None, "the first never ended"
    store.finish_run(first.id, NIGHT)
    assert earlier_facts(store, later, NIGHTS)(seen().endpoint) == seen()
    assert earlier_facts(store, later, NIGHTS)(Endpoint("192.0.2.250", 25)) is None
    assert earlier_facts(store, later, 1)(seen().endpoint) is None, "every night is a full one"
    assert earlier_facts(store, begin(store, quiet_day(), "standard"), NIGHTS)(seen().endpoint) is None


def test_old_facts_are_not_taken_over(store):
    first = begin(store, 0)
    old = msgspec.structs.replace(seen(), tls_seen_at=NIGHT - timedelta(days=NIGHTS + 1))
    store.save(first.id, endpoints=[old])
    store.finish_run(first.id, NIGHT)
    assert earlier_facts(store, begin(store, quiet_day()), NIGHTS)(seen().endpoint) is None


# --- the whole command ---------------------------------------------------------------------------------------------

AUTHORITY = new_authority()
HOSTS = [f"mx{number}.example" for number in range(8)]
ZONE = {f"d{number}.example": {"MX": [f"10 {host}."]} for number, host in enumerate(HOSTS)}
ZONE |= {host: {"A": [f"192.0.2.{number}"]} for number, host in enumerate(HOSTS, 1)}
DOMAINS = [name for name in ZONE if name.startswith("d")]


def servers() -> dict[tuple[str, int], Behaviour]:
    chains = {host: AUTHORITY.credential(host).chain_pem for host in HOSTS}
    return {
        (f"192.0.2.{number}", 25): Behaviour(name=host, tls=TlsServer(chains=(chains[host],)))
        for number, host in enumerate(HOSTS, 1)
    }


def scanned(running, *more: str) -> dict[str, dict]:
    options = (*running.arguments("s.db"), "--depth", "full", "--ports", "25", "--no-policy", "--format", "jsonl")
    done = running.run("scan", *options, "--full-every", str(NIGHTS), "-q", *more, *DOMAINS)
    assert done.returncode == 0, done.stderr
    return {record["domain"]: record["endpoints"][0] for record in map(json.loads, done.stdout.splitlines())}


def test_an_unchanged_server_costs_three_connections_at_most_and_a_changed_one_is_asked_in_full(tmp_path):
    today = datetime.now(UTC).toordinal()
    turn = {f"d{n}.example" for n in range(8) if is_full_night(Endpoint(f"192.0.2.{n + 1}", 25), today, NIGHTS)}
    behaviours = servers()
    with world(tmp_path, ZONE, behaviours, AUTHORITY) as running:
        first, second = scanned(running), scanned(running)
    for domain in DOMAINS:
        full, light = first[domain], second[domain]
        assert full["tls_seen_at"] is None
        if domain in turn:
            assert (light["tls_seen_at"], light["connections"]) == (None, full["connections"])
        else:
            assert (light["suites"], light["tls"]) == (full["suites"], full["tls"])
            assert light["connections"] <= 3
            assert light["tls_seen_at"] == full["seen_at"]
            assert light["seen_at"] > full["seen_at"]
    changed = next(n for n in range(8) if f"d{n}.example" not in turn)
    place = (f"192.0.2.{changed + 1}", 25)
    renewed = AUTHORITY.credential(HOSTS[changed]).chain_pem
    with world(
        tmp_path,
        ZONE,
        behaviours | {place: Behaviour(name=HOSTS[changed], tls=TlsServer(chains=(renewed,)))},
        AUTHORITY,
    ) as running:
        third = scanned(running)
    assert third[f"d{changed}.example"]["tls_seen_at"] is None
    assert third[f"d{changed}.example"]["connections"] > 10
    assert sum(each["connections"] > 3 for each in third.values()) == 1 + len(turn)

"""One run from pending targets to stored, judged, emitted results; the network is two functions."""

import errno
import os
import signal
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
import trio

from audits.judge import Judge
from audits.output import OutputLostError
from audits.records import DomainRecord
from audits.scan_run import BATCH, Job, run_job
from audits.store import RunInfo, RunStart, Store, StoreError
from audits.trust import TrustStore
from scanner.egress import ENOUGH, EgressBlocked
from scanner.endpoint_probe import Shells
from scanner.facts import AddressRecord, DnsAnswer, DnsStatus, EndpointFacts, Lookup, MxRecord, Target
from scanner.failures import LocalTroubleError
from scanner.route import Question
from scanner.settings import ScanSettings
from scanner.tcp import TcpSocket
from tests import stored_samples
from tests.certificate_factory import root

TRUST = TrustStore([root().der])
SETTINGS = ScanSettings(ports=(25,), jobs=20, interval_s=0.0, allow_private=True, ehlo="scanner.example")


class World:
    """A DNS and a network: d<n>.example has the MX host mx<n modulo hosts>.example in a network of its own."""

    def __init__(self, hosts: int = 5, error: int = errno.ECONNREFUSED) -> None:
        self.connections: list[str] = []
        self._hosts = hosts
        self._error = error

    async def look_up(self, question: Question) -> Lookup:
        await trio.lowlevel.checkpoint()
        label = question.name.partition(".")[0]
        records: tuple[MxRecord | AddressRecord, ...] = ()
        if question.rdtype == "MX":
            records = (MxRecord(10, f"mx{int(label[1:]) % self._hosts}.example"),)
        elif question.rdtype == "A":
            records = (AddressRecord(str(ip_address(f"11.{label[2:]}.0.1"))),)
        return DnsAnswer(question.name, question.rdtype, DnsStatus.RECORDS if records else DnsStatus.NODATA, records)

    async def connect(self, address: str, _port: int) -> TcpSocket:
        await trio.lowlevel.checkpoint()
        self.connections.append(address)
        raise OSError(self._error, os.strerror(self._error))

    @property
    def shells(self) -> Shells:
        return Shells(look_up=self.look_up, connect=self.connect)


class Emitted(list[DomainRecord]):
    """The records that were printed, and how large the pieces were."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[int] = []

    def take(self, records) -> None:
        self.pieces.append(len(records))
        self.extend(records)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "runs.db", writing=True) as opened:
        yield opened


def begun(store: Store, count: int) -> RunInfo:
    names = (f"d{number}.example" for number in range(count))
    start = RunStart(started=stored_samples.NIGHT, input_digest="ab" * 32)
    return store.begin_run(start, [Target(name, name) for name in names])


def job(store: Store, run: RunInfo, world: World, **fields: object) -> tuple[Job, Emitted]:
    emitted = Emitted()
    ready = {"emit": emitted.take, "shells": world.shells, "settings": SETTINGS, "quiet": True} | fields
    return Job(store=store, run=run, judge=Judge(TRUST, 9, None), **ready), emitted


def test_every_target_is_judged_stored_and_printed(store):
    run, world = begun(store, 100), World()
    work, emitted = job(store, run, world)
    assert trio.run(run_job, work) is True
    assert {record.domain for record in emitted} == {f"d{number}.example" for number in range(100)}
    assert {record.grade for record in emitted} == {"INCONCLUSIVE"}
    stored = {found.seq: msgspec.json.decode(found.judgement, type=DomainRecord) for found in store.domains(run.id)}
    assert sorted(stored) == list(range(1, 101))
    assert sorted(stored.values(), key=lambda r: r.domain) == sorted(emitted, key=lambda r: r.domain)
    assert len(world.connections) == len(list(store.endpoints(run.id))) == 5, "a shared host is asked and stored once"
    assert not list(store.pending_targets(run.id))


def test_results_come_in_pieces_of_bounded_size(store):
    work, emitted = job(store, begun(store, 3 * BATCH), World())
    assert trio.run(run_job, work)
    assert sum(emitted.pieces) == len(emitted) == 3 * BATCH
    assert max(emitted.pieces) <= BATCH


def test_what_is_printed_is_stored_before(store):
    run = begun(store, 50)
    late: list[str] = []

    def emit(records) -> None:
        done = {found.facts.target.entry for found in store.domains(run.id)}
        late.extend(record.domain for record in records if record.domain not in done)

    assert trio.run(run_job, job(store, run, World(), emit=emit)[0])
    assert late == []


def test_ctrl_c_while_results_are_written_comes_out_in_no_group(store):
    def pressed(_records) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trio.run(run_job, job(store, begun(store, 20), World(), emit=pressed)[0])


def test_a_resumed_run_does_the_rest_and_asks_nobody_again(store):
    run, world = begun(store, 40), World()
    endpoint_facts: list[EndpointFacts] = []

    def stop(records) -> None:
        endpoint_facts.extend(store.endpoints(run.id))
        raise OutputLostError("enough")

    with pytest.raises(OutputLostError):
        trio.run(run_job, job(store, run, world, emit=stop)[0])
    before, done = len(world.connections), {found.facts.target.entry for found in store.domains(run.id)}
    assert 0 < len(done) < 40
    assert endpoint_facts
    work, emitted = job(store, run, world)
    assert trio.run(run_job, work)
    assert {record.domain for record in emitted}.isdisjoint(done)
    assert len(emitted) == 40 - len(done)
    known = {facts.endpoint.address for facts in endpoint_facts}
    assert known.isdisjoint(world.connections[before:]), "what was stored is recalled"


# --- how it ends early ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_what_is_finished_is_written(store, number):
    run, world = begun(store, 200), World()
    asked = 0

    async def look_up(question: Question) -> Lookup:
        nonlocal asked
        asked += question.rdtype == "MX"
        if asked == 100:
            signal.raise_signal(number)
        if asked >= 100:
            await trio.sleep_forever()
        return await world.look_up(question)

    work, emitted = job(store, run, world, shells=Shells(look_up=look_up, connect=world.connect))
    assert trio.run(run_job, work) is False
    assert 50 < len(emitted) < 100
    assert len(emitted) == len(list(store.domains(run.id)))


def test_blocked_egress_comes_out_bare(store):
    run = begun(store, 2 * ENOUGH)
    with pytest.raises(EgressBlocked, match="port 25 seems blocked"):
        trio.run(run_job, job(store, run, World(2 * ENOUGH, errno.ETIMEDOUT))[0])


def test_dead_servers_that_an_interrupted_run_left_over_are_no_blocked_egress(store):
    """A run ends with the slowest: killed there it would never come to its end."""
    run, targets = begun(store, 2 * ENOUGH), 2 * ENOUGH
    store.save(run.id, [msgspec.structs.replace(stored_samples.result(1), grade="MAY")], [])
    settings = msgspec.structs.replace(SETTINGS, jobs=50)
    work, emitted = job(store, store.run(run.name), World(targets, errno.ETIMEDOUT), settings=settings)
    assert trio.run(run_job, work)
    assert len(emitted) == targets - 1


def test_our_own_trouble_comes_out_bare_and_blames_nobody(store):
    run = begun(store, 10)
    with pytest.raises(LocalTroubleError):
        trio.run(run_job, job(store, run, World(error=errno.EMFILE))[0])
    assert not list(store.endpoints(run.id))


class FullStore:
    """A store whose disk is full."""

    def __init__(self, real: Store) -> None:
        self.pending_targets, self.endpoint = real.pending_targets, real.endpoint

    def save(self, *_: object) -> None:
        raise StoreError("runs.db: the disk is full")


def test_trouble_of_the_store_comes_out_bare_and_nothing_is_printed(store):
    run = begun(store, 50)
    work, emitted = job(FullStore(store), run, World())
    with pytest.raises(StoreError, match="the disk is full"):
        trio.run(run_job, work)
    assert emitted == []


def test_our_own_bug_is_not_swallowed(store):
    def broken(records) -> None:
        raise KeyError("a bug")

    with pytest.raises(BaseExceptionGroup) as told:
        trio.run(run_job, job(store, begun(store, 3), World(), emit=broken)[0])
    assert told.group_contains(KeyError)

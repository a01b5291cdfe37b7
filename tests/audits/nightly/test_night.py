"""The steps of a night over a store: what is compared, remembered, gone on with and pruned."""

import socket
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from audits.diff import Kind
from audits.nightly.config import Calling, Comparing, Keeping, Mailing, Night, NightConfig, Reporting, Security
from audits.nightly.night import (
    RESUMED_WITHIN,
    _goes_on,
    news_of,
    opened_store,
    prune_old,
    remember,
    reports_failed,
    tell,
)
from audits.scan_command import scan
from audits.store import DomainResult, NoSuchRunError, RunStart, StoreError
from tests.audits.nightly.news_factory import loud
from tests.audits.reports.report_factory import few, healthy, judged

BEGAN = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def night(tmp_path):
    config = NightConfig(("d.txt",), store="n.db", keep=Keeping(days=3, runs=2), diff=Comparing("information"))
    return Night(config, tmp_path, scan.make_context("scan", ["example.org"]).params)


def add_run(store, day: int, names, *, finished: bool = True):
    """A run of that day over these servers."""
    given = [*judged(names)]
    begun = BEGAN + timedelta(days=day)
    start = RunStart(started=begun, input_digest="d", options=b"{}", tool_version="1", trust_digest="t")
    run = store.begin_run(start, (domain.facts.target for domain in given))
    pending = {p.target.entry: p.seq for p in store.pending_targets(run.id)}
    for domain in given:
        entry = domain.record.domain
        result = DomainResult(
            pending[entry], domain.facts, domain.record.grade.value, msgspec.json.encode(domain.record)
        )
        store.save(run.id, [result], domain.endpoints)
    return store.finish_run(run.id, begun) if finished else run


def better(name: str):
    return {name: healthy(0)}


def worse(name: str):
    return {name: few()["plain.example"]}


def test_without_a_finished_run_there_is_no_news(night):
    with opened_store(night, writing=True) as store:
        add_run(store, 0, better("a.example"), finished=False)
        with pytest.raises(NoSuchRunError):
            news_of(store, night)


def test_a_record_of_another_version_is_a_sentence(night):
    with opened_store(night, writing=True) as store:
        run = add_run(store, 0, better("a.example"))
        (result,) = store.domains(run.id)
        store.save(run.id, [msgspec.structs.replace(result, judgement=b'{"grade":"BEST"}')])
        with pytest.raises(StoreError, match="this version cannot read the stored record"):
            news_of(store, night)


def test_the_first_night_compares_with_nothing(night):
    with opened_store(night, writing=True) as store:
        add_run(store, 0, better("a.example"))
        news = news_of(store, night)
    assert (news.since, news.changes, news.grades) == ("", (), {"MUST": 1})
    assert news.first_expiry is not None


def test_changes_are_those_since_the_run_that_was_told(night):
    with opened_store(night, writing=True) as store:
        first = add_run(store, 0, better("a.example"))
        remember(store, night, first.name)
        second = add_run(store, 1, worse("a.example"))
        add_run(store, 2, worse("a.example"))
        assert (news_of(store, night).since, news_of(store, night).changed > 0) == (first.name, True)
        remember(store, night, second.name)
        assert (news_of(store, night).since, news_of(store, night).changed) == (second.name, 0)


def test_a_told_run_that_has_gone_is_replaced_by_the_one_before(night):
    with opened_store(night, writing=True) as store:
        add_run(store, 0, better("a.example"))
        last = add_run(store, 1, better("a.example"))
        add_run(store, 2, worse("a.example"))
        remember(store, night, "long ago")
        assert news_of(store, night).since == last.name


def test_only_the_unfinished_run_of_this_night_is_gone_on_with(night):
    where = str(night.path(night.config.store))
    assert not _goes_on(where, BEGAN)
    with opened_store(night, writing=True) as store:
        add_run(store, 0, better("a.example"), finished=False)
    assert _goes_on(where, BEGAN + timedelta(hours=1))
    assert not _goes_on(where, BEGAN + RESUMED_WITHIN)
    with opened_store(night, writing=True) as store:
        add_run(store, 1, better("a.example"))
    assert not _goes_on(where, BEGAN + timedelta(days=1, hours=1))


def test_old_runs_go_and_the_newest_stay(night):
    with opened_store(night, writing=True) as store:
        names = [add_run(store, day, better("a.example")).name for day in range(6)]
        prune_old(store, night, BEGAN + timedelta(days=100))
        assert [run.name for run in store.runs()] == names[-2:]
        keeping_all = msgspec.structs.replace(night, config=msgspec.structs.replace(night.config, keep=Keeping()))
        prune_old(store, keeping_all, BEGAN + timedelta(days=1000))
        assert len(store.runs()) == 2


def test_two_configurations_may_share_a_store(night, tmp_path):
    """What one told is told by that one alone, and neither prunes what the other told last."""
    other = msgspec.structs.replace(night, file=tmp_path / "other.toml")
    with opened_store(night, writing=True) as store:
        remember(store, night, add_run(store, 0, better("a.example")).name)
        remember(store, other, add_run(store, 1, better("b.example")).name)
        prune_old(store, other, BEGAN + timedelta(days=100))
        last = add_run(store, 2, worse("a.example"))
        news = news_of(store, night)
        prune_old(store, other, BEGAN + timedelta(days=100))
        assert [run.name for run in store.runs()][-1] == last.name
        assert len(store.runs()) == 3
    assert {change.kind for change in news.changes} >= {Kind.GRADE_DOWN}


def test_what_could_not_be_told_for_long_is_compared_with_what_was_told(night):
    with opened_store(night, writing=True) as store:
        told = add_run(store, 0, better("a.example"))
        remember(store, night, told.name)
        for day in range(1, 9):
            add_run(store, day, worse("a.example"))
            prune_old(store, night, BEGAN + timedelta(days=day))
        assert news_of(store, night).since == told.name
        assert len(store.runs()) < 7


def test_an_unfinished_run_of_a_clock_that_was_wrong_is_not_gone_on_with(night):
    with opened_store(night, writing=True) as store:
        add_run(store, 9, better("a.example"), finished=False)
    assert not _goes_on(str(night.path(night.config.store)), BEGAN)


def test_a_report_that_cannot_be_written_is_told(night):
    report = Reporting(html="{run}/x.html")
    night = msgspec.structs.replace(night, config=msgspec.structs.replace(night.config, report=report))
    with opened_store(night, writing=True) as store:
        run = add_run(store, 0, better("a.example"))
        (said,) = reports_failed(store, night, run)
    assert said.startswith("cannot write ")


def test_a_report_that_cannot_be_written_keeps_no_other_back_and_has_its_name(night, tmp_path):
    report = Reporting(html="{run}/x.html", jsonl="/dev/full", csv="r.csv")
    night = msgspec.structs.replace(night, config=msgspec.structs.replace(night.config, report=report))
    with opened_store(night, writing=True) as store:
        first, second = reports_failed(store, night, add_run(store, 0, better("a.example")))
    assert first.startswith("cannot write ")
    assert second.startswith("/dev/full: the results cannot be written: No space left on device")
    assert (tmp_path / "r.csv").exists()


@pytest.mark.parametrize("said", [b"HTTP/1.1 100 Continue\r\n\r\n", b"220-mail.example ESMTP\r\n"])
def test_a_server_that_speaks_without_end_keeps_no_night_from_its_end(night, tmp_path, said):
    """The time limit of a socket is one of silence."""

    def serve():
        with closing(listener.accept()[0]) as connection, suppress(OSError):
            while True:
                connection.sendall(said)
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        telling = (
            {"mail": Mailing("127.0.0.1", ("x@y.z",), "a@b.c", port, Security.NONE)}
            if said.startswith(b"220")
            else {"webhook": Calling(f"http://127.0.0.1:{port}/")}
        )
        night = msgspec.structs.replace(night, config=msgspec.structs.replace(night.config, **telling))
        thread = threading.Thread(target=serve)
        thread.start()
        (failed,) = tell(night, loud(), limit_s=0.3)
        thread.join()
    assert "not done within 0.3 s" in failed


def test_all_reports_are_written(night, tmp_path):
    report = Reporting(html="{run}.html", csv="r.csv", markdown="r.md", metrics="r.prom", jsonl="{run}.jsonl")
    night = msgspec.structs.replace(night, config=msgspec.structs.replace(night.config, report=report))
    with opened_store(night, writing=True) as store:
        run = add_run(store, 0, better("a.example"))
        assert reports_failed(store, night, run) == []
        assert tell(night, news_of(store, night)) == []
    names = {file.name for file in tmp_path.iterdir() if not file.name.startswith("n.db")}
    assert names == {f"{run.name}.html", f"{run.name}.jsonl", "r.csv", "r.md", "r.prom"}

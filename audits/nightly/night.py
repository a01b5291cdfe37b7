"""One night: scan, compare, report, tell, prune. What was not told is told the next time.

The store remembers for each configuration which run it told last; changes are those since that run. So a night that is
killed between the scan and the mail, or whose mail server is down, loses no news: the next night compares with what was
told.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from audits.baseline_options import Chosen, chosen
from audits.diff import Severity
from audits.nightly.config import Night
from audits.nightly.mail import send_mail
from audits.nightly.metrics import write_metrics
from audits.nightly.news import News, TellError, worst
from audits.nightly.webhook import call
from audits.output import Tally
from audits.records import DomainRecord
from audits.run_changes import RunView, changes, chosen_runs, record_of, with_between
from audits.store import NoSuchRunError, RunInfo, RunStatus, Store, StoreError
from audits.store_prune import TOLD
from audits.store_prune import chosen as chosen_to_prune
from scanner.domain_name import printable

RESUMED_WITHIN = timedelta(hours=20)
"""An older unfinished run is not gone on with: its facts are of another night."""
TELLING_S = 300
"""Mail and webhook have so long each, whatever their servers do."""


class NightOver(Exception):
    """The scan ended early or failed; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def scanned(night: Night, now: datetime) -> int:
    """Scans; gives the exit code of the scan, 0, 1 or 3. `NightOver` where it did not come to its end."""
    from audits.scan import run_scan_command
    from audits.scan_command import scan_settings

    config = night.config
    store = config.store if "://" in config.store else str(night.path(config.store))
    options: dict[str, Any] = night.scan | {
        "store": store,
        "form": "jsonl",
        "output": Path(os.devnull),
        "quiet": False,
        "verbose": 0,
        "resume": _goes_on(store, now),
        "resume_since": now - RESUMED_WITHIN,
        "log_file": night.path(config.log) if config.log else Path(os.devnull),
        "log_json": config.log_json,
    }
    try:
        code = run_scan_command(scan_settings(options), options)
    except SystemExit as ended:
        raise NightOver(int(ended.code or 0)) from None
    return code


def _goes_on(store: str, now: datetime) -> bool:
    """Whether the newest run of the store was begun this night and not finished."""
    if "://" not in store and not Path(store).exists():
        return False
    try:
        with Store.open(store) as opened:
            known = opened.runs()
    except StoreError:  # killed before its first run, or broken: the scan makes it whole or says what is wrong
        return False
    return bool(known) and known[-1].status is RunStatus.UNFINISHED and abs(now - known[-1].started) < RESUMED_WITHIN


def opened_store(night: Night, *, writing: bool = False) -> Store:
    """The store of the configuration."""
    where = night.config.store
    return Store.open(where if "://" in where else night.path(where), writing=writing)


def news_of(store: Store, night: Night) -> News:
    """What is to be told of the newest finished run."""
    old, new = _compared(store, night)
    least = Severity(night.config.diff.severity)
    found = changes(store, old, new, night.config.diff.window) if old else iter(())
    kept, counts = worst(change for change in found if change.severity.rank >= least.rank)
    judging = chosen(night.scan)
    tally, verdicts, expiry = _counted(store, new.run, judging)
    expired = judging.waivers.expired(new.run.started.date())
    return News(
        run=new.run.name,
        started=new.run.started,
        finished=new.run.finished,
        since=old.run.name if old else "",
        changes=kept,
        counts=counts,
        gate=dict(list(tally.not_passed.items())[:200]),
        gate_missed=max(len(tally.not_passed), tally.missed),
        expired=tuple(f"{w.rule} for {w.subject} ({w.owner}, {w.expires})" for w in expired),
        grades={grade.value: count for grade, count in tally.grades.items()},
        baselines={id: dict(counts) for id, counts in verdicts.items()},
        first_expiry=expiry,
    )


def _compared(store: Store, night: Night) -> tuple[RunView | None, RunView]:
    """The run that was told last, or the one before the newest; None on the first night."""
    window = night.config.diff.window
    told = store.remembered(told_key(night))
    names = {run.name for run in store.runs() if run.status is RunStatus.FINISHED}
    newest, _ = chosen_runs(store, "latest", "latest", window)
    for older in ([told] if told in names and told != newest.run.name else []) + ["previous"]:
        try:
            old, new = chosen_runs(store, older, "latest", window)
            return old, with_between(store, old, new)
        except NoSuchRunError:
            continue
    return None, newest


def _counted(store: Store, run: RunInfo, judging: Chosen) -> tuple[Tally, dict[str, Counter[str]], datetime | None]:
    """Grades, gate, verdicts of baselines, and the next certificate that expires."""
    tally = Tally(judging.gate)
    verdicts: dict[str, Counter[str]] = {}
    first: datetime | None = None
    for record in _records(store, run):
        tally.take([record])
        for verdict in record.baselines:
            verdicts.setdefault(verdict.baseline, Counter())[verdict.verdict.value] += 1
        for endpoint in record.endpoints:
            end = endpoint.leaf.not_after if endpoint.leaf else None
            if end and end > run.started and (first is None or end < first):
                first = end
    return tally, verdicts, first


def _records(store: Store, run: RunInfo) -> Iterator[DomainRecord]:
    return (record_of(run, result) for result in store.domains(run.id))


def reports_failed(store: Store, night: Night, run: RunInfo) -> list[str]:
    """Writes the files of `[report]`, each whole or not at all; "{run}" in their names is the run's.

    Gives what failed: a full disk keeps neither the other reports nor the news from those who wait for them.
    """
    from audits.output import OutputError, OutputLostError, opened_output

    report, failed = night.config.report, []
    writers = (report.html, _html), (report.jsonl, _jsonl), (report.csv, _csv), (report.markdown, _markdown)
    for name, write in writers:
        file = night.path(name, run.name)
        try:
            if name:
                with opened_output(file) as stream:
                    write(stream, store, run, chosen(night.scan))
        except OutputError as error:  # which names the file
            failed.append(printable(str(error), 1000))
        except (OutputLostError, OSError) as error:
            failed.append(printable(f"{file}: {getattr(error, 'strerror', None) or error}", 1000))
    return failed


def _html(stream: TextIO, store: Store, run: RunInfo, judging: Chosen) -> None:
    from audits.reports.html import Head, write_html
    from audits.reports.judged import judged_domains

    head = Head(run.name, run.started, run.finished, run.tool_version, run.trust_digest, judging.baselines)
    write_html(stream, head, judged_domains(store, run.id))


def _jsonl(stream: TextIO, store: Store, run: RunInfo, _judging: Chosen) -> None:
    from audits.output import jsonl_writer

    write = jsonl_writer(stream)
    for record in _records(store, run):
        write([record])


def _csv(stream: TextIO, store: Store, run: RunInfo, judging: Chosen) -> None:
    from audits.reports.csv_report import write_csv
    from audits.reports.judged import judged_domains

    write_csv(stream, judging.baselines, judged_domains(store, run.id))


def _markdown(stream: TextIO, store: Store, run: RunInfo, _judging: Chosen) -> None:
    from audits.reports.judged import judged_domains
    from audits.reports.markdown import write_markdown

    write_markdown(stream, run.name, judged_domains(store, run.id))


def tell(night: Night, news: News, limit_s: float = TELLING_S) -> list[str]:
    """Writes the metrics, sends mail and webhook where there is a reason; gives what failed, one line each."""
    config = night.config
    failed = []
    if config.report.metrics:
        failed += _tried(lambda: write_metrics(news, night.path(config.report.metrics, news.run)), "metrics", limit_s)
    if (mail := config.mail) and news.reasons(mail.on):
        failed += _tried(lambda: send_mail(news, mail, night), "mail", limit_s)
    if (webhook := config.webhook) and news.reasons(webhook.on):
        failed += _tried(lambda: call(news, webhook, night), "webhook", limit_s)
    return failed


def _tried(act: Callable[[], None], what: str, limit_s: float) -> list[str]:
    try:
        with _ending_within(limit_s):
            act()
    except TellError as error:
        return [printable(str(error), 1000)]
    except TimeoutError as error:
        return [f"{what}: {error}"]
    return []


@contextmanager
def _ending_within(limit_s: float) -> Iterator[None]:
    """Ends what waits for a server by a `TimeoutError`, as its socket would; each second anew, where that is caught.

    The time limit of a socket is one of silence: a server that sends a byte now and then would be heard for ever.
    """

    def over(*_: object) -> None:
        raise TimeoutError(f"not done within {limit_s:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, limit_s, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def told_key(night: Night) -> str:
    """Under which the store remembers what was told last: several configurations may share it."""
    return f"{TOLD} {night.file}"


def remember(store: Store, night: Night, run: str) -> None:
    """From now on changes are those since this run."""
    store.remember(told_key(night), run)


def prune_old(store: Store, night: Night, now: datetime) -> None:
    """Removes what is older than `[keep]` says; the newest runs stay, and those that were told last."""
    keep = night.config.keep
    if keep.days:
        told = store.all_remembered(TOLD).values()
        choice = chosen_to_prune(store.runs(), now - timedelta(days=keep.days), keep.runs, unfinished=True, told=told)
        store.prune([run.id for run in choice.doomed])


def now() -> datetime:
    """The clock of the night."""
    return datetime.now(UTC)

"""What `tlsaudit scan` does: reads the input, opens the store, runs the job, prints; the exit code says how it went."""

import math
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import Any, TextIO

import click
import msgspec
import trio
from rich.console import Console

from audits import DISTRIBUTION
from audits.amortised import earlier_facts
from audits.baseline_options import Chosen, chosen, evaluator_of, gate_lines
from audits.cli import EXIT_GATE, EXIT_INCONCLUSIVE, EXIT_INTERRUPTED, CommandFailed
from audits.judge import Judge
from audits.nagios import Outcome, nagios_line, status_of
from audits.output import OutputError, OutputLostError, Tally, csv_writer, jsonl_writer, opened_output
from audits.policy_options import canaries
from audits.records import DomainRecord
from audits.run_log import Say, opened_log
from audits.scan_input import InputError, ScanInput, read_exclusions
from audits.scan_run import Job, run_job
from audits.self_check import default_ehlo, ehlo_warning, has_ipv6_route
from audits.session_log import SessionLog
from audits.store import RunInfo, RunStart, Store, StoreError, input_digest
from audits.tables import domains, print_table, summary
from audits.trust import TrustStore, TrustStoreError, load_trust_store
from scanner.dns_lookup import Resolver, ResolverError, ValidationCheck, system_resolvers, trusted_for_dnssec
from scanner.egress import EgressBlocked
from scanner.endpoint_probe import Shells
from scanner.facts import BadLine, Level, Target
from scanner.failures import LocalTroubleError
from scanner.settings import ScanSettings
from scanner.tcp import Connector, connect_tcp

SHOWN_BAD_LINES = 1000
"""Bad lines printed; of more only the number, so that a binary file does not flood the terminal."""
_DESCRIPTORS_BESIDE = 600
"""Descriptors besides the connections: queries in flight, the store, the program itself."""


class ScanJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for, checked and completed, with everything opened that it needs."""

    settings: ScanSettings
    options: dict[str, Any]
    trust: TrustStore
    doors: Shells
    store: Store
    given: ScanInput
    stream: TextIO
    chosen: Chosen
    say: Say


def run_scan_command(settings: ScanSettings, options: dict[str, Any], connect: Connector = connect_tcp) -> int:
    """The command; gives the exit code. Only the demo connects in another way than real life."""
    judging = chosen(options)
    try:
        trust = load_trust_store(options["cafile"], options["capath"], system=not options["no_system_trust"])
        settings = _completed(settings, options)
        with (
            opened_log(options["log_file"], as_json=options["log_json"]) as say,
            ScanInput(options["inputs"], lambda: sys.stdin.buffer) as given,
            Store.open(options["store"], writing=True) as store,
            opened_output(options["output"]) as stream,
        ):
            code = _scan(
                ScanJob(
                    settings=settings,
                    options=options,
                    trust=trust,
                    doors=_shells(settings, options, connect, say),
                    store=store,
                    given=given,
                    stream=stream,
                    chosen=judging,
                    say=say,
                )
            )
            if code == EXIT_INTERRUPTED:
                raise SystemExit(code)  # and so an --output file, which is not whole, does not appear
            return code
    except (InputError, OutputError, TrustStoreError, ResolverError) as error:
        raise click.UsageError(str(error)) from None
    except (StoreError, EgressBlocked, LocalTroubleError, OutputLostError) as error:
        raise CommandFailed(str(error)) from None


def _scan(asked: ScanJob) -> int:
    options, store = asked.options, asked.store
    run = _run_of_input(asked)
    quiet = options["quiet"]
    if not quiet:
        _say_opening(asked, run)
    tally = Tally(asked.chosen.gate)
    emit = _emitter(options["form"], asked.stream, tally)
    for records in _stored(store, run):
        emit(records)
    required = Level(options["require"].upper()) if options["require"] else None
    job = Job(
        store=store,
        run=run,
        judge=Judge(asked.trust, options["verify_depth"], required, evaluator_of(asked.chosen)),
        emit=emit,
        settings=asked.settings,
        shells=asked.doors,
        quiet=quiet or options["verbose"] > 0 or options["log_file"] is not None,
        max_runtime_s=options["max_runtime"] or math.inf,
        earlier=earlier_facts(store, run, options["full_every"]),
    )
    started = time.monotonic()
    complete = trio.run(run_job, job)
    if complete:
        store.finish_run(run.id, datetime.now(UTC))
    if options["form"] == "table":
        console = Console(file=asked.stream, width=None if asked.stream.isatty() else 140)
        print_table(console, (record for records in _stored(store, run) for record in records))
    expired = asked.chosen.waivers.expired(run.started.date())
    for line in gate_lines(tally.not_passed, expired):
        asked.say(line)
    if not quiet:
        asked.say(summary(tally.grades, run.targets, time.monotonic() - started))
        if not complete:
            asked.say("stopped early, by a signal or --max-runtime; what is done is stored: go on with --resume")
    if options["form"] == "nagios":
        outcome = Outcome(len(expired), complete, options["max_inconclusive"])
        print(nagios_line(tally, outcome), file=asked.stream)
        return status_of(tally, outcome) if complete else EXIT_INTERRUPTED
    tally.missed += len(expired)
    return _exit_code(tally, complete, options["max_inconclusive"])


def _say_opening(asked: ScanJob, run: RunInfo) -> None:
    """What is about to happen, and what about this machine may spoil it."""
    resumed = f", {run.done} of them done before" if run.done else ""
    asked.say(f"run {run.name}: {domains(run.targets)}{resumed}; EHLO {asked.settings.ehlo}")
    if asked.doors.connect is connect_tcp and (warning := ehlo_warning(asked.settings.ehlo)):
        asked.say(f"warning: {warning}")


def _run_of_input(asked: ScanJob) -> RunInfo:
    """A new run of this input, or with --resume the newest unfinished one of the same input and options.

    Not one that trusted other CAs: the verdicts of one run would then rest on two.
    """
    options = _fact_options(asked)
    digest = _checked_digest(asked, options)
    if asked.options["resume"]:
        unfinished = asked.store.resume_run(digest, asked.options.get("resume_since"))
        if unfinished is not None and unfinished.trust_digest == asked.trust.digest:
            return unfinished
        what = "of this input and these options" if unfinished is None else "that trusted the same CAs"
        asked.say(f"no unfinished run {what}: beginning a new one")
    start = RunStart(
        started=datetime.now(UTC),
        input_digest=digest,
        options=_with_circumstances(options, asked.settings),
        tool_version=version(DISTRIBUTION),
        trust_digest=asked.trust.digest,
    )
    return asked.store.begin_run(start, asked.given.targets())


def _with_circumstances(options: bytes, settings: ScanSettings) -> bytes:
    """The options with what an auditor asks for later: who was asked, by which name. They do not tell runs apart."""
    return msgspec.json.encode({**msgspec.json.decode(options), "resolvers": settings.resolvers, "ehlo": settings.ehlo})


def _checked_digest(asked: ScanJob, options: bytes) -> str:
    """The digest of the input. Every bad line is shown; without --skip-bad the first reading ends here (exit 2)."""
    bad = good = 0

    def read() -> Iterator[Target]:
        nonlocal bad, good
        for line in asked.given.lines():
            if isinstance(line, BadLine):
                bad += 1
                if bad <= SHOWN_BAD_LINES:
                    asked.say(f"{line.source}, line {line.number}: {line.text}: {line.why}")
                continue
            good += 1
            yield line

    digest = input_digest(read(), options)
    if bad and not asked.options["skip_bad"]:
        lines = "1 bad line" if bad == 1 else f"{bad} bad lines"
        raise click.UsageError(f"{lines}; nothing was scanned. Mend what is wrong, or leave it out with --skip-bad")
    if not good:
        raise click.UsageError("the input names no domain")
    return digest


def _fact_options(asked: ScanJob) -> bytes:
    """The options that change what is seen or judged, as the JSON by which a run is known again."""
    settings, options = asked.settings, asked.options
    facts = {
        name: getattr(settings, name)
        for name in (
            "ports",
            "depth",
            "injection",
            "vulnerabilities",
            "envelope",
            "allow_private",
            "ipv4",
            "ipv6",
            "published",
        )
    }
    judged = {name: options[name] for name in ("verify_depth", "require")}
    if asked.chosen.digest:
        judged["baselines"] = asked.chosen.digest
    return msgspec.json.encode({**facts, **judged})


def _stored(store: Store, run: RunInfo) -> Iterator[list[DomainRecord]]:
    """The records that the run has, in pages."""
    results = store.domains(run.id)
    while page := [msgspec.json.decode(found.judgement, type=DomainRecord) for found in islice(results, 500)]:
        yield page


def _emitter(form: str, stream: TextIO, tally: Tally) -> Callable[[Sequence[DomainRecord]], None]:
    writers = {"jsonl": jsonl_writer, "csv": csv_writer}
    write = writers[form](stream) if form in writers else None

    def emit(records: Sequence[DomainRecord]) -> None:
        tally.take(records)
        if write:
            write(records)

    return emit


def _exit_code(tally: Tally, complete: bool, max_inconclusive: float) -> int:
    if not complete:
        return EXIT_INTERRUPTED
    if tally.missed or tally.not_passed:
        return EXIT_GATE
    return EXIT_INCONCLUSIVE if tally.open_share * 100 > max_inconclusive else 0


def _completed(settings: ScanSettings, options: dict[str, Any]) -> ScanSettings:
    """The settings with what this machine adds: its name, its resolvers, its routes, its limits."""
    names, networks = read_exclusions(options["exclude"])
    return msgspec.structs.replace(
        settings,
        ehlo=settings.ehlo or default_ehlo(),
        resolvers=settings.resolvers or system_resolvers(),
        ipv6_route=has_ipv6_route(),
        jobs=_affordable_jobs(settings.jobs),
        excluded_names=names,
        excluded_networks=networks,
    )


def _affordable_jobs(jobs: int) -> int:
    """As many jobs as the limit on open files allows, after raising it as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = jobs + _DESCRIPTORS_BESIDE
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(jobs, soft - _DESCRIPTORS_BESIDE))


def _shells(settings: ScanSettings, options: dict[str, Any], connect: Connector, say: Say) -> Shells:
    log = SessionLog(min(options["verbose"], 4), say)
    trust = trusted_for_dnssec(
        settings.resolvers if settings.published else (),
        named=options["trust_ad"],
        canaries=canaries(options["dnssec_canary"]),
    )
    note = _silence if options["quiet"] or connect is not connect_tcp else partial(_say_check, say)
    resolver = Resolver(settings.resolvers, trust, note)
    return Shells(look_up=resolver.look_up, connect=connect, observe=log.observe, tap=log.tap)


def _silence(_check: ValidationCheck) -> None:
    return


def _say_check(say: Say, check: ValidationCheck) -> None:
    if not check.validates:
        say(f"resolver {check.resolver} does not validate ({check.why}): DNSSEC and DANE stay indeterminate")

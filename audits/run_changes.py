"""What changed between two runs of a store: a stream of changes that keeps a page of domains in memory.

Most domains are the same from night to night. They are told apart by their hashes and not read, but for two things that
come by the calendar alone: dates that draw near, and silences that last. Both show in the text of a judgement.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain, islice, takewhile

import msgspec

from audits.diff import WINDOW, CertificateOf, Change, Kind, Look, Severity, view_changes, view_of
from audits.diff.certificates import DAYS_NEAR
from audits.diff.policy import SIGNATURE_DAYS_NEAR
from audits.diff.view import advanced
from audits.records import DomainRecord
from audits.store import DomainResult, Hashes, NoSuchRunError, Pair, RunInfo, RunStatus, Store, StoreError

LATEST, PREVIOUS = "latest", "previous"
_ALIKE = 2
"""Runs are alike when the longer list shares at least one in so many of its targets with the other."""
_BETWEEN = 30
"""Runs between two that are compared, of which the answers count: a month in which nobody could be told."""
_READ = 100
"""Domains read at once where many changed: a record with its facts takes some 40 kB."""
_CERTIFICATES = 4096
"""Certificates remembered: thousands of domains share those of one provider."""

_DATES = re.compile(rb'"(?:not_after|at)":"([^"]+)"')
_SILENT = re.compile(rb'"state":"(?:unreachable|refused)"|"route":"unresolved"')
_decoder = msgspec.json.Decoder(DomainRecord)


class RunView(msgspec.Struct, frozen=True):
    """A run to compare, with the earlier ones that settle what it left open, newest first."""

    run: RunInfo
    before: tuple[RunInfo, ...] = ()


def chosen_runs(store: Store, older: str, newer: str, window: int = WINDOW) -> tuple[RunView, RunView]:
    """The two runs by their names; "latest" is the newest finished one, "previous" the one before it that is alike.

    Runs of other lists in the same store, of a single domain say, are stepped over. `NoSuchRunError` says what to do.
    """
    known = store.runs()
    new = _latest(known) if newer == LATEST else store.run(newer)
    if older == PREVIOUS:
        old = next(_alike_before(store, known, new), None)
        if old is None:
            raise NoSuchRunError(f"no finished run before {new.name} has a list like it: name the run to compare with")
    else:
        old = _latest(known) if older == LATEST else store.run(older)
    earlier = _alike_before(store, known, old)
    return RunView(old, tuple(run for run, _ in zip(earlier, range(window - 1), strict=False))), RunView(new)


def _latest(known: Sequence[RunInfo]) -> RunInfo:
    finished = [run for run in known if run.status is RunStatus.FINISHED]
    if not finished:
        raise NoSuchRunError("the store holds no finished run yet: `tlsaudit scan` makes one")
    return finished[-1]


def _alike_before(store: Store, known: Sequence[RunInfo], run: RunInfo) -> Iterator[RunInfo]:
    """The finished runs before this one that have a list like its own, newest first."""
    for other in reversed(known):
        if other.id >= run.id or other.status is not RunStatus.FINISHED:
            continue
        longer = max(other.targets, run.targets)
        if other.input_digest == run.input_digest or _ALIKE * min(other.targets, run.targets) >= longer:
            same = other.input_digest == run.input_digest
            if same or _ALIKE * store.shared_targets(other.id, run.id) >= longer:
                yield other


def with_between(store: Store, old: RunView, new: RunView) -> RunView:
    """The newer run with the alike ones since the older: what these saw and the newer did not is then told, too."""
    earlier = _alike_before(store, store.runs(), new.run)
    return RunView(new.run, tuple(islice(takewhile(lambda run: run.id > old.run.id, earlier), _BETWEEN)))


def changes(store: Store, old: RunView, new: RunView, window: int = WINDOW) -> Iterator[Change]:
    """All that changed, in the order of the newer list, domains that left it last.

    A run beside itself gives nothing. Of a domain that one of the two does not list, only that is told. Runs before the
    newer one settle what it left open, as those before the older one do there.
    """
    runs = (new.run, *new.before, old.run, *old.before)
    certificate_of = _certificates(store)
    for page in store.pairs(old.run.id, new.run.id):
        wanted = _to_be_read(store, page, old, new)
        looks = chain.from_iterable(_looks(store, runs, part) for part in _parts(wanted))
        changed = set(wanted)
        for pair in page:
            if not pair.known:
                yield _listed(Kind.DOMAIN_NEW, pair.entry, old.run)
            elif pair.entry in changed:
                yield from _domain_changes(next(looks), old, certificate_of, window)
    for entry in store.missing(old.run.id, new.run.id):
        yield _listed(Kind.DOMAIN_GONE, entry, old.run)


def _domain_changes(
    looks: Sequence[Look], old: RunView, certificate_of: CertificateOf, window: int
) -> Iterator[Change]:
    """From the looks at a domain, newest first: those behind the older run's are the change."""
    newer = next(n for n, look in enumerate(looks) if n and look.run == old.run.name)
    before = after = view_of(looks[: newer - 1 : -1], window)
    for look in looks[newer - 1 :: -1]:
        after = advanced(after, look, window)
    yield from view_changes(looks[0].record.domain, before, after, certificate_of, window)


def circumstances(old: RunInfo, new: RunInfo) -> tuple[str, ...]:
    """What was different on our side, so that a change need not be one of the domains: options, trust, program."""
    before, now = (msgspec.json.decode(run.options, type=dict[str, object]) for run in (old, new))
    differing = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return (
        *(f"option {name}: {before.get(name)} -> {now.get(name)}" for name in differing),
        *(("other trusted CAs",) if old.trust_digest != new.trust_digest else ()),
        *((f"tlsaudit {old.tool_version} -> {new.tool_version}",) if old.tool_version != new.tool_version else ()),
    )


def _listed(kind: Kind, entry: str, old: RunInfo) -> Change:
    return Change(domain=entry, kind=kind, severity=Severity.INFORMATION, since=old.name)


def _to_be_read(store: Store, page: Sequence[Pair], old: RunView, new: RunView) -> list[str]:
    """The entries of which something may have changed."""
    near = _near(old.run.started, new.run.started)
    silent = [pair for pair in page if pair.known and pair.same and _SILENT.search(pair.judgement)]
    unequal: set[str] = set()
    same = [pair for pair in page if pair.known and pair.same]
    for run, pairs in (*((run, silent) for run in old.before), *((run, same) for run in new.before)):
        hashes = store.hashes_of(run.id, [pair.entry for pair in pairs]) if pairs else {}
        unequal |= {pair.entry for pair in pairs if hashes.get(pair.entry, pair.hashes) != pair.hashes}
    return [
        pair.entry
        for pair in page
        if pair.known and (not pair.same or pair.entry in unequal or _comes_near(pair.judgement, near))
    ]


Spans = tuple[tuple[bytes, bytes], ...]


def _near(before: datetime, now: datetime) -> Spans:
    """The spans of time in which something that ends came near between the two runs, as JSON writes them."""
    days = {*DAYS_NEAR, *SIGNATURE_DAYS_NEAR}
    second = timedelta(seconds=1)
    spans = ((before + timedelta(days=d) - second, now + timedelta(days=d) + second) for d in sorted(days))
    return tuple((f"{first:%Y-%m-%dT%H:%M:%S}".encode(), f"{last:%Y-%m-%dT%H:%M:%S}".encode()) for first, last in spans)


def _comes_near(judgement: bytes, near: Spans) -> bool:
    return any(first <= date <= last for date in set(_DATES.findall(judgement)) for first, last in near)


def _parts(wanted: Sequence[str]) -> Iterator[Sequence[str]]:
    return (wanted[at : at + _READ] for at in range(0, len(wanted), _READ))


def _looks(store: Store, runs: Sequence[RunInfo], entries: Sequence[str]) -> list[list[Look]]:
    """The looks at each of these entries in these runs, in their order; a run that has none is stepped over.

    Where a run has the same facts and judgement as the one before it here, these are not read again: what differs then
    are times, of which only the newest count.
    """
    found: dict[str, list[Look]] = {entry: [] for entry in entries}
    known: dict[str, Hashes] = {}
    for run in runs:
        hashes = store.hashes_of(run.id, entries)
        fresh = [entry for entry, here in hashes.items() if known.get(entry) != here]
        read = store.domains_of(run.id, fresh) if fresh else {}
        for entry in hashes:
            if entry in read:
                found[entry].append(look(run, read[entry]))
            else:
                found[entry].append(msgspec.structs.replace(found[entry][-1], run=run.name, at=run.started))
        known.update(hashes)
    return list(found.values())


def look(run: RunInfo, result: DomainResult) -> Look:
    """The stored result of a domain as the diff reads it."""
    return Look(run.name, run.started, record_of(run, result), result.facts)


def record_of(run: RunInfo, result: DomainResult) -> DomainRecord:
    """The stored record of a domain; `StoreError` where another version wrote it otherwise."""
    try:
        return _decoder.decode(result.judgement)
    except msgspec.DecodeError as error:
        where = f"run {run.name}, {result.facts.target.entry}"
        raise StoreError(
            f"{where}: this version cannot read the stored record: use the one that wrote it, or newer runs ({error})"
        ) from None


def _certificates(store: Store) -> CertificateOf:
    @lru_cache(_CERTIFICATES)
    def certificate_of(sha256: str) -> object:
        return store.certificates([sha256]).get(sha256)

    return certificate_of  # type: ignore[return-value]

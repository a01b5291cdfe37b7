"""What a reader must know of the runs that an answer rests on: old ones, unfinished ones, other trust anchors."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from audits.store_runs import RunInfo, RunStatus

OLD = timedelta(days=7)
"""Behind so many days it is said how old a run is: half of all certificates are renewed within six weeks."""


def run_notes(run: RunInfo, now: datetime) -> Iterator[str]:
    """Sentences, none for a whole run of these days."""
    if run.status is not RunStatus.FINISHED:
        yield f"run {run.name} is not finished: {run.done} of {run.targets} domains are in it"
    age = now - run.started
    if age > OLD:
        yield f"run {run.name} is {age.days} days old: servers and certificates may have changed since; scan again"


def trust_notes(runs: Iterable[RunInfo], here: str) -> Iterator[str]:
    """A sentence where runs trusted other CAs than this machine does; `here` is the digest of these ("": unknown)."""
    names = [run.name for run in runs if here and run.trust_digest not in ("", here)]
    if names:
        which = f"run{'s' if len(names) > 1 else ''} {', '.join(names[:5])}{' and others' if len(names) > 5 else ''}"
        yield f"{which} trusted other CAs than this system does (--cafile?): what is verified here needs them, too"

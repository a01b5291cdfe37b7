"""What a reader must know of the run that an answer rests on: that it is old, or does not have all of its domains."""

from collections.abc import Iterator
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

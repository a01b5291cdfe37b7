"""The amortised night: which servers need not be asked in full tonight, because an earlier run did.

Each endpoint has its own night out of every `nights`, by its name, so that the full looks are spread evenly from the
first night on. Facts that are older than that are not taken over either.
"""

import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from audits.store import RunInfo, RunStatus, Store
from scanner.facts import Endpoint, EndpointFacts

_SAME = ("depth", "injection", "vulnerabilities")
"""Options of a run that decide what is asked in full."""
_LATE = timedelta(hours=12)
"""A night may begin so much later than the one before it."""

Earlier = Callable[[Endpoint], EndpointFacts | None]


def earlier_facts(store: Store, run: RunInfo, nights: int) -> Earlier:
    """What the newest finished run with the same questions saw; None for an endpoint whose full night it is."""
    before = _before(store, run) if nights > 1 else None
    if before is None:
        return lambda _endpoint: None
    earlier = before.id
    oldest = run.started - timedelta(days=nights) - _LATE

    def facts_of(endpoint: Endpoint) -> EndpointFacts | None:
        if is_full_night(endpoint, run.started.toordinal(), nights):
            return None
        facts = store.endpoint(earlier, endpoint)
        if facts is None or (facts.tls_seen_at or facts.seen_at) < oldest:
            return None
        return facts

    return facts_of


def is_full_night(endpoint: Endpoint, day: int, nights: int) -> bool:
    """Whether it is this endpoint's turn on that day (a number of `date.toordinal`)."""
    return (zlib.crc32(endpoint.key.encode()) + day) % nights == 0


def _before(store: Store, run: RunInfo) -> RunInfo | None:
    """The newest finished run that asked the same."""
    wanted = _asked(run)
    finished = (known for known in reversed(store.runs()) if known.id < run.id and known.status is RunStatus.FINISHED)
    return next((known for known in finished if _asked(known) == wanted), None)


def _asked(run: RunInfo) -> tuple[Any, ...]:
    """Another version of this program asks other questions, or understands the answers otherwise."""
    options = msgspec.json.decode(run.options)
    return run.tool_version, *(options.get(name) for name in _SAME)

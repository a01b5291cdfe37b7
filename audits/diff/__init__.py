"""What changed for a domain between two runs: pure, from judged records and the facts beside them.

`domain_changes` is the whole of it. `history` holds the looks before tonight's, oldest first: the run to compare with
is the last of them, those before it (WINDOW - 1 at the most) settle what that run left open.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from audits.diff.certificates import CertificateOf, certificate_changes, expiry_changes
from audits.diff.change import SENTENCES, Change, Kind, Severity
from audits.diff.compare import grade_changes, hearing_changes, host_changes, server_changes
from audits.diff.policy import policy_changes
from audits.diff.settled import WINDOW, Look, View
from audits.diff.view import advanced, view_of

__all__ = [
    "SENTENCES",
    "WINDOW",
    "CertificateOf",
    "Change",
    "Kind",
    "Look",
    "Severity",
    "View",
    "domain_changes",
    "view_changes",
    "view_of",
]

_PLACES_SHOWN = 3


def domain_changes(
    history: Sequence[Look], now: Look, certificate_of: CertificateOf, window: int = WINDOW
) -> tuple[Change, ...]:
    """What changed for one domain from the earlier looks to this one, worst first; empty without an earlier look.

    `certificate_of` gives what is known of a certificate, for its key; it is asked where one changed.
    """
    before = view_of(history, window)
    return view_changes(now.record.domain, before, advanced(before, now, window), certificate_of, window)


def view_changes(
    domain: str, before: View, after: View, certificate_of: CertificateOf, window: int = WINDOW
) -> tuple[Change, ...]:
    """What differs between two settled views of a domain, worst first; a fact that holds at many places, once."""
    found = chain(
        grade_changes(domain, before, after),
        host_changes(domain, before, after),
        hearing_changes(domain, before, after, window),
        server_changes(domain, before, after),
        certificate_changes(domain, before, after, certificate_of),
        expiry_changes(domain, before, after),
        policy_changes(domain, before, after),
    )
    return tuple(sorted(_merged(found), key=lambda change: -change.severity.rank))


def _merged(changes: Iterable[Change]) -> Iterator[Change]:
    """One change for what is the same at several places."""
    places: dict[Change, list[str]] = {}
    for change in changes:
        places.setdefault(msgspec.structs.replace(change, where=""), []).append(change.where)
    for change, where in places.items():
        named = list(dict.fromkeys(filter(None, where)))
        more = f" +{len(named) - _PLACES_SHOWN}" if len(named) > _PLACES_SHOWN else ""
        yield msgspec.structs.replace(change, where=", ".join(named[:_PLACES_SHOWN]) + more)

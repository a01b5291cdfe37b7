"""Resumption of sessions: whether it works, and for how long."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from audits.established.tls_resumption import Resumption
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact


class LongestLife(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The longest life of a session, in seconds."""

    max_s: Annotated[int, msgspec.Meta(ge=1)]


@rule("SESSION-001", "Session tickets live no longer than allowed")
def ticket_life(seen: Resumption, wants: LongestLife) -> Iterable[Item]:
    """Whether the lifetime that the server gives its tickets stays within the limit.

    Why it matters: whoever gets the key of the tickets reads every session that they can resume. Only the hint of the
    server is seen from outside; how often it changes the key needs evidence from its owner.

    How to mend it: smtpd_tls_session_cache_timeout = 3600s (the default of Postfix; it also bounds the tickets).
    """
    for one in seen.ways:
        if one.issued is Fact.YES and one.lifetime_hint_s is not None:
            yield met(one.lifetime_hint_s <= wants.max_s, f"{one.way}: {one.lifetime_hint_s} s")
        elif one.issued not in (Fact.YES, Fact.NO):
            yield Item(one.issued, f"{one.way}: {one.issued}")


@rule("SESSION-002", "Sessions can be resumed")
def sessions_resumed(seen: Resumption, _: NoExpectations) -> Iterable[Item]:
    """Whether a client can take up its earlier session in one of the ways that the server's versions leave open.

    Why it matters: the handshakes of peers that deliver often are costly without it. Some servers limit how many new
    sessions a client may negotiate.

    How to mend it: smtpd_tls_session_cache_database = btree:${data_directory}/smtpd_scache before Postfix 2.11; later
    versions use tickets (tls_ssl_options without NO_TICKET) and need no cache.
    """
    answers = {one.resumed for one in seen.ways}
    decided = next((fact for fact in (Fact.YES, Fact.INCONCLUSIVE, Fact.NOT_TESTED) if fact in answers), Fact.NO)
    yield Item(decided, ", ".join(f"{one.way}: {one.resumed}" for one in seen.ways))

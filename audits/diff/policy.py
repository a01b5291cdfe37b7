"""Published policy between two views: DANE, MTA-STS, TLSRPT, DNSSEC, and the days on which they break."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from audits.cliffs import Cliff
from audits.diff.certificates import crossed, days_left
from audits.diff.change import Change, Kind, Severity
from audits.diff.compare import place_name, turned
from audits.diff.settled import Settled, Sts, View
from audits.mta_sts import StsState
from scanner.facts import Dnssec, Fact

SIGNATURE_DAYS_NEAR = (3,)
"""Signatures are made anew again and again, by common signers a week or more before they end; some last two days only,
and never fall below three."""


def policy_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    """All kinds of policy in turn."""
    yield from _dane_changes(domain, before, after)
    yield from _sts_changes(domain, before.sts, after.sts)
    yield from _tlsrpt_changes(domain, before, after)
    yield from _dnssec_changes(domain, before, after)
    yield from _cliff_changes(domain, before.cliffs, after.cliffs)


def _dane_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    if before.dane and after.dane and before.dane.value is not after.dane.value:
        mended = after.dane.value is Fact.YES
        yield Change(
            domain=domain,
            kind=Kind.DANE_MENDED if mended else Kind.DANE_BROKEN,
            severity=Severity.NOTICE if mended else Severity.ALARM,
            before=before.dane.value.value,
            after=after.dane.value.value,
            detail="no longer lost at dane" if mended else "lost at dane",
            evidence=after.dane.evidence or before.dane.evidence,
            since=before.dane.run,
        )
    elif before.dane and after.dane and after.dane.value is Fact.NO:
        yield from _another_broken(domain, before, after)
    for host, was, now in turned(before.tlsa, after.tlsa):
        gone, more = sorted(set(was.value) - set(now.value)), sorted(set(now.value) - set(was.value))
        yield Change(
            domain=domain,
            kind=Kind.TLSA_CHANGED,
            severity=Severity.NOTICE if now.value else Severity.WARNING,
            where=host,
            before=", ".join(was.value) or "none",
            after=", ".join(now.value) or "none",
            detail="; ".join((*(f"-{record}" for record in gone[:5]), *(f"+{record}" for record in more[:5]))),
            since=was.run,
        )


def _another_broken(domain: str, before: View, after: View) -> Iterator[Change]:
    """Senders pass over a broken host; so each further one counts, although the domain as a whole was broken before."""
    for place, was, now in turned(before.dane_places, after.dane_places):
        if now.value is Fact.NO:
            yield Change(
                domain=domain,
                kind=Kind.DANE_BROKEN,
                severity=Severity.ALARM,
                where=place_name(place),
                before=was.value.value,
                after=now.value.value,
                detail="lost at dane at this host",
                since=was.run,
            )


# --- MTA-STS and TLSRPT --------------------------------------------------------------------------------------------

_STRICTNESS = {"": 0, "none": 0, "testing": 1, "enforce": 2}


def _sts_changes(domain: str, was: Settled[Sts] | None, now: Settled[Sts] | None) -> Iterator[Change]:
    if was is None or now is None:
        return
    old, new = was.value, now.value
    holds = _holds_now(old, new)
    if holds is not None:
        yield Change(
            domain=domain,
            kind=Kind.STS_MENDED if holds else Kind.STS_BROKEN,
            severity=Severity.NOTICE if holds else _severity_of_break(new),
            before=_state(old),
            after=_state(new),
            evidence=now.evidence or was.evidence,
            since=was.run,
        )
    if (old.mode, old.id, old.mx) != (new.mode, new.id, new.mx):
        weaker = _STRICTNESS.get(new.mode, 0) < _STRICTNESS.get(old.mode, 0)
        yield Change(
            domain=domain,
            kind=Kind.STS_CHANGED,
            severity=Severity.WARNING if weaker else Severity.NOTICE,
            before=_words(old),
            after=_words(new),
            detail="" if old.mx == new.mx else f"mx {', '.join(old.mx) or '-'} -> {', '.join(new.mx) or '-'}",
            since=was.run,
        )


def _holds_now(old: Sts, new: Sts) -> bool | None:
    """Whether a policy became valid and kept, or ceased to be; None where neither, or where there is no policy."""
    if StsState.NONE in (old.state, new.state):
        return None
    if (old.state is StsState.VALID) is not (new.state is StsState.VALID):
        return new.state is StsState.VALID
    return new.kept if None not in (old.kept, new.kept) and old.kept is not new.kept else None


def _severity_of_break(sts: Sts) -> Severity:
    return Severity.ALARM if sts.mode == "enforce" else Severity.WARNING


def _state(sts: Sts) -> str:
    kept = {True: ", kept by the servers", False: ", not kept by the servers", None: ""}
    return sts.state.value + (kept[sts.kept] if sts.state is StsState.VALID else "")


def _words(sts: Sts) -> str:
    return f"{sts.mode or sts.state.value} id={sts.id}" if sts.mode or sts.id else "none"


def _tlsrpt_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    was, now = before.tlsrpt, after.tlsrpt
    if was and now and was.value != now.value:
        yield Change(
            domain=domain,
            kind=Kind.TLSRPT_CHANGED,
            severity=Severity.NOTICE,
            before=was.value or "none",
            after=now.value or "none",
            since=was.run,
        )


# --- DNSSEC and cliffs ---------------------------------------------------------------------------------------------

_DNSSEC = {Dnssec.SECURE: Severity.NOTICE, Dnssec.INSECURE: Severity.WARNING, Dnssec.BOGUS: Severity.ALARM}


def _dnssec_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    """The MX answer, and the addresses of the hosts that both views know."""
    for name, was, now in turned(before.dnssec, after.dnssec):
        mended = now.value is Dnssec.INSECURE and was.value is Dnssec.BOGUS
        yield Change(
            domain=domain,
            kind=Kind.DNSSEC_CHANGED,
            severity=Severity.NOTICE if mended else _DNSSEC[now.value],
            where=name,
            before=was.value.value,
            after=now.value.value,
            detail="addresses" if name else "MX record",
            since=was.run,
        )


Cliffs = Mapping[tuple[str, str, str], Settled[Cliff]]


def _cliff_changes(domain: str, before: Cliffs, after: Cliffs) -> Iterator[Change]:
    for key in sorted(before.keys() & after.keys()):
        was, now = before[key], after[key]
        left = was.value.at - was.at, now.value.at - now.at
        same_day = was.value.at == now.value.at
        near = crossed(*left, SIGNATURE_DAYS_NEAR) if now.value.rolling else crossed(*left) if same_day else None
        if near is not None:
            yield Change(
                domain=domain,
                kind=Kind.CLIFF_NEAR,
                severity=_severity_of_cliff(now),
                where=now.value.where,
                before=days_left(was.value.at, was.at),
                after=days_left(now.value.at, now.at),
                detail=f"{now.value.what}: {now.value.why} {now.value.at:%Y-%m-%d %H:%M}Z",
                since=was.run,
            )


def _severity_of_cliff(cliff: Settled[Cliff]) -> Severity:
    return Severity.WARNING if cliff.value.at - cliff.at <= timedelta(days=7) else Severity.NOTICE

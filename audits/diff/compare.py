"""The grade, the hosts and what their servers speak: one settled view against the next."""

from collections.abc import Iterator, Mapping

from audits.diff.change import Change, Kind, Severity
from audits.diff.settled import DNS, GradeWords, K, Place, Settled, T, View
from audits.diff.view import STRENGTH
from audits.verdicts import Grade
from scanner.facts import Fact

OLD_VERSIONS = frozenset({"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"})
"""Deprecated by RFC 6176, RFC 7568 and RFC 8996."""
_DELIVERS = frozenset({Grade.MAY, Grade.MUST_NOPEERMATCH, Grade.MUST})


def place_name(place: Place) -> str:
    """The host, and its port where that is not 25."""
    host, _, port = place
    return host if port == 25 else f"{host}:{port}"


def turned(before: Mapping[K, Settled[T]], after: Mapping[K, Settled[T]]) -> Iterator[tuple[K, Settled[T], Settled[T]]]:
    """The keys that both have with different answers, in a settled order."""
    for key in sorted(before.keys() & after.keys(), key=str):
        if before[key].value != after[key].value:
            yield key, before[key], after[key]


def grade_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    """The grade up or down, or capped by something else; demands that are now missed make an alarm."""
    if before.grade is None or after.grade is None:
        return
    old, new = before.grade.value, after.grade.value
    if old.grade is new.grade and (old.reason == new.reason or _still(old, new)):
        return
    if old.grade is new.grade:
        kind, severity = Kind.CAUSE_CHANGED, Severity.NOTICE
    elif STRENGTH[new.grade] > STRENGTH[old.grade]:
        kind, severity = Kind.GRADE_UP, Severity.NOTICE
    else:
        kind, severity = Kind.GRADE_DOWN, _severity_of_loss(old, new)
    same = kind is Kind.CAUSE_CHANGED
    shown = new if new.reason else old
    yield Change(
        domain=domain,
        kind=kind,
        severity=severity,
        where=shown.where,
        before=f"{old.grade.value} ({old.reason or '-'})" if same else old.grade.value,
        after=f"{new.grade.value} ({new.reason or '-'})" if same else new.grade.value,
        detail=new.reason or (f"no longer {old.reason}" if old.reason else ""),
        evidence=new.detail or (f"before: {old.detail}" if old.detail else ""),
        since=before.grade.run,
    )


def _still(old: GradeWords, new: GradeWords) -> bool:
    """Whether what capped the grade caps it still, and what caps it now did so before: only their order changed."""
    return old.reason in new.causes and new.reason in old.causes


def _severity_of_loss(old: GradeWords, new: GradeWords) -> Severity:
    lost = (old.encrypts and not new.encrypts) or (old.grade in _DELIVERS and new.grade not in _DELIVERS)
    return Severity.ALARM if lost or (new.missed and not old.missed) else Severity.WARNING


def host_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    """MX hosts, and the addresses of those that stayed. Their order means nothing."""
    old, new = before.hosts, after.hosts
    if old is None or new is None:
        return
    for kind, names in (Kind.MX_NEW, new.value - old.value), (Kind.MX_GONE, old.value - new.value):
        for name in sorted(names):
            listed = ", ".join(sorted(before.addresses[name].value)) if name in before.addresses else ""
            added = ", ".join(sorted(after.addresses[name].value)) if name in after.addresses else ""
            is_new = kind is Kind.MX_NEW
            yield Change(
                domain=domain,
                kind=kind,
                severity=Severity.NOTICE,
                where=name,
                before="" if is_new else name,
                after=name if is_new else "",
                evidence=added if is_new else listed,
                since=old.run,
            )
    for name, was, now in turned(before.addresses, after.addresses):
        if name in old.value & new.value:
            yield from _address_changes(domain, name, was, now)


def _address_changes(
    domain: str, host: str, was: Settled[frozenset[str]], now: Settled[frozenset[str]]
) -> Iterator[Change]:
    for address in sorted(now.value - was.value):
        yield Change(
            domain=domain,
            kind=Kind.ADDRESS_NEW,
            severity=Severity.INFORMATION,
            where=host,
            after=address,
            since=was.run,
        )
    for address in sorted(was.value - now.value):
        yield Change(
            domain=domain,
            kind=Kind.ADDRESS_GONE,
            severity=Severity.INFORMATION,
            where=host,
            before=address,
            since=was.run,
        )


def hearing_changes(domain: str, before: View, after: View, window: int) -> Iterator[Change]:
    """Silence that has lasted as many looks as are looked back, and its end; each told once.

    It is more than information where with it nothing of the domain is heard any more.
    """
    heard = (each.value for place, each in after.hearing.items() if each.value.heard and place != DNS)
    alone = all(each.silent >= window for each in heard)
    for place, was, now in turned(before.hearing, after.hearing):
        where = "the DNS" if place == DNS else f"{place_name(place)} [{place[1]}]"
        if was.value.silent < window <= now.value.silent and now.value.heard:
            yield Change(
                domain=domain,
                kind=Kind.HOST_SILENT,
                severity=Severity.NOTICE if alone or place == DNS else Severity.INFORMATION,
                where=where,
                before="answered",
                after=f"no answer in {window} runs",
                evidence=now.evidence,
                since=was.run,
            )
        if was.value.silent >= window and not now.value.silent:
            yield Change(
                domain=domain,
                kind=Kind.HOST_ANSWERS,
                severity=Severity.INFORMATION,
                where=where,
                before=f"no answer in {window} runs",
                after="answers",
                evidence=was.evidence,
                since=was.run,
            )


def server_changes(domain: str, before: View, after: View) -> Iterator[Change]:
    """STARTTLS and versions of TLS, where both looks had an answer; with STARTTLS all versions come and go."""
    turned_here = set()
    for place, was, now in turned(before.starttls, after.starttls):
        turned_here.add(place)
        lost = now.value is Fact.NO
        yield Change(
            domain=domain,
            kind=Kind.STARTTLS_LOST if lost else Kind.STARTTLS_GAINED,
            severity=Severity.ALARM if lost else Severity.NOTICE,
            where=place_name(place),
            before=was.value.value,
            after=now.value.value,
            since=was.run,
        )
    for (place, version), was, now in turned(before.versions, after.versions):
        gained = now.value is Fact.YES
        if place in turned_here:
            continue
        yield Change(
            domain=domain,
            kind=Kind.PROTOCOL_GAINED if gained else Kind.PROTOCOL_LOST,
            severity=Severity.WARNING if gained and version in OLD_VERSIONS else Severity.NOTICE,
            where=place_name(place),
            before=f"{version} {was.value.value}",
            after=f"{version} {now.value.value}",
            since=was.run,
        )

"""The results of a run: facts and judgements of its domains, facts of its endpoints, each content stored once."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Delete, Select, and_, bindparam, delete, select, update

from audits import stored_facts
from audits.store_schema import certificates, domain_results, endpoint_results, facts, targets
from audits.stored_facts import Content, EndpointText
from scanner.facts import DomainFacts, EndpointFacts
from scanner.tls_facts import CertificateFacts

_PARAMETERS = 500
"""Values of one IN list; SQLite takes 32,766, but longer statements are no faster."""


class DomainResult(msgspec.Struct, frozen=True):
    """A domain of a run, seen and judged. `seq` is its number in the run, `judgement` JSON that the judges wrote."""

    seq: int
    facts: DomainFacts
    grade: str
    judgement: bytes


# --- writing -------------------------------------------------------------------------------------------------------


def save_endpoints(connection: Connection, run: int, seen: Sequence[EndpointFacts]) -> None:
    latest = {facts.endpoint.key: facts for facts in seen}
    if not latest:
        return
    contents = {key: stored_facts.endpoint_content(facts) for key, facts in latest.items()}
    _add_certificates(connection, (c for facts in latest.values() for c in facts.certificates))
    _add_contents(connection, contents.values())
    row = endpoint_results.c
    _delete_keys(connection, delete(endpoint_results).where(row.run == run), row.endpoint, latest)
    rows = [
        {"run": run, "endpoint": key, "seen_at": facts.seen_at, "facts": contents[key].sha256}
        for key, facts in latest.items()
    ]
    connection.execute(endpoint_results.insert(), rows)


def save_domains(connection: Connection, run: int, judged: Sequence[DomainResult]) -> None:
    latest = {result.seq: result for result in judged}
    if not latest:
        return
    contents: list[Content] = []
    rows = []
    for seq, result in latest.items():
        seen, times_seen = stored_facts.domain_content(result.facts)
        said, times = stored_facts.judgement_content(result.judgement)
        contents += seen, said
        hashes = {"facts": seen.sha256, "judgement": said.sha256}
        rows.append(
            {
                "run": run,
                "seq": seq,
                "grade": result.grade,
                "times": stored_facts.packed_times(times, times_seen),
                **hashes,
            }
        )
    _add_contents(connection, contents)
    row = domain_results.c
    _delete_keys(connection, delete(domain_results).where(row.run == run), row.seq, latest)
    connection.execute(domain_results.insert(), rows)


def _delete_keys(connection: Connection, of_run: Delete, key: ColumnElement[Any], keys: Iterable[object]) -> None:
    """What an earlier save left; so that saving again changes nothing, and a later judgement replaces the earlier."""
    for part in in_parts(keys):
        connection.execute(of_run.where(key.in_(part)))


def _add_contents(connection: Connection, contents: Iterable[Content]) -> None:
    wanted = {content.sha256: content for content in contents}
    column = facts.c.sha256
    known = {
        sha256 for part in in_parts(wanted) for sha256 in connection.scalars(select(column).where(column.in_(part)))
    }
    rows = []
    for sha256, content in wanted.items():
        if sha256 not in known:
            coding, packed = content.packed()
            rows.append({"sha256": sha256, "kind": content.kind, "coding": coding, "content": packed})
    if rows:
        connection.execute(facts.insert(), rows)


def _add_certificates(connection: Connection, seen: Iterable[CertificateFacts]) -> None:
    """New certificates; and of known ones the facts, where this version reads more in the same DER than an earlier."""
    wanted = {bytes.fromhex(certificate.sha256): certificate for certificate in seen}
    known: dict[bytes, str] = {}
    for part in in_parts(wanted):
        found = select(certificates.c.sha256, certificates.c.facts).where(certificates.c.sha256.in_(part))
        known.update((sha256, text) for sha256, text in connection.execute(found))
    texts = {sha256: stored_facts.certificate_text(certificate) for sha256, certificate in wanted.items()}
    new = [{"sha256": s, "der": wanted[s].der, "facts": text} for s, text in texts.items() if s not in known]
    better = [{"key": s, "text": text} for s, text in texts.items() if known.get(s, text) != text]
    if new:
        connection.execute(certificates.insert(), new)
    if better:
        changed = update(certificates).where(certificates.c.sha256 == bindparam("key"))
        connection.execute(changed.values(facts=bindparam("text")), better)


def in_parts(keys: Iterable[Any]) -> Iterable[list[Any]]:
    """Keys in lists that one statement takes."""
    every = list(keys)
    return (every[start : start + _PARAMETERS] for start in range(0, len(every), _PARAMETERS))


# --- reading -------------------------------------------------------------------------------------------------------

_ENDPOINTS = select(endpoint_results.c.seen_at, facts.c.coding, facts.c.content).outerjoin(facts)


def endpoints_with(connection: Connection, run: int, keys: Iterable[str]) -> list[EndpointFacts]:
    """The facts of those endpoints that the run has, by their keys."""
    here = _ENDPOINTS.where(endpoint_results.c.run == run)
    rows = [
        row for part in in_parts(keys) for row in connection.execute(here.where(endpoint_results.c.endpoint.in_(part)))
    ]
    return _endpoint_facts(connection, rows)


def endpoint_page(connection: Connection, run: int, after: str, limit: int) -> list[EndpointFacts]:
    """The facts of the next endpoints behind a key, in the order of the keys."""
    column = endpoint_results.c.endpoint
    rows = connection.execute(
        _ENDPOINTS.where(endpoint_results.c.run == run, column > after).order_by(column).limit(limit)
    )
    return _endpoint_facts(connection, rows)


def _endpoint_facts(connection: Connection, rows: Iterable[Any]) -> list[EndpointFacts]:
    texts = [
        stored_facts.endpoint_from_text(stored_facts.unpacked(coding, content), seen_at)
        for seen_at, coding, content in rows
    ]
    chains = _certificates(connection, texts)
    return [text.facts(chains) for text in texts]


def _certificates(connection: Connection, texts: Iterable[EndpointText]) -> dict[str, CertificateFacts]:
    return certificates_with(connection, {sha256 for text in texts for sha256 in text.hashes})


def certificates_with(connection: Connection, hashes: Iterable[str]) -> dict[str, CertificateFacts]:
    """The certificates with these hexadecimal hashes, as far as they are stored."""
    wanted = {bytes.fromhex(sha256) for sha256 in hashes}
    found = select(certificates.c.facts, certificates.c.der)
    return {
        certificate.sha256: certificate
        for part in in_parts(wanted)
        for row in connection.execute(found.where(certificates.c.sha256.in_(part)))
        for certificate in (stored_facts.certificate_from_text(*row),)
    }


_seen, _judged = facts.alias("seen"), facts.alias("judged")
_row = domain_results.c
_DOMAINS: Select[Any] = (
    select(_row.seq, _row.grade, _row.times, _seen.c.coding, _seen.c.content, _judged.c.coding, _judged.c.content)
    .outerjoin(_seen, _row.facts == _seen.c.sha256)
    .outerjoin(_judged, _row.judgement == _judged.c.sha256)
)


def domain_page(connection: Connection, run: int, after: int, limit: int) -> list[DomainResult]:
    """The next domains with a result behind number `after`, in the order of the input."""
    page = _DOMAINS.where(_row.run == run, _row.seq > after).order_by(_row.seq).limit(limit)
    return [_domain(row) for row in connection.execute(page)]


def domain_of(connection: Connection, run: int, entry: str) -> DomainResult | None:
    """The result of one entry, or None while it has none in that run."""
    same = and_(targets.c.run == _row.run, targets.c.seq == _row.seq)
    found = connection.execute(_DOMAINS.join(targets, same).where(targets.c.run == run, targets.c.entry == entry))
    row = found.first()
    return _domain(row) if row else None


def domains_numbered(connection: Connection, run: int, numbers: Iterable[int]) -> list[DomainResult]:
    """The results of the domains with these numbers, as far as the run has them."""
    rows = (
        row
        for part in in_parts(numbers)
        for row in connection.execute(_DOMAINS.where(_row.run == run, _row.seq.in_(part)))
    )
    return [_domain(row) for row in rows]


def _domain(row: Any) -> DomainResult:
    seq, grade, times, seen_coding, seen, judged_coding, judged = row
    times_judged, times_seen = stored_facts.unpacked_times(times)
    domain = stored_facts.domain_from_text(stored_facts.unpacked(seen_coding, seen), times_seen)
    judgement = stored_facts.judgement_from_text(stored_facts.unpacked(judged_coding, judged), times_judged)
    return DomainResult(seq, domain, grade, judgement)

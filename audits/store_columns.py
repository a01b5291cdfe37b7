"""What can be read of a run without the facts behind it: columns at once, judgements by pages."""

from sqlalchemy import Connection, and_, select

from audits import stored_facts
from audits.store_schema import domain_results, facts, targets

GradeRow = tuple[str, str, str | None]
"""Entry, grade, required level."""


def grade_rows(connection: Connection, run: int) -> list[GradeRow]:
    """Every domain of a run that has a result. Some 20 MB for 100,000 domains."""
    same = and_(targets.c.run == domain_results.c.run, targets.c.seq == domain_results.c.seq)
    wanted = select(targets.c.entry, domain_results.c.grade, targets.c.required).join(domain_results, same)
    rows = connection.execute(wanted.where(targets.c.run == run).order_by(targets.c.seq))
    return [(entry, grade, required) for entry, grade, required in rows]


def judgement_page(connection: Connection, run: int, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Number and judgement of the next domains with a result, in the order of the input."""
    row = domain_results.c
    wanted = select(row.seq, row.times, facts.c.coding, facts.c.content)
    wanted = wanted.outerjoin(facts, row.judgement == facts.c.sha256)
    page = connection.execute(wanted.where(row.run == run, row.seq > after).order_by(row.seq).limit(limit))
    return [(seq, _judgement(times, coding, content)) for seq, times, coding, content in page]


def _judgement(times: str, coding: int | None, content: bytes | None) -> bytes:
    judged, _ = stored_facts.unpacked_times(times)
    return stored_facts.judgement_from_text(stored_facts.unpacked(coding, content), judged)

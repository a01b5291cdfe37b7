"""The HTML report: one file that needs nothing else, escaped by Jinja2, with a policy that lets nothing else run."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from importlib import resources
from typing import Any, TextIO

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audits.baseline import Baseline
from audits.records import DomainRecord
from audits.reports.details import Details
from audits.reports.figures import Figures
from audits.reports.judged import JudgedDomain
from audits.reports.operators import Operators
from audits.reports.pictures import OPEN, Columns, Picture, bars, columns, stacked
from audits.tables import expiry, moment, why
from audits.verdicts import Grade
from scanner.answers import Fact

OPERATORS_SHOWN = 200
KEYS_SHOWN = 12
"""Kinds of keys drawn; the rest is one bar."""
HEAT = ("fail", "unknown", "warn", "pass", "not-applicable")


class Head(msgspec.Struct, frozen=True):
    """What the report is about. Without `baselines` the verdicts are those that the records bring.

    `warning` is a sentence that the reader is to see before all else, or "".
    """

    run: str
    started: datetime
    finished: datetime | None
    tool_version: str
    trust_digest: str
    baselines: tuple[Baseline, ...] = ()
    warning: str = ""


class Row(msgspec.Struct, frozen=True):
    """One line of the table of domains."""

    domain: str
    grade: Grade
    today: str
    why: str
    operator: str
    expires: str
    verdicts: dict[str, str]


def write_html(stream: TextIO, head: Head, domains: Iterable[JudgedDomain]) -> int:
    """Writes the report; gives the number of its domains."""
    figures, operators, details = Figures(head.started), Operators(), Details(head.baselines)
    rows = []
    for domain in domains:
        figures.take(domain)
        details.take(domain)
        rows.append(_row(domain.record, operators.take(domain.record)))
    every = operators.all()
    titles = {baseline.head.id: baseline.head.title for baseline in head.baselines}
    titles = titles or {id: id for id in figures.baselines}
    style, script = _asset("report.css"), _asset("report.js")
    page = _environment().get_template("report.html.j2")
    stream.writelines(
        page.generate(
            head=head,
            when=(moment(head.started), moment(head.finished)),
            figures=figures,
            rows=rows,
            operators=every[:OPERATORS_SHOWN],
            more_operators=max(0, len(every) - OPERATORS_SHOWN),
            pictures=_pictures(figures),
            calendar=_calendar(figures),
            heat=_heat(figures, titles),
            organisational=_organisational(head.baselines),
            names=list(titles),
            grades=[grade.value for grade in Grade],
            details=Markup(details.json().decode()),  # "<" is escaped in it, so that no element can end or begin
            style=Markup(style),
            script=Markup(script),
            hashes=(_hash(style), _hash(script)),
        )
    )
    return len(rows)


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("audits.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    return (resources.files("audits.reports") / "templates" / name).read_text("utf-8")


def _hash(text: str) -> str:
    """The hash source of a Content-Security-Policy (CSP level 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _row(record: DomainRecord, operator: str) -> Row:
    verdicts = {verdict.baseline: verdict.verdict.value for verdict in record.baselines}
    return Row(record.domain_unicode, record.grade, record.today.value, why(record), operator, expiry(record), verdicts)


def _pictures(figures: Figures) -> tuple[Picture, ...]:
    grades = [(grade.value, f"g-{grade.value.lower()}", figures.grades[grade]) for grade in Grade]
    common = figures.keys.most_common(KEYS_SHOWN)
    rest = figures.keys.total() - sum(number for _, number in common)
    keys = [(name, "plain", number) for name, number in common] + ([("other", "plain", rest)] if rest else [])
    versions = {version: _shares(counts) for version, counts in figures.versions.items()}
    return (
        bars("Domains by grade", [row for row in grades if row[2]]),
        stacked("Mail servers that speak each version", versions),
        stacked("Post-quantum key exchange", {"X25519MLKEM768": _shares(figures.hybrid)}),
        bars("Keys of the certificates", keys),
    )


def _shares(counts: Any) -> list[tuple[str, str, int]]:
    open_ = counts[Fact.INCONCLUSIVE] + counts[Fact.NOT_TESTED]
    return [("yes", "f-yes", counts[Fact.YES]), ("not known", OPEN, open_), ("no", "f-no", counts[Fact.NO])]


def _calendar(figures: Figures) -> Columns:
    calendar = figures.calendar()
    cells = [("past", f"expired: {calendar.expired}", "bad", calendar.expired)]
    for week, (monday, number) in enumerate(calendar.weeks):
        first = monday.day <= 7 and 2 < week < len(calendar.weeks) - 2  # else the name would run into "past" or ">"
        tick = f"{monday:%b}" if first else ""
        cells.append((tick, f"week of {monday:%Y-%m-%d}: {number}", "plain", number))
    cells.append((">", f"later: {calendar.later}", "faint", calendar.later))
    return columns("Certificates by the week in which they expire", cells)


def _heat(figures: Figures, titles: dict[str, str]) -> list[tuple[str, str, list[tuple[str, int, int]]]]:
    """Id, title, and for each verdict its number and its shade of 0 to 9."""
    table = []
    for id, title in titles.items():
        counts: dict[str, int] = figures.baselines.get(id, Counter())
        total = max(1, sum(counts.values()))
        cells = [(verdict, n := counts.get(verdict, 0), -(-9 * n // total)) for verdict in HEAT]
        table.append((id, title, cells))
    return table


def _organisational(baselines: tuple[Baseline, ...]) -> list[tuple[str, str, str, str]]:
    return [(b.head.id, row.id, row.clause, row.text) for b in baselines for row in b.organisational]

"""Baselines: a standard's answers to our questions, as data. Reads, checks and extends the TOML files.

A file holds one `[baseline]` table and any number of `[[requirement]]`s. Each names the rule that asks its question,
the level and clause of the document, what is expected, and how well the clause is confirmed. There is no logic in a
baseline, and no number in a rule. `[[organisational]]` lists what no remote auditor can see.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from audits.findings import SEVERITY, Verdict
from audits.rules import all_rules
from audits.rules.question import Rule

MAX_BYTES = 1_000_000
"""A baseline is written by hand; a larger file is a mistake."""
_FOLDER = "baselines"


class BaselineError(Exception):
    """A baseline cannot be used: which file, where in it, and what to do."""


class Obligation(StrEnum):
    """The document's word, as RFC 2119 and its relatives grade it."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Confidence(StrEnum):
    """How well the clause was confirmed; only what is CONFIRMED can fail a server."""

    CONFIRMED = "confirmed"
    PARTLY = "partly-confirmed"
    SECTION = "section-confirmed"
    SECONDARY = "secondary"
    MEMORY = "memory"


class Scale(StrEnum):
    """How a port is judged: STRICT as the document says; ADVISORY one step milder, where it concerns other uses."""

    STRICT = "strict"
    ADVISORY = "advisory"


_AT_STAKE = {Obligation.MUST: Verdict.FAIL, Obligation.SHOULD: Verdict.WARN, Obligation.MAY: Verdict.ADVICE}


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[baseline]` table. `ports`: port -> scale; a port that is missing is not judged by this baseline.

    `extends` takes another baseline over and may change it; `includes` puts whole ones beside its own requirements,
    each with its own ports, which a requirement that replaces one of theirs keeps.
    """

    id: str
    title: str
    version: str = ""
    published: str = ""
    status: str = ""
    url: str = ""
    extends: str = ""
    includes: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    ports: dict[str, Scale] = {}
    notes: tuple[str, ...] = ()


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement. `ports` narrows it to some ports; `since` is the day from which it counts, before it advises.

    `grade` is the document's own grade for what fails here ("phase-out"); `expects` is checked against the rule.
    """

    id: str
    rule: str
    level: Obligation
    clause: str
    text: str
    confidence: Confidence
    expects: dict[str, Any] = {}
    ports: tuple[int, ...] = ()
    grade: str = ""
    since: date | None = None
    note: str = ""


class Organisational(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A requirement that needs evidence from the organisation: never judged here."""

    id: str
    clause: str
    text: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    baseline: Head
    schema: int = 1
    requirement: tuple[Requirement, ...] = ()
    organisational: tuple[Organisational, ...] = ()
    sources: dict[str, str] = {}


class Question(msgspec.Struct, frozen=True):
    """A requirement with its rule and its expectations, ready to be asked.

    `ports` are those of the baseline that it was included from; None: of the baseline that asks.
    """

    requirement: Requirement
    rule: Rule
    expects: msgspec.Struct
    ports: dict[str, Scale] | None = None

    def at_stake(self, scale: Scale, on: date | None) -> Verdict:
        """The verdict where it is not met: by the level, lowered where unconfirmed, not yet in force, or advisory."""
        asked = self.requirement
        not_yet = asked.since is not None and (on is None or on < asked.since)
        if asked.confidence is not Confidence.CONFIRMED or not_yet:
            return Verdict.ADVICE
        verdict = _AT_STAKE[asked.level]
        if scale is Scale.ADVISORY:
            return SEVERITY[max(1, SEVERITY.index(verdict) - 1)]
        return verdict


class Baseline(msgspec.Struct, frozen=True):
    """A standard, complete with what it extends."""

    head: Head
    questions: tuple[Question, ...]
    organisational: tuple[Organisational, ...] = ()
    sources: dict[str, str] = {}

    def scale(self, port: int, question: Question | None = None) -> Scale | None:
        """How a port is judged (by this question); None where the baseline does not speak of it."""
        own = question.ports if question else None
        return (self.head.ports if own is None else own).get(str(port))


@cache
def shipped() -> dict[str, str]:
    """Id -> text of the baselines that come with the program."""
    folder = resources.files("audits") / _FOLDER
    return {
        file.name.removesuffix(".toml"): file.read_text("utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


@cache
def shipped_baseline(id: str) -> Baseline:
    """A baseline that comes with the program, by its id."""
    if id not in shipped():
        raise BaselineError(f"there is no baseline {id!r}; there are {', '.join(shipped())}")
    return _complete(shipped()[id], f"{id}.toml", (id,))


def baseline_from_file(path: Path) -> Baseline:
    """A baseline of the user's own, which may extend a shipped one (`extends = "ID"`)."""
    try:
        with path.open("rb") as file:
            read = file.read(MAX_BYTES + 1)
        if len(read) > MAX_BYTES:
            raise BaselineError(f"{path}: larger than {MAX_BYTES} bytes; this is no baseline")
        text = read.decode("utf-8")
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BaselineError(f"{path}: byte {error.start} is not UTF-8") from error
    return _complete(text, str(path), ())


def _complete(text: str, name: str, seen: tuple[str, ...]) -> Baseline:
    file = _parsed(text, name)
    own = tuple(_question(requirement, text, name) for requirement in file.requirement)
    _refuse_twice((question.requirement.id for question in own), text, name)
    head = file.baseline
    _refuse_no_ports(head.ports, text, name)
    whole = Baseline(head, own, file.organisational, file.sources)
    for id in head.includes:
        whole = _with_included(whole, _other(id, "includes", (text, name, seen)), text, name)
    if head.extends:
        whole = _extended(_other(head.extends, "extends", (text, name, seen)), whole, text, name)
    elif head.drop:
        raise BaselineError(f"{_place(text, name, head.drop[0])}: drop: there is no extends to drop a requirement from")
    _refuse_unasked(whole, {question.requirement.id for question in own}, text, name)
    return whole


def _other(id: str, verb: str, at: tuple[str, str, tuple[str, ...]]) -> Baseline:
    """The shipped baseline that the one `at` (its text, its name, what it stands in) takes in."""
    text, name, seen = at
    if id in seen or id not in shipped():
        why = f"{verb} itself" if id in seen else f"{verb} {id!r}, which does not exist"
        raise BaselineError(f"{_place(text, name, id)}: {why}; there are {', '.join(shipped())}")
    return _complete(shipped()[id], f"{id}.toml", (*seen, id))


def _with_included(own: Baseline, other: Baseline, text: str, name: str) -> Baseline:
    """`own` with the questions of `other` behind it; what came in already on another way is not asked twice."""
    known = {question.requirement.id: question.requirement for question in own.questions}
    fresh = []
    for question in other.questions:
        id = question.requirement.id
        if known.get(id, question.requirement) != question.requirement:
            raise BaselineError(
                f"{_place(text, name, other.head.id)}: {other.head.id} has another requirement {id}, too"
            )
        if id not in known:
            ports = other.head.ports if question.ports is None else question.ports
            fresh.append(msgspec.structs.replace(question, ports=ports))
    return Baseline(
        own.head,
        (*own.questions, *fresh),
        tuple(dict.fromkeys((*own.organisational, *other.organisational))),
        own.sources | other.sources,
    )


def _extended(base: Baseline, own: Baseline, text: str, name: str) -> Baseline:
    """The base with the requirements of `own` in place of those with the same id, and behind them."""
    known = {question.requirement.id for question in base.questions}
    for dropped in own.head.drop:
        if dropped not in known:
            raise BaselineError(f"{_place(text, name, dropped)}: drop: {own.head.extends} has no requirement {dropped}")
    mine = {question.requirement.id: question for question in own.questions}
    kept = tuple(
        _in_place_of(question, mine.pop(question.requirement.id, None), own.head.ports)
        for question in base.questions
        if question.requirement.id not in own.head.drop
    )
    head = msgspec.structs.replace(own.head, ports=base.head.ports | own.head.ports)
    return Baseline(
        head, (*kept, *mine.values()), (*base.organisational, *own.organisational), base.sources | own.sources
    )


def _in_place_of(question: Question, mine: Question | None, scales: dict[str, Scale]) -> Question:
    """The question of the base, or mine, on the ports of that which it replaces unless it names some."""
    kept = _rescaled(question, scales)
    if mine is None or mine.ports is not None or mine.requirement.ports:
        return mine or kept
    return msgspec.structs.replace(mine, ports=kept.ports)


def _rescaled(question: Question, scales: dict[str, Scale]) -> Question:
    """An included question on the ports of its own, judged as the one who extends it says."""
    if question.ports is None:
        return question
    return msgspec.structs.replace(question, ports={port: scales.get(port, s) for port, s in question.ports.items()})


def _parsed(text: str, name: str) -> _File:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BaselineError(f"{name}: no TOML: {error}") from error
    try:
        return msgspec.convert(data, _File)
    except msgspec.ValidationError as error:
        raise BaselineError(f"{_where(data, str(error), text, name)}: {error}") from error


def _where(data: Mapping[str, Any], message: str, text: str, name: str) -> str:
    """The line of the requirement that a message of msgspec speaks of ("... at `$.requirement[3].level`")."""
    place = re.search(r"\$\.(requirement|organisational)\[(\d+)\]", message)
    if place is None:
        return name
    rows = data[place[1]]
    id = rows[int(place[2])].get("id") if isinstance(rows, list) else None
    return _place(text, name, id) if isinstance(id, str) else f"{name}: {place[1]} number {int(place[2]) + 1}"


def _place(text: str, name: str, word: str) -> str:
    """ "file:line" of the first line with this word in quotes."""
    for number, line in enumerate(text.splitlines(), 1):
        if f'"{word}"' in line or f"'{word}'" in line:
            return f"{name}:{number}"
    return name


def _question(requirement: Requirement, text: str, name: str) -> Question:
    place = _place(text, name, requirement.id)
    rule = all_rules().get(requirement.rule)
    if rule is None:
        raise BaselineError(f"{place}: there is no rule {requirement.rule}; `tlsaudit rules` lists them")
    try:
        expects = msgspec.convert(requirement.expects, rule.expects)
    except msgspec.ValidationError as error:
        raise BaselineError(f"{place}: {requirement.id}: expects: {error} (rule {rule.id})") from error
    return Question(requirement, rule, expects)


def _refuse_no_ports(ports: Iterable[str], text: str, name: str) -> None:
    for port in ports:
        if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
            raise BaselineError(f"{_place(text, name, port)}: ports: {port!r} is no port: write 25, 465, 587")


def _refuse_unasked(whole: Baseline, own: set[str], text: str, name: str) -> None:
    """A requirement about servers that is asked on no port would never be missed by anyone."""
    for question in whole.questions:
        asked = question.requirement
        ports = whole.head.ports if question.ports is None else question.ports
        judged = {int(port) for port in ports} & set(asked.ports) if asked.ports else ports
        if asked.id in own and hasattr(question.rule.fact, "of_endpoint") and not judged:
            place = _place(text, name, asked.id)
            raise BaselineError(
                f'{place}: {asked.id} is asked on no port: write ports = {{ 25 = "strict" }} in [baseline]'
            )


def _refuse_twice(ids: Iterable[str], text: str, name: str) -> None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise BaselineError(f"{_place(text, name, id)}: two requirements have the id {id}")
        seen.add(id)

"""Looks at a domain for the tests of tables: what each address said, in few words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from audits.policy_table.evidence import Evidence, evidence_of
from audits.policy_table.lines import TableFormat, Wish
from audits.policy_table.looks import AddressLook, Look, Rung, Way
from audits.postfix.parameters import parse_version
from scanner.facts import Fact, RouteStatus

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MX = "mx.example.org"
ADDRESS = "192.0.2.1"
LADDER = (Rung.NONE, Rung.MAY, Rung.MUST_NOPEERMATCH, Rung.MUST)


def facts(best: Rung = Rung.MUST, unknown: Sequence[Rung] = (), least: Rung = Rung.NONE) -> dict[Rung, Fact]:
    """The levels from `least` to `best` are sustained, the others not, but for those that are unknown."""
    within = LADDER[LADDER.index(least) : LADDER.index(best) + 1]
    said = {rung: Fact.YES if rung in within else Fact.NO for rung in LADDER}
    return said | dict.fromkeys(unknown, Fact.INCONCLUSIVE)


def address(said: Mapping[Rung, Fact] | None = None, host: str = MX, at: str = ADDRESS, **more: object) -> AddressLook:
    """An address with these facts; {} for one that did not answer, and MUST without a word."""
    given = facts() if said is None else dict(said)
    reasons = {rung: "certificate-expired: certificate has expired" for rung, fact in given.items() if fact is Fact.NO}
    return AddressLook(host, at, given, **({"reasons": reasons} | more))  # type: ignore[arg-type]


def look(*addresses: AddressLook, days_ago: float = 0, **more: object) -> Look:
    """A look at example.org; the hosts are those of the addresses, by unsigned MX records."""
    at = NOON - timedelta(days=days_ago)
    known: dict[str, object] = {
        "run": f"run-{days_ago}",
        "at": at,
        "entry": "example.org",
        "name": "example.org",
        "brackets": False,
        "port": None,
        "status": RouteStatus.MX,
        "hosts": tuple(dict.fromkeys(each.host for each in addresses)),
        "addresses": addresses,
        "ways": dict.fromkeys(Way, Fact.NO),
    }
    return Look(**(known | more))  # type: ignore[arg-type]


def window(*newest_first: AddressLook, **more: object) -> Evidence:
    """The evidence of as many looks, one a day, all of which are wanted."""
    looks = [look(each, days_ago=day, **more) for day, each in enumerate(newest_first)]
    return evidence_of(looks, len(looks))


def wish(form: str = "policy-maps", version: str = "3.7", strict: bool = False) -> Wish:
    return Wish(TableFormat(form), parse_version(version), NOON, strict)

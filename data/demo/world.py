"""Who is in the demo: operators with their hosts, domains with their operator. Drawn from one seed."""

import random
from ipaddress import ip_address

import msgspec

NIGHTS = 14
SEED = 8461
_FIRST = (
    "alder amber birch bright cedar clear copper coral crest dale eagle early elm fern field flint forest garden "
    "glen gold green grove hazel heath hill holly iron ivy lake lark"
)
_SECOND = (
    "academy bakery books bureau cafe clinic college council dental energy farms forum foundry gallery library "
    "logistics market museum optics pharmacy press radio school solar studio theatre tools transit union works"
)


class Host(msgspec.Struct, frozen=True):
    """A mail host with its addresses."""

    name: str
    addresses: tuple[str, ...]


class Operator(msgspec.Struct, frozen=True):
    """Who runs mail hosts for many. `signed`: its zones are signed, and so are those of its customers."""

    name: str
    hosts: tuple[Host, ...]
    customers: int
    signed: bool = False


class Domain(msgspec.Struct, frozen=True):
    """A domain of the list: on which nights it is listed, and who runs its mail; "" for itself, "-" for nobody."""

    name: str
    operator: str
    first_night: int = 0
    last_night: int = NIGHTS - 1
    moves_to: str = ""
    moves_on: int = NIGHTS


def _hosts(operator: str, count: int, network: int) -> tuple[Host, ...]:
    return tuple(
        Host(
            f"mx{n}.{operator}.example",
            (f"192.0.2.{network + n}", str(ip_address(f"2001:db8:{network:x}::{n}"))),
        )
        for n in range(1, count + 1)
    )


GRANITE, HARBOUR, NORTHLIGHT, OLDPOST, CITYLINE = "granite", "harbour", "northlight", "oldpost", "cityline"

OPERATORS = {
    operator.name: operator
    for operator in (
        Operator(GRANITE, _hosts(GRANITE, 2, 10), 84),
        Operator(HARBOUR, _hosts(HARBOUR, 2, 20), 58),
        Operator(NORTHLIGHT, _hosts(NORTHLIGHT, 2, 30), 40, signed=True),
        Operator(OLDPOST, _hosts(OLDPOST, 1, 40), 34),
        Operator(CITYLINE, _hosts(CITYLINE, 1, 50), 14),
    )
}
SELF_HOSTED, NO_MAIL = 56, 9
MOVERS, MOVING_NIGHT = 15, 8
NEW = {6: (GRANITE, 4), 12: ("", 3)}
"""Night -> the operator and number of the domains that join the list."""
GONE_ON = 10
"""The night from which one domain is no longer listed."""
HOSTILE = "hostile-words.example"


def domains() -> tuple[Domain, ...]:
    """All domains that are ever listed, in the order of the list."""
    names = [f"{first}-{second}.example" for first in _FIRST.split() for second in _SECOND.split()]
    random.Random(SEED).shuffle(names)
    free = iter(names)
    found = [Domain(next(free), operator.name) for operator in OPERATORS.values() for _ in range(operator.customers)]
    moving = [domain for domain in found if domain.operator == OLDPOST][:MOVERS]
    moved = {domain.name: msgspec.structs.replace(domain, moves_to=GRANITE, moves_on=MOVING_NIGHT) for domain in moving}
    found = [moved.get(domain.name, domain) for domain in found]
    found += [Domain(next(free), "") for _ in range(SELF_HOSTED)]
    found += [Domain(next(free), "-") for _ in range(NO_MAIL)]
    found[0] = msgspec.structs.replace(found[0], last_night=GONE_ON - 1)
    random.Random(SEED + 1).shuffle(found)
    found += [Domain(HOSTILE, "")]
    for night, (operator, count) in NEW.items():
        found += [Domain(next(free), operator, first_night=night) for _ in range(count)]
    return tuple(found)


def listed(night: int) -> list[Domain]:
    """The list of one night."""
    return [domain for domain in domains() if domain.first_night <= night <= domain.last_night]

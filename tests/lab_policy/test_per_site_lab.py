"""All 200 combinations of the per-site policy against the real smtp(8), by its log and by what it delivers."""

from collections.abc import Iterator
from itertools import product

import pytest
from msgspec import Struct

from audits.postfix.per_site import GlobalPolicy, effective_level
from audits.postfix.resolution import Engine
from audits.postfix.tables import TableList
from audits.postfix.text_tables import parse_text_table

from .world import OFFERS, PLAIN, RECEIVERS, Delivery, level_of, names_of, send, world

pytestmark = pytest.mark.lab

VALUES = {"x": "", "n": "NONE", "m": "MAY", "e": "MUST_NOPEERMATCH", "v": "MUST"}
LABELS = {f"{next_hop}{host}": (VALUES[next_hop], VALUES[host]) for next_hop, host in product(VALUES, VALUES)}
"""Each pair of values by a label of two letters, the next-hop's first."""
SWITCHES = ("smtp_use_tls", "smtp_enforce_tls", "smtp_tls_enforce_peername")
SENDERS = {"".join(str(int(on)) for on in switches): switches for switches in product((False, True), repeat=3)}


def table() -> str:
    """The per-site table with the entries of all labels."""
    lines = []
    for label, values in LABELS.items():
        for placed in RECEIVERS:
            lines += [f"{name} {value}\n" for name, value in zip(names_of(label, placed), values, strict=True) if value]
    return "".join(lines)


class Observed(Struct, frozen=True):
    """What the real Postfix did: the two deliveries for each sender and label."""

    deliveries: dict[tuple[str, str], tuple[Delivery, Delivery]]
    log: tuple[str, ...]


@pytest.fixture(scope="module")
def observed() -> Iterator[Observed]:
    senders = {
        f"s{name}": {
            **{switch: "yes" if on else "no" for switch, on in zip(SWITCHES, switches, strict=True)},
            "smtp_tls_per_site": "texthash:{folder}/tls_per_site",
        }
        for name, switches in SENDERS.items()
    }
    with world(list(LABELS), senders, {"tls_per_site": table()}) as running:
        domains = [names_of(label, placed)[0] for label in LABELS for placed in RECEIVERS]
        found = send(running, dict.fromkeys(senders, domains))
        deliveries = {
            (name, label): (
                found[f"s{name}", names_of(label, OFFERS)[0]],
                found[f"s{name}", names_of(label, PLAIN)[0]],
            )
            for name, label in product(SENDERS, LABELS)
        }
        yield Observed(deliveries, tuple(running.log_lines()))


def predicted(name: str, label: str) -> str:
    """Our level for a sender and a label, the same for both engines."""
    tables = TableList((parse_text_table(table(), "tls_per_site", "texthash"),))
    levels = {
        effective_level(GlobalPolicy(None, *SENDERS[name]), tables, *names_of(label, placed), engine).level.value
        for placed in RECEIVERS
        for engine in (Engine.PATCHED, Engine.MODERN)
    }
    assert len(levels) == 1
    return levels.pop()


def test_all_200_combinations_are_delivered_as_predicted(observed: Observed) -> None:
    assert len(observed.deliveries) == 200
    theirs = {key: level_of(*deliveries) for key, deliveries in observed.deliveries.items()}
    assert theirs == {key: predicted(*key) for key in observed.deliveries}
    assert set(theirs.values()) == {"none", "may", "encrypt", "verify"}


def test_the_log_gives_the_reasons(observed: Observed) -> None:
    for key, (offers, plain) in observed.deliveries.items():
        level = predicted(*key)
        assert ("TLS is required, but was not offered" in plain.why) == (level in ("encrypt", "verify"))
        assert ("Server certificate not verified" in offers.why) == (level == "verify")

"""Which keys of smtp_tls_per_site match which next-hop: each key alone in a table, against the real smtp(8)."""

from itertools import product

import pytest

from audits.postfix.main_cf import parse_main_cf
from audits.postfix.resolve import configuration, resolve

from .world import OFFERS, names_of, send, world

pytestmark = pytest.mark.lab

DOMAIN, HOST = names_of("k", OFFERS)
NEXT_HOPS = {
    "domain": (DOMAIN, HOST),
    "domainport": (f"{DOMAIN}:25", HOST),
    "brackets": (f"[{HOST}]", HOST),
    "bracketsport": (f"[{HOST}]:25", HOST),
    "bracketsservice": (f"[{HOST}]:smtp", HOST),
    "hostport": (f"{HOST}:25", HOST),
    "address": (f"[{OFFERS.address}]", OFFERS.address),
    "addressport": (f"[{OFFERS.address}]:25", OFFERS.address),
}
"""A name for each spelling: the next-hop, and the server's name that it leads to."""
KEYS = [
    DOMAIN, f"{DOMAIN}.", f"{DOMAIN}:25", f".{DOMAIN}", "offers.test", ".offers.test", f"[{DOMAIN}]",
    HOST, f"{HOST}.", f"{HOST}:25", f"[{HOST}]", f"[{HOST}]:25", f"[{HOST}]:smtp", f"smtp:[{HOST}]",
    OFFERS.address, f"[{OFFERS.address}]", f"[{OFFERS.address}]:25", "*",
]  # fmt: skip
CASES = {f"{name}-{number}": (name, key) for (number, key), name in product(enumerate(KEYS), NEXT_HOPS)}


def settings(key: str) -> dict[str, str]:
    """A table with this key alone: NONE where it matches, encrypt where it does not."""
    return {"smtp_tls_per_site": f"inline:{{ {{ {key.upper()} = NONE }} }}", "smtp_tls_security_level": "encrypt"}


def test_keys_match_as_we_say() -> None:
    senders = {case: settings(key) for case, (_, key) in CASES.items()}
    next_hops = {case: NEXT_HOPS[name][0] for case, (name, _) in CASES.items()}
    with world(["k"], senders, {}, next_hops) as running:
        found = send(running, {case: [DOMAIN] for case in CASES})
    theirs = {CASES[case]: delivery.arrived for (case, _), delivery in found.items()}
    ours = {}
    for name, key in CASES.values():
        config = configuration(parse_main_cf("compatibility_level = 3.6\n", "main.cf").with_settings(settings(key)))
        ours[name, key] = {"none": "clear", "encrypt": "tls"}[resolve(config, *NEXT_HOPS[name]).level]
    assert {case: (theirs[case], ours[case]) for case in ours if theirs[case] != ours[case]} == {}
    assert 16 <= sum(arrived == "clear" for arrived in theirs.values()) < 40

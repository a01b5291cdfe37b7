"""Written tables in a real Postfix: nothing is lost that was delivered without, and a line falls with its server."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.lab.laboratory import Laboratory, laboratory
from tests.lab.outcomes import Outcome
from tests.lab.scanning import scanning

from .table_world import CHANGING_DOMAIN, changing_server, ended, send, sender, tlsaudit

pytestmark = pytest.mark.lab
FORMATS = {
    "policy-maps": {"smtp_tls_policy_maps": "hash:{folder}/policy-maps"},
    "per-site": {"smtp_tls_per_site": "hash:{folder}/per-site"},
    "transport": {
        "smtp_tls_policy_maps": "hash:{folder}/transport.policy",
        "transport_maps": "hash:{folder}/transport",
    },
}
ADDRESSES = ("127.0.0.4", "127.0.0.5", "127.0.0.6")
OFFER = re.compile(r"Host offered STARTTLS: \[[^\]]+\]")


class World(Struct, frozen=True):
    """What happened: the tables, and how each message ended without a table and with each."""

    folder: Path
    plain: dict[str, Outcome]
    by_format: dict[str, dict[str, Outcome]]
    linted: dict[str, tuple[int, str]]
    falls: tuple[str, ...]
    noted: frozenset[str]
    offers: frozenset[str]
    first_hosts: frozenset[str]
    fall_back: frozenset[str]


def write(lab: Laboratory, form: str, *more: str) -> None:
    """Write the tables of a format into the lab's folder, and index them with the real postmap."""
    folder = lab.folder / "tables"
    outputs = ["--output", str(folder / form)]
    if form == "transport":
        outputs += ["--policy-output", str(folder / "transport.policy")]
    done = tlsaudit("policy", "write", "--format", form, "--store", lab.folder / "write.db", *outputs, *more)
    assert done.returncode == 0, done.stderr
    for path in folder.glob(f"{form}*"):
        if path.suffix != ".db":
            mapped = subprocess.run(["postmap", f"hash:{path}"], capture_output=True, text=True, check=True)
            assert mapped.stderr == "", mapped.stderr


def line_of(path: Path, key: str) -> str:
    rows = path.read_text().splitlines()
    return next((row.partition(" ")[2] for row in rows if row.startswith(f"{key} ")), "")


def noting(lab: Laboratory) -> dict[str, str]:
    """A sender that uses TLS for every other domain only, and notes the offers of the others."""
    table = "".join(f"{domain} MAY\n" for domain in lab.domains[::2])
    (lab.folder / "tables/every-other").write_text(table)
    return {
        "smtp_tls_security_level": "",
        "smtp_tls_per_site": f"texthash:{lab.folder}/tables/every-other",
        "smtp_tls_note_starttls_offer": "yes",
    }


def told_offers(lab: Laboratory) -> frozenset[str]:
    """What `policy offers` says of that sender."""
    main_cf = lab.folder / "sender-noting/conf/main.cf"
    done = tlsaudit("policy", "offers", "--main-cf", main_cf, "--store", lab.folder / "write.db")
    assert done.returncode == 0, done.stderr
    return frozenset(done.stdout.splitlines())


def first_hosts(lab: Laboratory, reports: dict[str, Any]) -> frozenset[str]:
    """The only hosts of domains for which TLS is off, so that a delivery must have seen their EHLO."""
    clear = [reports[domain] for domain in lab.domains[1::2] if domain in reports]
    sole = [each["endpoints"][0] for each in clear if len(each["endpoints"]) == 1]
    return frozenset(each["mx_host"] for each in sole if each["state"] == "ok")


def fall_back(reports: dict[str, Any]) -> frozenset[str]:
    """The hosts at which TLS fails, so that Postfix at MAY tries a second session in clear and notes their offer."""
    endpoints = [each for report in reports.values() for each in report["endpoints"]]
    broken = [each for each in endpoints if "MUST_NOPEERMATCH" not in each["sustained"]]
    return frozenset(each["mx_host"] for each in broken if each["starttls"] == "yes")


def falls_and_rises(lab: Laboratory) -> Iterator[str]:
    """The changing server's line: while it was good, with an expired certificate, good again, and good twice."""
    yield line_of(lab.folder / "tables/per-site", CHANGING_DOMAIN)
    path = lab.folder / "tables/falling"
    for chain in ("expired", "good-ecdsa", "good-ecdsa"):
        with changing_server(lab, chain), scanning(lab, "write", [CHANGING_DOMAIN]):
            pass
        outputs = ("--output", path, "--force", "--runs", "2", CHANGING_DOMAIN)
        done = tlsaudit("policy", "write", "--format", "per-site", "--store", lab.folder / "write.db", *outputs)
        assert done.returncode == 0, done.stderr
        yield line_of(path, CHANGING_DOMAIN)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Mail goes to all domains; servers that hang would keep the scan for a minute, so they get no line."""
    with ExitStack() as stack:
        lab = stack.enter_context(laboratory())
        folder = lab.folder / "tables"
        folder.mkdir()
        began = time.monotonic()
        with changing_server(lab, "good-ecdsa"):
            without = stack.enter_context(sender(lab, "plain", "127.0.0.3", {}))
            note = stack.enter_context(sender(lab, "noting", "127.0.0.7", noting(lab)))
            with scanning(lab, "write", [name for name in lab.domains if "-hang" not in name]) as scan:
                send(without, lab.domains)
                send(note, lab.domains)
            offers = told_offers(lab)
            print(f"scan: {time.monotonic() - began:.0f} s")
            senders = []
            for form, address in zip(FORMATS, ADDRESSES, strict=True):
                write(lab, form, "--runs", "1")
                settings = {name: value.replace("{folder}", str(folder)) for name, value in FORMATS[form].items()}
                senders.append(stack.enter_context(sender(lab, form, address, settings)))
                send(senders[-1], lab.domains)
            plain = ended(without, lab.domains)
            print(f"without a table: {time.monotonic() - began:.0f} s")
            delivered = [domain for domain, outcome in plain.items() if outcome.delivered]
            others = [ended(each, delivered) for each in senders]
            ended(note, delivered)
            print(f"sent: {time.monotonic() - began:.0f} s")
        linted = {}
        for path in sorted(folder.iterdir()):
            if path.name in ("policy-maps", "per-site", "transport.policy"):
                done = tlsaudit(
                    "policy", "lint", path, "--kind", "per-site" if path.name == "per-site" else "policy-maps"
                )
                linted[path.name] = (done.returncode, done.stderr)
        falls = tuple(falls_and_rises(lab))
        print(f"all: {time.monotonic() - began:.0f} s")
        by_format = dict(zip(FORMATS, others, strict=True))
        noted = frozenset(OFFER.findall(note.log.read_text(errors="replace")))
        yield World(
            folder,
            plain,
            by_format,
            linted,
            falls,
            noted,
            offers,
            first_hosts(lab, scan.reports),
            fall_back(scan.reports),
        )


def test_nothing_is_lost_that_was_delivered_without_a_table(world: World) -> None:
    delivered = {domain for domain, outcome in world.plain.items() if outcome.delivered}
    assert len(delivered) > 150
    for form, outcomes in world.by_format.items():
        lost = {domain: outcomes[domain].evidence[-3:] for domain in delivered if not outcomes[domain].delivered}
        assert not lost, (form, len(lost), lost)


def test_the_tables_demand_what_they_can(world: World) -> None:
    for name, least in {"policy-maps": 150, "per-site": 150, "transport": 40, "transport.policy": 40}.items():
        rows = [row for row in (world.folder / name).read_text().splitlines() if row and not row.startswith("#")]
        print(name, len(rows))
        assert len(rows) >= least


def test_our_linter_has_nothing_against_them(world: World) -> None:
    assert set(world.linted) == {"policy-maps", "per-site", "transport.policy"}
    for code, counts in world.linted.values():
        assert (code, counts.startswith("errors: 0, warnings: 0,")) == (0, True)


def test_a_line_falls_at_once_and_rises_slowly(world: World) -> None:
    assert world.falls == ("MUST", "MUST_NOPEERMATCH", "MUST_NOPEERMATCH", "MUST")


def offers_of(hosts: frozenset[str]) -> set[str]:
    return {f"Host offered STARTTLS: [{host}]" for host in hosts}


def test_offers_are_those_that_postfix_notes(world: World) -> None:
    """Every noted offer is told; and every told one is noted, but for hosts that a delivery need not meet."""
    alone = world.offers & offers_of(world.first_hosts)
    print(f"noted {len(world.noted)}, told {len(world.offers)}, of them met for sure {len(alone)}")
    assert len(alone) > 80
    untold = world.noted - world.offers - offers_of(world.fall_back)
    assert {offer for offer in untold if "-hang." not in offer} == set()
    assert alone - world.noted == set()

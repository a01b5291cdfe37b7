"""The README's five lines for unbound, as they stand there, and the default names of the self-check, proven by a scan.

The namespace has root name servers of its own at the addresses that unbound has built in, so that nothing but the trust
anchor is ours: isc.org is signed well there and dnssec-failed.org badly, as in the world.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from audits.policy_options import BAD, GOOD

from .namespace import bring_up, lab_folder, run
from .processes import running, wait_for_ports
from .resolver import authoritative
from .scanning import ROOT
from .zones import Zone, write_zone

pytestmark = pytest.mark.lab

ROOT_SERVERS = (
    *("198.41.0.4", "170.247.170.2", "192.33.4.12", "199.7.91.13", "192.203.230.10", "192.5.5.241", "192.112.36.4"),
    *("198.97.190.53", "192.36.148.17", "192.58.128.30", "193.0.14.129", "199.7.83.42", "202.12.27.33"),
    "199.9.14.201",
)
"""A to M by their addresses of today, and one that unbound of some years ago still asks."""
README = (ROOT / "README.md").read_text()
FIVE_LINES = re.search(r"^    server:\n(?:        .+\n){4}", README, re.MULTILINE)
ANCHOR = Path("/var/lib/unbound/root.key")
LOCAL = "127.0.0.1"
SIGNED, UNSIGNED = "mail.signed-lab", "mail.unsigned-lab"


class Scanned(Struct, frozen=True):
    """What a scan printed, and what it said of itself."""

    reports: dict[str, Any]
    said: str


def zones(folder: Path) -> tuple[list[Zone], str]:
    """The root with the two canaries, a signed domain and one that is not; and the trust anchor."""
    folder.mkdir()
    mail = ["{0}. IN MX 10 mx.{0}.", "mx.{0}. IN A 127.0.0.99"]
    address = "{}. IN A 192.0.2.1"
    found = [
        write_zone(folder, f"{GOOD}.", [address.format(GOOD)], signed=True),
        write_zone(folder, f"{BAD}.", [address.format(BAD)], signed=True),
        write_zone(folder, f"{SIGNED}.", [line.format(SIGNED) for line in mail], signed=True),
        write_zone(folder, f"{UNSIGNED}.", [line.format(UNSIGNED) for line in mail], signed=False),
    ]
    root = [f"ns.test. IN A {ROOT_SERVERS[0]}", *(f"{zone.name} IN NS ns.test." for zone in found)]
    root += [found[0].ds, found[0].ds.replace(GOOD, BAD, 1), found[2].ds]
    whole = write_zone(folder, ".", root, signed=True)
    return [*found, whole], whole.ds


@contextmanager
def unbound(config: Path) -> Iterator[None]:
    log = config.with_suffix(".log")
    with running(["/usr/sbin/unbound", "-d", "-p", "-c", config], log) as child:
        wait_for_ports(child, [(LOCAL, 53)], log)
        yield


@pytest.fixture(scope="module")
def world() -> Iterator[Path]:
    """Root servers, and a trust anchor where Debian keeps it; a folder for what else is needed."""
    with ExitStack() as stack:
        folder = stack.enter_context(lab_folder())
        bring_up(LOCAL, folder)
        for address in ROOT_SERVERS:
            run("ip", "address", "add", f"{address}/32", "dev", "lo")
        served, anchor = zones(folder / "zones")
        run("mount", "-t", "tmpfs", "-o", "mode=755", "anchor", ANCHOR.parent)
        stack.callback(run, "umount", "--lazy", ANCHOR.parent)
        ANCHOR.write_text(f"{anchor}\n")
        shutil.chown(ANCHOR.parent, "unbound", "unbound")
        shutil.chown(ANCHOR, "unbound", "unbound")
        stack.enter_context(authoritative(folder, served, ROOT_SERVERS))
        yield folder


def scan(folder: Path, *options: str) -> Scanned:
    """The command as a user gives it, without a word about canaries."""
    command = [sys.executable, "-m", "audits.cli", "scan", "--format", "jsonl", "--allow-private", "--resolver", LOCAL]
    command += ["--store", str(folder / "store.db"), "--max-inconclusive", "100", *options, SIGNED, UNSIGNED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    reports = {each["domain"]: each for each in map(json.loads, done.stdout.splitlines())}
    return Scanned(reports, done.stderr)


def states(scanned: Scanned) -> list[str]:
    return [scanned.reports[name]["published"]["mx_dnssec"] for name in (SIGNED, UNSIGNED)]


def test_the_five_lines_of_the_readme_validate(world: Path) -> None:
    assert FIVE_LINES, "README.md shows unbound in five lines"
    config = world / "readme.conf"
    config.write_text(FIVE_LINES[0])
    with unbound(config):
        scanned = scan(world)
    assert "does not validate" not in scanned.said
    assert states(scanned) == ["secure", "insecure"]


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("validator iterator", "iterator", GOOD),
        (f'auto-trust-anchor-file: "{ANCHOR}"', "val-permissive-mode: no", GOOD),
        ("    interface", "    val-permissive-mode: yes\n        interface", BAD),
    ],
)
def test_a_resolver_that_does_not_validate_is_not_believed(world: Path, before: str, after: str, name: str) -> None:
    """Without a validator, without an anchor, and with one whose verdicts are let pass."""
    assert FIVE_LINES
    config = world / "other.conf"
    config.write_text(FIVE_LINES[0].replace(before, after, 1))
    with unbound(config):
        scanned = scan(world)
    assert f"resolver {LOCAL} does not validate" in scanned.said
    assert name in scanned.said
    assert states(scanned) == ["indeterminate", "indeterminate"]

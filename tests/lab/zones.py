"""The zones of the lab and their keys: a signed root and `test`, an unsigned `example`, two that fail (RFC 4035)."""

import subprocess
from pathlib import Path

from msgspec import Struct

AUTHORITATIVE = "127.0.0.2"
NOBODY = "127.0.0.9"
HEADER = """$TTL 60
{zone} IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60
{zone} IN NS ns.test.
"""


class Zone(Struct, frozen=True):
    """A zone and the file that holds it, signed or not."""

    name: str
    file: Path
    ds: str = ""


def write_zone(folder: Path, name: str, lines: list[str], *, signed: bool) -> Zone:
    """Write `lines` as a zone; `ds` of the result is what the parent must show."""
    file = folder / f"{name.strip('.') or 'root'}.zone"
    file.write_text(HEADER.format(zone=name) + "".join(f"{line}\n" for line in lines))
    if not signed:
        return Zone(name, file)
    key = tool(folder, "ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "-r", "/dev/urandom", name).strip()
    tool(folder, "ldns-signzone", "-o", name, str(file), key)
    return Zone(name, file.with_suffix(".zone.signed"), (folder / f"{key}.ds").read_text().strip())


def tool(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def write_zones(folder: Path, test: list[str], example: list[str]) -> tuple[list[Zone], str]:
    """All zones, and the trust anchor. `broken` has a DS that fits no key, `lame` a server that does not answer."""
    folder.mkdir()
    test = [f"ns.test. IN A {AUTHORITATIVE}", f"ns.nobody.test. IN A {NOBODY}", *test]
    zones = [
        write_zone(folder, "test.", test, signed=True),
        write_zone(folder, "example.", example, signed=False),
        write_zone(folder, "broken.", ["broken. IN MX 10 mx.broken.", "mx.broken. IN A 127.20.1.1"], signed=True),
    ]
    root = [f"ns.test. IN A {AUTHORITATIVE}", f"ns.nobody.test. IN A {NOBODY}", "lame. IN NS ns.nobody.test."]
    root += [f"{zone.name} IN NS ns.test." for zone in zones]
    root += [zones[0].ds, zones[0].ds.replace("test.", "broken.", 1)]
    zones.append(write_zone(folder, ".", root, signed=True))
    return zones, zones[-1].ds

"""The DNS of the lab: nsd serves its zones, unbound resolves and validates them from the lab's own root."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .processes import running, wait_for_ports
from .zones import AUTHORITATIVE, Zone

RESOLVER = "127.0.0.53"

NSD = """server:
{listen}  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  xfrdfile: ""
  zonelistfile: "{folder}/zones.list"
  round-robin: no
remote-control:
  control-enable: no
"""
UNBOUND = """server:
  interface: {resolver}
  access-control: 127.0.0.0/8 allow
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-ip6: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  root-hints: "{folder}/root.hints"
  trust-anchor-file: "{folder}/root.anchor"
  local-zone: "test." nodefault
  minimal-responses: yes
  qname-minimisation: no
remote-control:
  control-enable: no
"""


@contextmanager
def dns(folder: Path, zones: list[Zone], anchor: str) -> Iterator[str]:
    """Serve the zones; the address of the validating resolver."""
    folder.mkdir()
    with authoritative(folder, zones), validating(folder, anchor):
        yield RESOLVER


@contextmanager
def authoritative(folder: Path, zones: list[Zone], addresses: Sequence[str] = (AUTHORITATIVE,)) -> Iterator[None]:
    config, log = folder / "nsd.conf", folder / "nsd.log"
    served = "".join(f'zone:\n  name: "{zone.name}"\n  zonefile: "{zone.file}"\n' for zone in zones)
    listen = "".join(f"  ip-address: {address}\n" for address in addresses)
    config.write_text(NSD.format(listen=listen, folder=folder) + served)
    with running(["/usr/sbin/nsd", "-d", "-c", config], log) as child:
        wait_for_ports(child, [(address, 53) for address in addresses], log)
        yield


@contextmanager
def validating(folder: Path, anchor: str) -> Iterator[None]:
    config, log = folder / "unbound.conf", folder / "unbound.log"
    (folder / "root.hints").write_text(f". 3600 IN NS ns.test.\nns.test. 3600 IN A {AUTHORITATIVE}\n")
    (folder / "root.anchor").write_text(f"{anchor}\n")
    config.write_text(UNBOUND.format(resolver=RESOLVER, folder=folder))
    with running(["/usr/sbin/unbound", "-d", "-c", config], log) as child:
        wait_for_ports(child, [(RESOLVER, 53)], log)
        yield

"""Fourteen nights of one lab: a real server, its names and certificates, changed a little from night to night."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from .authority import SERVER, Request, dns_names, pem, sign
from .certificate_states import Authorities, Chain, below_intermediate, make_authorities
from .dane_lab import CANARIES, write_zones
from .namespace import bring_up, lab_folder
from .postfix_servers import postfix_servers
from .resolver import RESOLVER, dns
from .scanning import ROOT, scanning
from .states import Placed, State

ADDRESSES = {"main": "127.40.1.1", "second": "127.40.2.1", "dane": "127.40.3.1", "quiet": "127.40.4.1"}
DOMAINS = ("main.test", "dane.test", "quiet.test")
CLEAR = {"smtpd_tls_security_level": "none"}
BUSY = {
    "smtpd_delay_reject": "no",
    "smtpd_client_restrictions": "check_client_access static:{421 4.7.0 Too busy, try later}",
}
"""The server greets everybody with a 421."""


class Night(Struct, frozen=True, kw_only=True):
    """What is so on one night. `certificate` numbers that of main.test: 0 is the first, a new number a renewal.

    `lives_s`: it ends so many seconds after it was made. `dane_key` numbers the key of dane.test, `record` the key that
    its TLSA record names.
    """

    title: str
    certificate: int = 0
    lives_s: float | None = None
    options: dict[str, str] = {}
    second_listed: bool = False
    second_up: bool = True
    dane_key: int = 0
    record: int = 0


class Fortnight:
    """The lab as it stands; a class because certificates and the store stay from night to night."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._nights, self._stack = folder, 0, stack
        self._pki: Authorities = make_authorities()
        self._chains: dict[tuple[str, int], Chain] = {}
        self.resolver = RESOLVER
        self.store = folder / "fortnight.db"
        self.trust_anchor = folder / "root.pem"
        self.trust_anchor.write_bytes(pem(self._pki.root.certificate))

    def scan(self, night: Night) -> None:
        """Starts the servers of a night, scans the domains, and ends the servers."""
        self._nights += 1
        folder = self.folder / f"night-{self._nights}"
        folder.mkdir()
        zones, anchor = write_zones(folder / "zones", self._lines(night))
        with (
            dns(folder / "dns", zones, anchor),
            postfix_servers(
                folder / "receiver", self._servers(night, folder / "certificates"), folder / "certificates"
            ),
            scanning(self, f"night-{self._nights}", DOMAINS, *self._options()),  # type: ignore[arg-type]
        ):
            pass

    def _options(self) -> Sequence[str]:
        return "--depth", "standard", "--dnssec-canary", ",".join(CANARIES), "--store", str(self.store)

    def changes(self) -> list[dict[str, Any]]:
        """What `tlsaudit diff` says of the last two nights."""
        command = [sys.executable, "-m", "audits.cli", "diff", "--format", "json", "--store", str(self.store)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["changes"]
        assert done.returncode == any(change["severity"] != "information" for change in found)
        return found

    def wait_until_expired(self, certificate: int) -> None:
        """Until the certificate of main.test with this number has ended."""
        ends = self._chains["main", certificate].leaf.certificate.not_valid_after_utc.timestamp()
        time.sleep(max(0.0, ends + 1 - time.time()))

    def _servers(self, night: Night, certificates: Path) -> list[Placed]:
        up = [name for name in ADDRESSES if name != "second" or night.second_up]
        numbers = {"main": night.certificate, "dane": night.dane_key}
        for name in up:
            folder = certificates / f"{name}.test"
            folder.mkdir(parents=True)
            lives_s = night.lives_s if name == "main" else None
            chain = self._chain(name, numbers.get(name, 0), lives_s)
            (folder / "leaf.pem").write_bytes(chain.pem())
        options = {"main": night.options}
        return [
            Placed(State(name=name, chains=("leaf",), options=options.get(name, {})), ADDRESSES[name]) for name in up
        ]

    def _chain(self, name: str, number: int, lives_s: float | None = None) -> Chain:
        """The chain of a server by its number; that of dane.test has a key of its own for each."""
        if (name, number) not in self._chains:
            host = f"mx.{name}.test"
            if name == "dane":
                request = Request(common_names=(host,), extensions=(*SERVER, dns_names(host)))
                leaf = sign(request, self._pki.intermediate, 100 + number)
                made = Chain(leaf, (self._pki.intermediate,))
            else:
                days = {} if lives_s is None else {"to_days": lives_s / 86_400}
                made = below_intermediate(self._pki, host, **days)
            self._chains[name, number] = made
        return self._chains[name, number]

    def _lines(self, night: Night) -> list[str]:
        """The records of `test`, as `write_zones` wants them."""
        lines = [f"mx.{name}.test. A {address}" for name, address in ADDRESSES.items()]
        lines += [f"{domain}. MX 10 mx.{domain}." for domain in DOMAINS]
        lines += ["main.test. MX 20 mx.second.test."] if night.second_listed else []
        key = self._chain("dane", night.record).leaf.certificate.public_key()
        digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
        return [*lines, f"_25._tcp.mx.dane.test. TLSA 3 1 1 {digest}"]


@contextmanager
def fortnight() -> Iterator[Fortnight]:
    """The lab, in namespaces of our own."""
    with ExitStack() as stack:
        folder = stack.enter_context(lab_folder())
        bring_up(RESOLVER, folder)
        yield Fortnight(folder, stack)

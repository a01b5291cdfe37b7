"""Beside the lab of all states: senders with a configuration of their own, and a server that changes."""

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.lab.certificate_states import CHAINS, make_authorities
from tests.lab.laboratory import Laboratory
from tests.lab.outcomes import Outcome, Story
from tests.lab.postfix_instance import lay_out, postfix, service
from tests.lab.postfix_servers import postfix_servers
from tests.lab.scanning import ROOT
from tests.lab.sender import LIMIT_S, MAIN
from tests.lab.states import Placed, State

CHANGING = Placed(State(name="changing"), "127.0.0.99")
"""A server that only these tests run; its domain has no MX record."""
CHANGING_DOMAIN = "dns-implicit-refused.test"
WORD = "table"
PROCESSES = "40"


class Sender(Struct, frozen=True):
    """A Postfix that sends with its own configuration."""

    address: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "maillog"


def tlsaudit(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, as a user calls it."""
    command = [sys.executable, "-m", "audits.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


@contextmanager
def changing_server(lab: Laboratory, chain: str) -> Iterator[None]:
    """The changing server with one of the chains, until the block ends."""
    folder = lab.folder / f"changing-{len(list(lab.folder.glob('changing-*')))}"
    chains = folder.with_suffix(".chains") / CHANGING.state.domain
    chains.mkdir(parents=True)
    (chains / f"{CHANGING.state.chains[0]}.pem").write_bytes(CHAINS[chain](make_authorities(), CHANGING_DOMAIN).pem())
    with postfix_servers(folder, [CHANGING], chains.parent):
        yield


@contextmanager
def sender(lab: Laboratory, name: str, address: str, settings: Mapping[str, str]) -> Iterator[Sender]:
    """A sender that trusts the lab's root, uses TLS where it is offered and knows DANE, with more settings."""
    folder = lab.folder / f"sender-{name}"
    main = {
        **MAIN,
        "smtp_tls_security_level": "may",
        "smtp_tls_CAfile": str(lab.trust_anchor),
        "smtp_dns_support_level": "dnssec",
        "smtp_host_lookup": "dns",
        "smtp_cname_overrides_servername": "no",
        **settings,
    }
    services = [
        f"{address}:25 " + service("inet n", "smtpd", {}),
        "smtp " + service("unix -", "smtp", {"syslog_name": f"lab/{WORD}"}, PROCESSES),
    ]
    lay_out(folder, main, services)
    with postfix(folder, [(address, 25)]):
        yield Sender(address, folder)


def send(by: Sender, domains: Sequence[str]) -> None:
    """A message from the sender to each domain."""
    with smtplib.SMTP(by.address, 25, timeout=20) as session:
        for domain in domains:
            session.sendmail(f"{WORD}@sender.test", [f"{WORD}@{domain}"], f"Subject: {domain}\n\nlab\n")


def ended(by: Sender, domains: Sequence[str]) -> dict[str, Outcome]:
    """How the messages ended, when the last one has left the queue."""
    wanted = {(WORD.upper(), domain) for domain in domains}
    deadline = time.monotonic() + LIMIT_S
    while not (story := Story(by.log)).ended(wanted):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still in the queue: {sorted(wanted - story.gone())[:20]}")
        time.sleep(0.5)
    return {domain: story.outcome(word, domain) for word, domain in wanted}

"""Two receivers, a name server and as many senders as there are global policies, all real, on loopback addresses.

One receiver offers STARTTLS with a certificate that nobody trusts, the other offers no STARTTLS. Four outcomes tell
four levels apart:

    level     offers.test             plain.test
    none      delivered in clear      delivered in clear
    may       delivered in TLS        delivered in clear
    encrypt   delivered in TLS        TLS was not offered
    verify    not verified            TLS was not offered
"""

import re
import smtplib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from tests.lab.authority import SERVER, Request, key_pem, pem, sign
from tests.lab.namespace import bring_up, lab_folder
from tests.lab.postfix_instance import lay_out, postfix, service
from tests.lab.postfix_servers import postfix_servers
from tests.lab.resolver import RESOLVER, dns
from tests.lab.states import Placed, State
from tests.lab.zones import write_zones

OFFERS = Placed(State(name="offers", chains=("self-signed",)), "127.20.1.1")
PLAIN = Placed(State(name="plain", chains=("none",), options={"smtpd_tls_security_level": "none"}), "127.20.2.1")
RECEIVERS = (OFFERS, PLAIN)
INJECTION = ("127.0.0.1", 25)
LIMIT_S = 60.0
MAIN = {
    "myhostname": "sender.test",
    "mydestination": "",
    "inet_interfaces": "127.0.0.1",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "mynetworks": "127.0.0.0/8",
    "smtpd_peername_lookup": "no",
    "notify_classes": "",
    "smtp_connection_cache_on_demand": "no",
    "smtp_tls_loglevel": "1",
    "smtp_connect_timeout": "30s",
    "smtp_quit_timeout": "2s",
    "smtpd_recipient_limit": "2000",
    "default_destination_recipient_limit": "1",
}
DELIVERY = re.compile(
    r"to=<(?P<to>[^>]+)>, relay=(?P<relay>[^,]*), .* dsn=(?P<dsn>[\d.]+), status=(?P<status>\w+) \((?P<why>.*)\)$"
)
RECEIVED = re.compile(r"info: header Received: .* to=<(?P<to>[^>]+)>")


class Delivery(Struct, frozen=True):
    """The first attempt for one recipient: `arrived` is "tls", "clear" or "" by the receiver's own log."""

    status: str
    dsn: str
    why: str
    arrived: str


class World(Struct, frozen=True):
    """The running lab: send with it, then read what happened."""

    folder: Path
    sender_log: Path
    receiver_log: Path

    def log_lines(self) -> list[str]:
        """What the sender logged."""
        return self.sender_log.read_text(errors="replace").splitlines()


def names_of(label: str, placed: Placed) -> tuple[str, str]:
    """The domain and the MX host that stand for a label at one receiver."""
    domain = f"{label}.{placed.state.domain}"
    return domain, f"mx-{domain}"


@contextmanager
def world(
    labels: Sequence[str],
    senders: Mapping[str, Mapping[str, str]],
    files: Mapping[str, str],
    next_hops: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """A domain with an MX host of its own for each label and receiver; a transport with its settings for each sender.

    `files` are written into the folder "tables" of the sender before it starts; {folder} in settings stands for it.
    A sender with an entry in `next_hops` sends all mail there, whatever the recipient's domain.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(lab_folder())
        bring_up(RESOLVER, folder)
        lines = [line for label in labels for placed in RECEIVERS for line in records(label, placed)]
        zones, anchor = write_zones(folder / "zones", lines, [])
        stack.enter_context(dns(folder / "dns", zones, anchor))
        write_certificate(folder / "certificates")
        receiver_log = stack.enter_context(
            postfix_servers(folder / "receiver", list(RECEIVERS), folder / "certificates")
        )
        tables = folder / "tables"
        tables.mkdir()
        for name, text in files.items():
            (tables / name).write_text(text)
        log = lay_out(folder / "sender", main_of(senders, next_hops or {}), services(senders, tables))
        stack.enter_context(postfix(folder / "sender", [INJECTION]))
        yield World(folder, log, receiver_log)


def records(label: str, placed: Placed) -> list[str]:
    """MX and address of one domain."""
    domain, host = names_of(label, placed)
    return [f"{domain}. IN MX 10 {host}.", f"{host}. IN A {placed.address}"]


def write_certificate(folder: Path) -> None:
    """The self-signed certificate of the receiver that offers TLS."""
    signer = sign(Request(common_names=("mx.offers.test",), extensions=SERVER), None)
    for placed in RECEIVERS:
        (folder / placed.state.domain).mkdir(parents=True)
    chain = key_pem(signer.key) + pem(signer.certificate)
    (folder / OFFERS.state.domain / "self-signed.pem").write_bytes(chain)


def main_of(senders: Mapping[str, Mapping[str, str]], next_hops: Mapping[str, str]) -> dict[str, str]:
    """main.cf of the sender: the sender's address chooses the transport, and the next-hop where it has one."""
    by_sender = ", ".join(f"{{ {name}@sender.test = by-{name}:{next_hops.get(name, '')} }}" for name in senders)
    return {**MAIN, "sender_dependent_default_transport_maps": f"inline:{{ {by_sender} }}"}


def services(senders: Mapping[str, Mapping[str, str]], tables: Path) -> list[str]:
    """master.cf: the entrance, and a transport for each sender."""
    entries = [f"{INJECTION[0]}:{INJECTION[1]} " + service("inet n", "smtpd", {})]
    for name, settings in senders.items():
        options = {key: value.replace("{folder}", str(tables)) for key, value in settings.items()}
        options["syslog_name"] = f"lab/{name}"
        entries.append(f"by-{name} " + service("unix -", "smtp", options, "10"))
    return entries


def send(running: World, recipients: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Delivery]:
    """One message of each sender to its recipients' domains; the first attempt for each, when all were made."""
    wanted = {(sender, domain) for sender, domains in recipients.items() for domain in domains}
    with smtplib.SMTP(*INJECTION, timeout=20) as session:
        for sender, domains in recipients.items():
            to = [f"{sender}@{domain}" for domain in domains]
            refused = session.sendmail(f"{sender}@sender.test", to, f"Subject: {sender}\n\nlab\n")
            assert refused == {}
    deadline = time.monotonic() + LIMIT_S
    while missing := wanted - (found := attempts(running)).keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no attempt for {sorted(missing)[:10]}:\n" + "\n".join(running.log_lines()[-30:]))
        time.sleep(0.2)
    return {key: found[key] for key in wanted}


def attempts(running: World) -> dict[tuple[str, str], Delivery]:
    """The first attempt for each sender and domain that the logs tell of.

    The sender's log is read first: what it calls sent stands in the receiver's log already.
    """
    lines = running.log_lines()
    arrived = arrivals(running.receiver_log)
    found: dict[tuple[str, str], Delivery] = {}
    for line in lines:
        if match := DELIVERY.search(line):
            sender, _, domain = match["to"].partition("@")
            delivery = Delivery(match["status"], match["dsn"], match["why"], arrived.get((sender, domain), ""))
            found.setdefault((sender, domain), delivery)
    return found


def arrivals(log: Path) -> dict[tuple[str, str], str]:
    """How each message arrived, by its Received headers in the receiver's log; the newest of them is the receiver's."""
    found: dict[tuple[str, str], str] = {}
    for line in log.read_text(errors="replace").splitlines():
        if match := RECEIVED.search(line):
            sender, _, domain = match["to"].partition("@")
            found.setdefault((sender, domain), "tls" if "(using TLS" in line else "clear")
    return found


def level_of(offers: Delivery, plain: Delivery) -> str:
    """The level that these two outcomes show; "invalid" where Postfix used neither host, or the outcomes themselves."""
    outcomes = {
        ("sent", "clear", "sent", "clear"): "none",
        ("sent", "tls", "sent", "clear"): "may",
        ("sent", "tls", "deferred", ""): "encrypt",
        ("deferred", "", "deferred", ""): "verify",
    }
    level = outcomes.get((offers.status, offers.arrived, plain.status, plain.arrived), f"{offers} {plain}")
    if level == "verify" and plain.dsn in ("4.7.5", "4.3.0") and plain.why == offers.why:
        return f"invalid {plain.dsn}"
    return level

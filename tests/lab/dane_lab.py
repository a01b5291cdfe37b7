"""The lab of DANE: signed, unsigned and broken zones, a server for each state, a Postfix that sends with DANE."""

import smtplib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from .authority import pem
from .certificate_states import CHAINS, Authorities, Chain, make_authorities
from .dane_several import SEVERAL_HOSTS
from .dane_states import DANE_STATES, OTHER, ROOT, DaneState, Tlsa, tlsa_text
from .namespace import bring_up, lab_folder
from .outcomes import Outcome, Story
from .policy_domains import POLICY_DOMAINS, policy_servers
from .postfix_instance import lay_out, postfix, service
from .postfix_servers import postfix_servers
from .resolver import RESOLVER, dns
from .sender import INJECTION, LIMIT_S, MAIN, TRANSPORT_PROCESSES
from .states import Placed, State
from .zones import AUTHORITATIVE, NOBODY, Zone, write_zone

LEVELS = {"dane": "dane", "daneonly": "dane-only"}
"""The word in sender addresses and in the log -> the level of Postfix."""
CANARIES = ("canary.test", "canary.broken")
BOGUS_MX = "mail.broken"
"""A domain whose own MX record is signed wrongly."""


class DaneLab(Struct, frozen=True):
    """The running lab. The names that scanning.py asks of a laboratory, too."""

    folder: Path
    states: tuple[DaneState, ...]
    resolver: str
    trust_anchor: Path
    sender_log: Path
    addresses: dict[str, str]


@contextmanager
def dane_laboratory() -> Iterator[DaneLab]:
    """Everything up, in namespaces of our own."""
    with ExitStack() as stack:
        folder = stack.enter_context(lab_folder())
        bring_up(RESOLVER, folder)
        pki = make_authorities()
        certificates = folder / "certificates"
        certificates.mkdir()
        root = certificates / "root.pem"
        root.write_bytes(pem(pki.root.certificate))
        servers, lines, addresses = [], [], {}
        for at, state in enumerate(DANE_STATES):
            address = addresses[state.domain] = f"127.{40 + at // 200}.{at % 200 + 1}.1"
            chains = write_chains(certificates / f"{state.name}.test", state, pki)
            servers.append(server_of(state, address, certificates))
            lines += zone_lines(state, address, chains)
        lines += [line for domain in (*SEVERAL_HOSTS, *POLICY_DOMAINS) for line in domain.zone_lines()]
        zones, anchor = write_zones(folder / "zones", lines)
        stack.enter_context(dns(folder / "dns", zones, anchor))
        stack.enter_context(postfix_servers(folder / "receiver", servers, certificates))
        stack.enter_context(policy_servers(folder / "policy", POLICY_DOMAINS, pki))
        log = stack.enter_context(dane_sender(folder / "sender", root))
        yield DaneLab(folder, tuple(DANE_STATES), RESOLVER, root, log, addresses)


def server_of(state: DaneState, address: str, certificates: Path) -> Placed:
    files = [str(certificates / f"{state.name}.test" / f"{name}.pem") for name in state.chains]
    options = {name: value.replace("{0}", files[0]).replace("{1}", files[-1]) for name, value in state.options.items()}
    return Placed(State(name=state.name, chains=state.chains, options=options, ports=state.ports), address)


def write_chains(folder: Path, state: DaneState, pki: Authorities) -> dict[str, Chain]:
    """The chain files of a state, and the chains; beside them the root, sent or not."""
    folder.mkdir()
    host = state.domain if state.name.startswith("implicit") else f"mx.{state.domain}"
    chains = {name: CHAINS[name](pki, host) for name in state.chains}
    for name, chain in chains.items():
        (folder / f"{name}.pem").write_bytes(chain.pem())
    return chains | {ROOT: Chain(pki.root)}


def zone_lines(state: DaneState, address: str, chains: dict[str, Chain]) -> list[str]:
    """The records of a state, each beginning with its owner's whole name."""
    texts = [tlsa_text(record, chains, state) for record in state.records]
    if not state.lines:
        host = f"mx.{state.domain}."
        lines = [f"{state.domain}. MX 10 {host}", f"{host} A {address}"]
        return lines + [f"_25._tcp.{host} TLSA {text}" for text in texts]
    words = {"name": state.name, "address": address, "tlsa": texts[0]}
    words["other"] = tlsa_text(Tlsa(3, 1, 1, OTHER), chains, state)
    words["digest"] = texts[0].split()[-1]
    return [line.format(**words) for line in state.lines]


def write_zones(folder: Path, lines: Sequence[str]) -> tuple[list[Zone], str]:
    """The zones and the trust anchor: `test` is signed, `example` is not, `broken` wrongly, `lame` has no server."""
    folder.mkdir()
    written = [line.replace(" ", " IN ", 1) for line in lines]
    by_zone = {
        name: [line for line in written if line.split()[0].endswith(f".{name}.")] for name in ("test", "example")
    }
    glue = [f"ns.test. IN A {AUTHORITATIVE}", f"ns.nobody.test. IN A {NOBODY}"]
    bogus = ["_dane.broken. IN TLSA 3 1 1 " + "00" * 32, "canary.broken. IN A 192.0.2.1"]
    bogus.append(f"{BOGUS_MX}. IN MX 10 mx.ee-spki.test.")
    zones = [
        write_zone(folder, "test.", [*glue, "canary.test. IN A 192.0.2.1", *by_zone["test"]], signed=True),
        write_zone(folder, "example.", by_zone["example"], signed=False),
        write_zone(folder, "broken.", bogus, signed=True),
    ]
    root = [*glue, "lame. IN NS ns.nobody.test.", *(f"{zone.name} IN NS ns.test." for zone in zones)]
    root += [zones[0].ds, zones[0].ds.replace("test.", "broken.", 1)]
    zones.append(write_zone(folder, ".", root, signed=True))
    return zones, zones[-1].ds


@contextmanager
def dane_sender(folder: Path, trust_anchor: Path) -> Iterator[Path]:
    """A Postfix with a transport for each level, chosen by the sender's address; its log."""
    transports = folder / "conf/transports"
    main = {**MAIN, "smtp_tls_CAfile": str(trust_anchor), "smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns"}
    main["sender_dependent_default_transport_maps"] = f"texthash:{transports}"
    services = [f"{INJECTION[0]}:{INJECTION[1]} " + service("inet n", "smtpd", {})]
    for word, level in LEVELS.items():
        options = {"syslog_name": f"lab/{word}", "smtp_tls_security_level": level}
        services.append(f"level-{word} " + service("unix -", "smtp", options, TRANSPORT_PROCESSES))
    log = lay_out(folder, main, services)
    transports.write_text("".join(f"{word}@sender.test level-{word}:\n" for word in LEVELS))
    with postfix(folder, [INJECTION]):
        yield log


def send_to_all(domains: Sequence[str], log: Path) -> dict[str, dict[str, Outcome]]:
    """One message to each domain at each level; returns when the last one has left the queue."""
    for word in LEVELS:
        with smtplib.SMTP(*INJECTION, timeout=20) as session:
            for domain in domains:
                session.sendmail(f"{word}@sender.test", [f"{word}@{domain}"], f"Subject: {word} {domain}\n\nlab\n")
    wanted = {(word.upper(), domain) for domain in domains for word in LEVELS}
    deadline = time.monotonic() + LIMIT_S
    while not (story := Story(log)).ended(wanted):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still in the queue: {sorted(wanted - story.gone())[:20]}")
        time.sleep(0.5)
    return {domain: {word: story.outcome(word.upper(), domain) for word in LEVELS} for domain in domains}

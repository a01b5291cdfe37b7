"""The whole lab put together: certificates, servers, names and the sender, started in order and stopped in reverse."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from . import certificate_names as certificate_names
from .authority import pem
from .certificate_states import BY_ADDRESS, CHAINS, make_authorities
from .exim_servers import exim_servers, exim_starts
from .exim_states import EXIM_STATES
from .hostile_states import HOSTILE_STATES
from .mail_domains import MAIL_DOMAINS, MailDomain, zone_lines
from .namespace import add_address, bring_up, lab_folder
from .odd_servers import odd_servers
from .odd_states import ODD_STATES
from .postfix_servers import postfix_servers
from .postfix_states import POSTFIX_STATES
from .resolver import RESOLVER, dns
from .sender import sending_postfix
from .states import Kind, Placed, State, placed
from .zones import write_zones


class Laboratory(Struct, frozen=True):
    """What the tests need to know of a running lab."""

    folder: Path
    states: tuple[Placed, ...]
    mail_domains: tuple[MailDomain, ...]
    resolver: str
    trust_anchor: Path
    sender_log: Path
    receiver_logs: tuple[Path, ...]

    @property
    def domains(self) -> list[str]:
        """Every domain that both are asked about."""
        names = [each.state.domain for each in self.states if not each.state.hostile]
        return [*names, *(domain.name for domain in self.mail_domains)]


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """Everything up, in namespaces of our own."""
    with ExitStack() as stack:
        folder = stack.enter_context(lab_folder())
        bring_up(RESOLVER, folder)
        states = placed([*POSTFIX_STATES, *exim_states(), *ODD_STATES, *HOSTILE_STATES])
        for each in states:
            if each.state.ipv6:
                add_address(each.address)
        trust_anchor = write_certificates(folder / "certificates", states)
        zones, anchor = write_zones(folder / "zones", *records(states))
        stack.enter_context(dns(folder / "dns", zones, anchor))
        certificates = folder / "certificates"
        real = [each for each in states if each.state.kind in (Kind.POSTFIX, Kind.POSTSCREEN)]
        receivers = [stack.enter_context(postfix_servers(folder / "receiver", real, certificates))]
        exim = [each for each in states if each.state.kind is Kind.EXIM]
        if exim:
            receivers.append(stack.enter_context(exim_servers(folder / "exim", exim, certificates)))
        odd = [each for each in states if each.state.kind is Kind.ODD]
        receivers.append(stack.enter_context(odd_servers(folder / "odd", odd, certificates)))
        log = stack.enter_context(sending_postfix(folder / "sender", trust_anchor))
        yield Laboratory(folder, tuple(states), mail_domains(states), RESOLVER, trust_anchor, log, tuple(receivers))


def exim_states() -> list[State]:
    """Those of Exim, where it is; where it must be, its installation has failed before."""
    if exim_starts():
        return EXIM_STATES
    print(f"left out: the {len(EXIM_STATES)} states of Exim, which is not here")
    return []


def mail_domains(states: list[Placed]) -> tuple[MailDomain, ...]:
    """The further domains, without those of which a host is left out."""
    here = {each.state.name for each in states}
    return tuple(domain for domain in MAIL_DOMAINS if here.issuperset(host for _, host in domain.hosts))


def records(states: list[Placed]) -> tuple[list[str], list[str]]:
    """The lines of `test` and of `example`: a domain with one MX host for each state, and the further domains."""
    lines = []
    for each in states:
        lines += [f"{each.state.domain}. IN MX 10 {each.state.host}.", f"{each.state.host}. IN {each.record}"]
    addresses = {each.state.name: each.address for each in states}
    by_zone: dict[str, list[str]] = {"test": lines, "example": []}
    for domain in mail_domains(states):
        by_zone.setdefault(domain.name.rpartition(".")[2], []).extend(zone_lines(domain, addresses))
    return by_zone["test"], by_zone["example"]


def write_certificates(folder: Path, states: list[Placed]) -> Path:
    """The chain files of every state, and the root that the sender and tlsaudit trust."""
    pki = make_authorities()
    folder.mkdir()
    for each in states:
        state_folder = folder / each.state.domain
        state_folder.mkdir()
        for name in set(each.state.chains) - {"none"}:
            subject = each.address if name in BY_ADDRESS else each.state.host
            (state_folder / f"{name}.pem").write_bytes(CHAINS[name](pki, subject).pem())
    root = folder / "root.pem"
    root.write_bytes(pem(pki.root.certificate))
    return root

"""The receiving Postfix: one master with a service for each state, all mail accepted and thrown away.

Whether a message came in clear or in TLS stands in its Received header, which cleanup(8) writes to the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .postfix_instance import lay_out, postfix, service
from .states import Kind, Placed

MAIN = {
    "myhostname": "mx.receiver.test",
    "mydestination": "",
    "relay_domains": "static:all",
    "relay_transport": "discard:",
    "default_transport": "discard:",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "mynetworks": "127.0.0.0/8, [fd00::]/8",
    "smtpd_peername_lookup": "no",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_tls_loglevel": "1",
    "smtpd_tls_received_header": "yes",
    "smtpd_tls_security_level": "may",
    "notify_classes": "",
    "strict_rfc821_envelopes": "no",
    "max_idle": "10s",
}


@contextmanager
def postfix_servers(folder: Path, states: list[Placed], certificates: Path) -> Iterator[Path]:
    """All Postfix states, listening; the receiver's log."""
    main = {**MAIN, "header_checks": f"regexp:{folder}/conf/header_checks"}
    services = [
        "smtpd pass - - n - - smtpd\n",
        "dnsblog unix - - n - 0 dnsblog\n",
        "tlsproxy unix - - n - 0 tlsproxy\n",
    ]
    services += [each for state in states for each in services_of(state, certificates)]
    log = lay_out(folder, main, services)
    (folder / "conf/header_checks").write_text("/^Received:/ INFO\n")
    with postfix(folder, [(each.address, port) for each in states for port in each.state.ports]):
        yield log


def services_of(placed: Placed, certificates: Path) -> list[str]:
    """The entries of master.cf for one state."""
    state = placed.state
    files = ", ".join(str(certificates / state.domain / f"{name}.pem") for name in state.chains if name != "none")
    options = {"syslog_name": state.name, "smtpd_tls_chain_files": files or "none", **state.options}
    at = f"[{placed.address}]" if state.ipv6 else placed.address
    if state.kind is not Kind.POSTSCREEN:
        wrapped = {port: {"smtpd_tls_wrappermode": "yes"} if port == 465 else {} for port in state.ports}
        return [f"{at}:{port} " + service("inet n", "smtpd", {**options, **wrapped[port]}) for port in state.ports]
    behind = f"behind-{state.name}"
    front = {"smtpd_service_name": behind, "postscreen_cache_map": "", "postscreen_dnsbl_sites": "", **options}
    return [
        f"{at}:25 " + service("inet n", "postscreen", front, "1"),
        f"{behind} " + service("pass -", "smtpd", options),
    ]

"""The oracle: a real Postfix sends one message per domain and level; what its log says in the end is the truth.

Each level is a transport of its own with smtp_tls_per_site = static:LEVEL, chosen by the sender's address. Back-off
times are short, so that what a real queue does in hours happens in seconds; the final outcome counts. The lifetime of
a message leaves room for two attempts that end in a timeout, because only the second may fall back to clear text.
"""

import smtplib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .outcomes import Outcome, Story
from .postfix_instance import lay_out, postfix, service

LEVELS = ("NONE", "MAY", "MUST_NOPEERMATCH", "MUST")
INJECTION = ("127.0.0.1", 25)
LIMIT_S = 150.0
MAIN = {
    "myhostname": "sender.test",
    "mydestination": "",
    "relay_domains": "",
    "virtual_mailbox_domains": "sender.test",
    "virtual_mailbox_maps": "static:all",
    "virtual_transport": "discard:",
    "inet_interfaces": "127.0.0.1",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "mynetworks": "127.0.0.0/8",
    "smtpd_peername_lookup": "no",
    "smtpd_client_connection_count_limit": "0",
    "strict_rfc821_envelopes": "no",
    "notify_classes": "",
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "4s",
    "queue_run_delay": "1s",
    "maximal_queue_lifetime": "26s",
    "bounce_queue_lifetime": "1s",
    "smtp_connection_cache_on_demand": "no",
    "smtp_tls_loglevel": "1",
    "smtp_tls_note_starttls_offer": "yes",
    "smtp_connect_timeout": "5s",
    "smtp_helo_timeout": "9s",
    "smtp_starttls_timeout": "6s",
    "smtp_mail_timeout": "8s",
    "smtp_rcpt_timeout": "8s",
    "smtp_quit_timeout": "2s",
    "max_idle": "5s",
}
TRANSPORT_PROCESSES = "40"


@contextmanager
def sending_postfix(folder: Path, trust_anchor: Path) -> Iterator[Path]:
    """The sender, listening for messages; its log."""
    transports = folder / "conf/transports"
    main = {
        **MAIN,
        "smtp_tls_CAfile": str(trust_anchor),
        "sender_dependent_default_transport_maps": f"texthash:{transports}",
    }
    services = [f"{INJECTION[0]}:{INJECTION[1]} " + service("inet n", "smtpd", {})]
    for level in LEVELS:
        options = {"syslog_name": f"lab/{level}", "smtp_tls_per_site": f"static:{level}"}
        services.append(f"level-{level} " + service("unix -", "smtp", options, TRANSPORT_PROCESSES))
    log = lay_out(folder, main, services)
    transports.write_text("".join(f"{level.lower()}@sender.test level-{level}:\n" for level in LEVELS))
    with postfix(folder, [INJECTION]):
        yield log


def send_to_all(domains: Sequence[str], log: Path) -> dict[str, dict[str, Outcome]]:
    """One message to each domain at each level, all at once; returns when the last one has left the queue."""
    for level in LEVELS:
        with smtplib.SMTP(*INJECTION, timeout=20) as session:
            for domain in domains:
                address = f"{level.lower()}@{domain}"
                session.sendmail(f"{level.lower()}@sender.test", [address], f"Subject: {level} {domain}\n\nlab\n")
    wanted = {(level, domain) for domain in domains for level in LEVELS}
    deadline = time.monotonic() + LIMIT_S
    while not (story := Story(log)).ended(wanted):
        if time.monotonic() > deadline:
            left = sorted(wanted - story.gone())[:20]
            said = {key: story.lines.get(key, [])[-5:] for key in left}
            raise TimeoutError(f"still in the queue: {said}")
        time.sleep(0.5)
    return {domain: {level: story.outcome(level, domain) for level in LEVELS} for domain in domains}

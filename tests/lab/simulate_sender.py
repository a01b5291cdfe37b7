"""A Postfix that sends under many configurations at once, and what became of each message by the logs of both sides.

Each configuration is a transport of its own, chosen by the sender's address. The word for the TLS connection is that
of the sender's log; whether the message came in TLS or in clear says the receiver's.
"""

import re
import smtplib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from .outcomes import Key, Story, receipts
from .postfix_instance import lay_out, postfix, service
from .sender import MAIN
from .simulate_draws import FOLDER, Draw

INJECTION = ("127.0.0.1", 2526)
LIMIT_S = 150.0
PROCESSES = "12"
WORD = re.compile(r"(Anonymous|Untrusted|Trusted|Verified) TLS connection established to ")
NOT_TRIED = "delivery temporarily suspended"
"""The queue manager spares a destination that has just failed: no attempt was made."""


class End(Struct, frozen=True):
    """How a message ended: "sent", "bounced" or "deferred" (until it expired); `late`: not at the first attempt.

    `arrived` is "tls", "clear" or ""; `word` is the last one that the sender's log has for a message that came in TLS.
    """

    status: str
    arrived: str = ""
    word: str = ""
    late: bool = False
    evidence: tuple[str, ...] = ()


@contextmanager
def drawing_postfix(folder: Path, configurations: Sequence[Draw], tables: Path) -> Iterator[Path]:
    """The sender with a transport for each configuration; its log."""
    by_sender = "".join(f"{draw.label}@sender.test by-{draw.label}:{draw.next_hop}\n" for draw in configurations)
    transports = folder / "conf/transports"
    main = {**MAIN, "sender_dependent_default_transport_maps": f"texthash:{transports}"}
    services = [f"{INJECTION[0]}:{INJECTION[1]} " + service("inet n", "smtpd", {})]
    for draw in configurations:
        for name, text in draw.files.items():
            (tables / name).write_text(text)
        options = {key: value.replace(FOLDER, str(tables)) for key, value in draw.settings.items()}
        options["syslog_name"] = f"lab/{draw.label}"
        services.append(f"by-{draw.label} " + service("unix -", "smtp", options, PROCESSES))
    log = lay_out(folder, main, services)
    transports.write_text(by_sender)
    with postfix(folder, [INJECTION]):
        yield log


def send_draws(configurations: Sequence[Draw], log: Path, receivers: Sequence[Path]) -> dict[Key, End]:
    """One message of each configuration to each of its domains; the ends, when the last one has left the queue."""
    for draw in configurations:
        with smtplib.SMTP(*INJECTION, timeout=20) as session:
            for domain in draw.domains:
                text = f"Subject: {draw.label}\n\nlab\n"
                session.sendmail(f"{draw.label}@sender.test", [f"{draw.label}@{domain}"], text)
    wanted = {(draw.label.upper(), domain) for draw in configurations for domain in draw.domains}
    deadline = time.monotonic() + LIMIT_S
    while not (story := Story(log)).ended(wanted):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still in the queue: {sorted(wanted - story.gone())[:20]}")
        time.sleep(0.5)
    arrived = receipts(receivers)
    return {key: end_of(story.lines.get(key, []), arrived.get(key, "")) for key in wanted}


def end_of(lines: Sequence[str], arrived: str) -> End:
    """Reads the log lines of one message, oldest first."""
    late, word = False, ""
    for line in lines:
        if match := WORD.match(line):
            word = match[1]
        for status in ("sent", "bounced"):
            if f"status={status}" in line:
                return End(status, arrived, word if arrived == "tls" else "", late, tuple(lines[-6:]))
        late |= "status=deferred" in line and NOT_TRIED not in line
    return End("deferred", arrived, late=late, evidence=tuple(lines[-6:]))

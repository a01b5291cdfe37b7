"""What the sending Postfix wrote into its log, told per message: was it delivered, was it encrypted, what was said."""

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

LINE = re.compile(r"(?P<program>[\w/-]+)\[(?P<process>\d+)\]: (?P<text>.*)")
ABOUT_MESSAGE = re.compile(r"(?P<queue_id>[0-9A-F]{6,}|[0-9B-Zb-z]{10,}): (?P<rest>.*)")
RECIPIENT = re.compile(r"to=<(?P<level>\w+)@(?P<domain>[^>]+)>")
RECEIVED = re.compile(r"(?:^delivered |info: header Received: .* to=<| <= .* for )(?P<level>\w+)@(?P<domain>[^> ]+)")
"""One message in the log of the odd server, of the receiving Postfix (cleanup) and of Exim."""
FINAL = re.compile(r"status=(?:sent|bounced|expired)")
Key = tuple[str, str]


class Outcome(Struct, frozen=True):
    """How one message ended; `evidence` are the log lines of its attempts, oldest first."""

    delivered: bool
    evidence: tuple[str, ...]


class Story:
    """The messages of one log; a class because a log is read in order and later lines explain themselves by earlier."""

    def __init__(self, log: Path) -> None:
        self.keys: dict[str, Key] = {}
        self.lines: dict[Key, list[str]] = {}
        self.remarks: dict[str, list[str]] = {}
        self.removed: set[str] = set()
        for line in log.read_text(errors="replace").splitlines():
            if found := LINE.search(line):
                self.read(found["process"], found["text"])

    def read(self, process: str, text: str) -> None:
        """A line about a message ends the remarks (TLS, offers, lost connections) that its process made before."""
        about = ABOUT_MESSAGE.match(text)
        if not about:
            self.remarks.setdefault(process, []).append(text)
            return
        queue_id, rest = about["queue_id"], about["rest"]
        if rest == "removed":
            self.removed.add(queue_id)
        if recipient := RECIPIENT.match(rest):
            key = (recipient["level"].upper(), recipient["domain"])
            self.keys[queue_id] = key
            self.lines.setdefault(key, []).extend([*self.remarks.pop(process, []), rest])
        elif "host" in rest or "TLS" in rest:
            self.remarks.setdefault(process, []).append(rest)

    def gone(self) -> set[Key]:
        """The messages that have left the queue, by a line that says so or by their final status.

        One of the two is enough: on a busy machine a line may be lost on its way to postlogd, which has a short queue.
        """
        ended = {key for key, lines in self.lines.items() if lines and FINAL.search(lines[-1])}
        return ended | {key for queue_id, key in self.keys.items() if queue_id in self.removed}

    def ended(self, wanted: set[Key]) -> bool:
        return wanted <= self.gone()

    def outcome(self, level: str, domain: str) -> Outcome:
        lines = self.lines.get((level, domain), [])
        return Outcome(any("status=sent" in line for line in lines), tuple(lines))


def receipts(logs: Sequence[Path]) -> dict[Key, str]:
    """How each message arrived, by the receivers' own logs: "tls" or "clear"."""
    arrived: dict[Key, str] = {}
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            if found := RECEIVED.search(line):
                key = (found["level"].upper(), found["domain"])
                encrypted = "(using TLS" in line or line.endswith(" tls") or " X=TLS" in line
                arrived[key] = "tls" if encrypted or arrived.get(key) == "tls" else "clear"
    return arrived

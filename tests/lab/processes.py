"""Child processes of the lab: they die with the test run, and each writes into a log file of its own."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_LIMIT_S = 20.0
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")


class NotStarted(Exception):
    """A server of the lab did not come up; the message holds its log."""


@contextmanager
def running(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the foreground until the block ends; the kernel kills all of it should the test run die first.

    A signal at the death of the parent is not enough: it is lost when a program changes its user, as mail servers do.
    So each has a process namespace, which ends with its first process, and that is a shell that changes nothing.
    """
    shell = ("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", '"$@" & wait $!', "sh")
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*DIES_WITH_US, *shell, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def wait_for_ports(child: subprocess.Popen[bytes], addresses: Sequence[tuple[str, int]], *logs: Path) -> None:
    """Return when every address listens; a child that ended, or is not ready in time, is an error with its log."""
    deadline = time.monotonic() + START_LIMIT_S
    waiting = list(addresses)
    while waiting:
        waiting = [each for each in waiting if not listens(*each)]
        if waiting and (child.poll() is not None or time.monotonic() > deadline):
            said = "\n".join(log.read_text(errors="replace")[-3000:] for log in logs if log.exists())
            raise NotStarted(f"{waiting[:5]} not listening; the log:\n{said}")
        if waiting:
            time.sleep(0.05)


def listens(address: str, port: int) -> bool:
    """Whether the kernel lists a listener there; no connection is made, because some servers count them."""
    host = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    words = [host[at : at + 4][::-1].hex().upper() for at in range(0, len(host), 4)]
    wanted = f"{''.join(words)}:{port:04X}"
    table = Path("/proc/self/net/tcp6" if ":" in address else "/proc/self/net/tcp")
    rows = (line.split() for line in table.read_text().splitlines()[1:])
    return any(row[1] == wanted and row[3] == "0A" for row in rows)
